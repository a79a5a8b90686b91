from __future__ import annotations

import math

import pytest

from streamal.core.estimation import Interval, LabelledItems, Response, WindowTotals


@pytest.mark.parametrize(
    ("correct", "expected", "propensity"),
    [
        ([1.0], [0.5], [0.0]),
        ([1.0], [0.5], [1.1]),
        ([1.0], [0.5], [math.nan]),
        ([2.0], [0.5], [0.5]),
        ([1.0], [math.inf], [0.5]),
        ([1.0, 0.0], [0.5], [0.5]),
        ([[1.0]], [[0.5]], [[0.5]]),
    ],
)
def test_items_out_of_range_are_refused(
    correct: list[float], expected: list[float], propensity: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"must be|differ in length"):
        LabelledItems.of(correct, expected, propensity)


def test_strata_need_one_name_per_item() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        LabelledItems.of([1, 0], [0.5, 0.5], [0.1, 0.1], ["exploration"])


@pytest.mark.parametrize("total", [-1.0, 11.0, math.nan])
def test_totals_that_no_predictions_can_sum_to_are_refused(total: float) -> None:
    with pytest.raises(ValueError, match="sum_expected_correct"):
        WindowTotals(10, total)


def test_totals_forgive_rounding_of_long_sums() -> None:
    assert WindowTotals(1_000_000, 1_000_000.0000001).events == 1_000_000


def test_more_answers_than_matured_reviews_are_refused() -> None:
    with pytest.raises(ValueError, match="answered"):
        Response(matured=3, answered=4)


def test_an_interval_covers_its_ends() -> None:
    interval = Interval(0.25, 0.75, 0.95)
    assert interval.covers(0.25)
    assert interval.covers(0.75)
    assert not interval.covers(0.76)
    assert interval.half_width == 0.25
