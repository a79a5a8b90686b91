"""Nearest new neighbour: doubt where the stream is getting denser."""

from __future__ import annotations

import json

import pytest

from streamal.core.strategies import NearestNewNeighbour
from streamal.core.types import Context, Probabilities, Production
from tests.support.scoring import note, score_one

EVEN: Probabilities = {"a": 0.5, "b": 0.5}


def item(x: float, model: Probabilities = EVEN) -> Context:
    return Context("e", {"x": x}, Production(), model)


def after(*xs: float, window: int = 10) -> NearestNewNeighbour:
    """The scale is settled by items at -200 and 200, which have twins and count for nobody."""
    strategy = NearestNewNeighbour(window=window)
    for number in range(300):
        note(strategy, item(200.0 if number % 2 else -200.0))
    for x in xs:
        note(strategy, item(x))
    return strategy


@pytest.mark.parametrize(
    ("x", "neighbours"),
    [(-60.0, 2), (-80.0, 1), (60.0, 1), (100.0, 1), (-200.0, 0), (-700.0, 0)],
)
def test_those_are_counted_to_whom_it_is_nearer_than_any_other(x: float, neighbours: int) -> None:
    strategy = after(-120.0, -80.0, -40.0, 120.0)
    assert score_one(strategy, item(x)) == 1.0 - 0.5 ** (1 + neighbours)


def test_a_repetition_is_news_once() -> None:
    strategy = after(-100.0, 0.0, 100.0)
    first = score_one(strategy, item(0.0))
    note(strategy, item(0.0))
    assert first > score_one(strategy, item(0.0)) == 0.5


def test_only_doubt_is_scaled() -> None:
    strategy = after(-120.0, -80.0, -40.0, 120.0)
    assert score_one(strategy, item(-60.0, {"a": 1.0, "b": 0.0})) == 0.0
    assert score_one(strategy, item(-60.0, {"a": 0.75, "b": 0.25})) == pytest.approx(0.875 / 2)
    assert score_one(strategy, item(-60.0, {"a": 1.0})) == 1.0


def test_what_has_left_the_window_is_nobody_s_neighbour() -> None:
    strategy = after(0.0)
    assert score_one(strategy, item(40.0)) == 0.75
    for _ in range(5):
        note(strategy, item(-200.0))
        note(strategy, item(200.0))
    assert score_one(strategy, item(40.0)) == 0.5


def test_a_state_round_trips_with_infinite_distances() -> None:
    strategy, again = NearestNewNeighbour(), NearestNewNeighbour()
    note(strategy, item(3.0))
    again.restore(json.loads(json.dumps(strategy.state())))
    for x in (3.0, 5.0):
        assert score_one(again, item(x)) == score_one(strategy, item(x)) == 0.75
