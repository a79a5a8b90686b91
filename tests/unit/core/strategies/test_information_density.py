"""Information density: what counts as near, and what is remembered."""

from __future__ import annotations

import json

import numpy as np
import pytest

from streamal.core.strategies import InformationDensity, Margin
from streamal.core.strategies.recent_events import RecentEvents
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Context, Features, Probabilities, Production, Source
from tests.support.scoring import note, score_one

EVEN: Probabilities = {"a": 0.5, "b": 0.5}
LEANING: Probabilities = {"a": 0.8, "b": 0.2}


def item(features: Features, model: Probabilities = EVEN) -> Context:
    return Context("e", features, Production(), model)


def rows(count: int, width: int, seed: int = 1) -> list[dict[str, float]]:
    values = np.random.default_rng(seed).normal(10, 3, size=(count, width)).tolist()
    return [{f"f{i}": value for i, value in enumerate(row)} for row in values]


def filled(strategy: InformationDensity, past: list[dict[str, float]]) -> InformationDensity:
    for features in past:
        note(strategy, item(features))
    return strategy


def test_distances_are_those_of_the_standardised_values() -> None:
    recent, scale = RecentEvents(100), RunningScale()
    remembered = []
    for features in rows(50, 4):
        recent.add(features)
        scale.update(features)
        remembered.append(scale.standardised(features))
    (new,) = rows(1, 4, seed=2)
    differences = np.array(remembered) - np.array(scale.standardised(new))
    expected = np.sqrt((differences**2).mean(axis=1))
    assert recent.distances(new) == pytest.approx(expected, abs=0.04)  # one byte per value


def test_unrelated_items_have_the_distance_that_is_promised() -> None:
    recent = RecentEvents(200)
    for features in rows(300, 10):
        recent.add(features)
    (new,) = rows(1, 10, seed=2)
    assert recent.distances(new).size == 200
    assert recent.distances(new).mean() == pytest.approx(1.4, abs=0.3)


def test_crowded_regions_come_first() -> None:
    strategy = filled(InformationDensity(), rows(200, 3))
    typical, odd = {f"f{i}": 10.0 for i in range(3)}, {f"f{i}": 25.0 for i in range(3)}
    assert score_one(strategy, item(typical)) > 2 * score_one(strategy, item(odd)) > 0.0


def test_uncertainty_scales_density() -> None:
    strategy = filled(InformationDensity(), rows(50, 3))
    (new,) = rows(1, 3, seed=2)
    ratio = score_one(Margin(), item(new, LEANING)) / score_one(Margin(), item(new, EVEN))
    leaning, even = score_one(strategy, item(new, LEANING)), score_one(strategy, item(new, EVEN))
    assert leaning / even == pytest.approx(ratio)
    assert score_one(strategy, item(new, {"a": 1.0, "b": 0.0})) == 0.0


def test_beta_is_the_power_of_the_density() -> None:
    past, (new,) = rows(50, 3), rows(1, 3, seed=2)
    none, one, two = (
        score_one(filled(InformationDensity(beta=beta), past), item(new))
        for beta in (0.0, 1.0, 2.0)
    )
    assert none == pytest.approx(1.0)
    assert two == pytest.approx(one**2)
    assert 0.2 < one < 0.8


def test_identical_items_are_as_crowded_as_can_be() -> None:
    strategy = filled(InformationDensity(), [{"x": 3.0}] * 20)
    assert score_one(strategy, item({"x": 3.0})) == pytest.approx(1.0)


def test_only_the_window_is_remembered() -> None:
    strategy = InformationDensity(window=10)
    assert filled(strategy, rows(400, 3))._recent.distances({}).size == 10


def test_before_anything_is_remembered_it_is_margin() -> None:
    assert score_one(InformationDensity(), item({"x": 1.0}, LEANING)) == score_one(
        Margin(), item({}, LEANING)
    )
    texts = filled(InformationDensity(), [])
    for _ in range(5):
        note(texts, item({"colour": "red"}))
    assert score_one(texts, item({"colour": "red"}, LEANING)) == score_one(
        Margin(), item({}, LEANING)
    )


def test_the_source_decides_whose_probabilities_count() -> None:
    context = Context("e", {}, Production("a", LEANING), EVEN, (LEANING, LEANING))
    assert score_one(InformationDensity(Source.MODEL), context) == pytest.approx(1.0)
    assert score_one(InformationDensity(Source.PRODUCTION), context) == pytest.approx(0.4)
    assert score_one(InformationDensity(Source.COMMITTEE), context) == pytest.approx(0.4)


def test_a_new_feature_gives_remembered_items_its_mean() -> None:
    recent = RecentEvents(10)
    for value in (1.0, 2.0, 3.0):
        recent.add({"x": value})
    recent.add({"x": 2.0, "y": 5.0})
    assert recent.distances({"x": 2.0, "y": 5.0}).size == 4
    assert recent.distances({"x": 2.0, "y": 5.0})[3] == pytest.approx(0.0, abs=0.05)


def test_wide_events_make_the_window_shorter_and_the_state_stays_small() -> None:
    strategy = filled(InformationDensity(window=1000), rows(400, 100))
    assert strategy._recent.distances({}).size == RecentEvents.VALUES // RunningScale.FEATURES
    assert len(json.dumps(strategy.state())) < 13_000


def test_a_restored_window_goes_on_as_if_nothing_had_happened() -> None:
    strategy, again = filled(InformationDensity(), rows(300, 3)), InformationDensity()
    again.restore(json.loads(json.dumps(strategy.state())))
    for features in [*rows(50, 3, seed=2), *rows(20, 5, seed=3)]:
        assert score_one(again, item(features)) == score_one(strategy, item(features))
        for one in (strategy, again):
            note(one, item(features))
    assert again.state() == strategy.state()
