"""Draws: uniform, repeatable, and independent between seeds, events and purposes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from streamal.core.chance import draw, draws


def test_a_draw_depends_on_its_arguments_only() -> None:
    assert draw(7, "order-1", "query") == draw(7, "order-1", "query")


@pytest.mark.parametrize(
    "other", [(8, "order-1", "query"), (7, "order-2", "query"), (7, "order-1", "noise")]
)
def test_another_seed_event_or_purpose_draws_another_number(other: tuple[int, str, str]) -> None:
    assert draw(7, "order-1", "query") != draw(*other)


def test_what_is_drawn_for_one_purpose_is_what_each_draw_is() -> None:
    for seed, purpose in ((7, "query"), (7, "noise"), (8, "query"), (8, "\ud800")):
        ids = ["", "e1", "日本", "\udcff"]
        assert draws(seed, ids, purpose) == [draw(seed, event_id, purpose) for event_id in ids]
    assert draws(7, [], "query") == []


def test_draws_stay_what_they_are_between_releases() -> None:
    # A replay after an upgrade has to route the same events.
    assert draw(0, "", "query") == 0.03429571444708612
    assert draw(7, "order-1", "query") == 0.9154156010288326
    assert draw(-3, "日本", "query") == 0.7305766002101415


def test_draws_are_uniform_over_events() -> None:
    count = 20_000
    numbers = sorted(draw(1, f"event-{i}", "query") for i in range(count))
    distance = max(
        max(abs(number - i / count), abs(number - (i + 1) / count))
        for i, number in enumerate(numbers)
    )
    # Kolmogorov-Smirnov: exceeded by chance in one of 10,000 sets of events.
    assert distance < 2.23 / count**0.5
    assert numbers[0] >= 0.0
    assert numbers[-1] < 1.0


@pytest.mark.parametrize("change", ["next event", "purpose", "seed"])
def test_draws_are_uncorrelated(change: str) -> None:
    count = 20_000
    numbers = [draw(1, str(i), "query") - 0.5 for i in range(count + 1)]
    if change == "next event":
        pairs = list(pairwise(numbers))
    elif change == "purpose":
        pairs = [(numbers[i], draw(1, str(i), "noise") - 0.5) for i in range(count)]
    else:
        pairs = [(numbers[i], draw(2, str(i), "query") - 0.5) for i in range(count)]
    correlation = 12 * sum(a * b for a, b in pairs) / count
    assert abs(correlation) < 4 / count**0.5


def test_any_text_can_be_an_event_id() -> None:
    for event_id in ("", "\x00", "\ud800", "é" * 10_000):
        assert 0.0 <= draw(1, event_id, "query") < 1.0
