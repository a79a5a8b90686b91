"""Weights that make labelled reviews speak for all events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from streamal.events import LabelEvent, ReviewRequest
from streamal.operations.weighting import Weighted, Weighting, weighted_reviews
from streamal.ports import Record
from streamal.state.pending import PendingView

START = 1_699_999_200.0
HOUR = 3600.0


class Reviews:
    """A view, and the reviews and answers that it is made of."""

    def __init__(self) -> None:
        self.view = PendingView(":memory:", pipeline="orders")
        self._offset = 0

    def ask(self, event_id: str, at: float, *, propensity: float = 0.5, reason: str) -> None:
        """A review of an event `at` seconds after the start."""
        when = datetime.fromtimestamp(START + at, UTC)
        review = ReviewRequest.model_validate(
            {
                "event_id": event_id,
                "pipeline": "orders",
                "occurred_at": when,
                "decided_at": when,
                "expires_at": datetime.fromtimestamp(START + at + HOUR, UTC),
                "features": {"x": 1},
                "prediction": {"label": "a"},
                "model": {"version": 0},
                "produced_by": {},
                "score": 0.5,
                "strategy": "margin",
                "policy": "quantile",
                "threshold": 0.5,
                "propensity": propensity,
                "reason": reason,
                "priority": 0.5,
                "expected_correct": 0.5,
            }
        )
        self.view.apply_reviews([self._record("reviews", review.to_bytes(), at)])

    def answer(self, event_id: str, at: float) -> None:
        """An answer `at` seconds after the start."""
        when = datetime.fromtimestamp(START + at, UTC)
        label = LabelEvent(event_id=event_id, label="a", annotator="p", labelled_at=when)
        self.view.register_labels([self._record("labels", label.to_bytes(), at)])

    def weighted(self, now: float, start: float = 0, end: float = 99 * HOUR) -> list[Weighted]:
        """All rows as of `now` seconds after the start."""
        weighting = Weighting(HOUR, HOUR, START + now)
        return list(weighted_reviews(self.view.measures, START + start, START + end, weighting))

    def _record(self, topic: str, value: bytes, at: float) -> Record:
        self._offset += 1
        return Record(topic, 0, self._offset, round((START + at) * 1000), None, value)


@pytest.fixture
def reviews() -> Iterator[Reviews]:
    made = Reviews()
    yield made
    made.view.close()


def window(reviews: Reviews, number: int, asked: int, answered: int, reason: str) -> None:
    for index in range(asked):
        at = number * HOUR + index
        reviews.ask(f"{reason}-{number}-{index}", at, reason=reason)
        if index < answered:
            reviews.answer(f"{reason}-{number}-{index}", at + 60)


def test_the_weights_of_a_kind_add_up_to_its_events(reviews: Reviews) -> None:
    window(reviews, 0, 40, 10, "above_threshold")
    window(reviews, 0, 20, 20, "exploration")
    rows = reviews.weighted(9 * HOUR)
    assert len(rows) == 30
    by_reason = {
        reason: [row for row in rows if row.labelled.review.reason == reason]
        for reason in ("above_threshold", "exploration")
    }
    # 40 were asked for, each with probability 1/2: they stand for 80 events, whoever answered.
    assert sum(row.weight for row in by_reason["above_threshold"]) == pytest.approx(80)
    assert sum(row.weight for row in by_reason["exploration"]) == pytest.approx(40)
    assert {row.response_rate for row in by_reason["above_threshold"]} == {0.25}
    assert all(row.matured for row in rows)


def test_rates_are_those_of_the_window(reviews: Reviews) -> None:
    window(reviews, 0, 40, 20, "exploration")
    window(reviews, 1, 40, 40, "exploration")
    rates = [row.response_rate for row in reviews.weighted(9 * HOUR)]
    assert rates == [0.5] * 20 + [1.0] * 40


def test_a_young_window_takes_the_rates_before_it(reviews: Reviews) -> None:
    window(reviews, 0, 40, 10, "exploration")
    window(reviews, 3, 40, 1, "exploration")
    old, young = reviews.weighted(4.5 * HOUR)[0], reviews.weighted(4.5 * HOUR)[-1]
    assert (old.matured, young.matured) == (True, False)
    assert young.response_rate == pytest.approx(0.25)
    assert young.weight == pytest.approx(8)


def test_before_any_window_has_matured_propensities_are_all_there_is(reviews: Reviews) -> None:
    window(reviews, 0, 40, 1, "exploration")
    (row,) = reviews.weighted(60)
    assert (row.response_rate, row.weight, row.matured) == (1.0, 2.0, False)


def test_part_of_a_window_has_the_rates_of_all_of_it(reviews: Reviews) -> None:
    window(reviews, 0, 40, 20, "exploration")
    rows = reviews.weighted(9 * HOUR, start=5, end=10)
    assert [row.labelled.review.event_id for row in rows] == [
        f"exploration-0-{index}" for index in range(5, 10)
    ]
    assert {row.response_rate for row in rows} == {0.5}


def test_nothing_was_labelled(reviews: Reviews) -> None:
    window(reviews, 0, 4, 0, "exploration")
    assert reviews.weighted(9 * HOUR) == []
