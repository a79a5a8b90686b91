from __future__ import annotations

import json
import math

import numpy as np
import pytest

from streamal.core.estimation import (
    AccuracyTracker,
    LabelledItems,
    Method,
    Target,
    WindowTotals,
    estimate_window,
)

FLOOR = 0.02


def window(rng: np.random.Generator, size: int = 2_000) -> tuple[WindowTotals, LabelledItems]:
    g = rng.beta(8, 2, size)
    correct = (rng.random(size) < g).astype(float)
    propensity = np.where(g < 0.6, 0.5, FLOOR)
    drawn = rng.random(size) < propensity
    totals = WindowTotals(size, float(g.sum()))
    return totals, LabelledItems.of(correct[drawn], g[drawn], propensity[drawn])


def tracker(**changes: float) -> AccuracyTracker:
    return AccuracyTracker(least_propensity=FLOOR, tightest_at=20_000, **changes)  # type: ignore[arg-type]  # numbers only


def test_before_any_window_nothing_is_claimed() -> None:
    fresh = tracker()
    for estimate in (fresh.overall(), fresh.anytime()):
        assert math.isnan(estimate.value)
        assert (estimate.interval.low, estimate.interval.high) == (0.0, 1.0)


def test_the_first_window_stands_alone_and_later_ones_on_the_past() -> None:
    rng, followed = np.random.default_rng(1), tracker()
    first, second = window(rng), window(rng)
    assert followed.close(*first, {}) == estimate_window(*first, {}, least_propensity=FLOOR)
    assert followed.close(*second, {}) != estimate_window(*second, {}, least_propensity=FLOOR)


def test_a_window_does_not_see_its_own_labels_in_its_baseline() -> None:
    rng = np.random.default_rng(2)
    past, (totals, items) = window(rng), window(rng)
    flipped = LabelledItems.of(1 - items.correct, items.expected_correct, items.propensity)
    one, other = tracker(), tracker()
    for each in (one, other):
        each.close(*past, {})
    assert one.close(totals, items, {}).lambda_ == other.close(totals, flipped, {}).lambda_


def test_overall_is_the_mean_over_all_events() -> None:
    rng, followed = np.random.default_rng(3), tracker()
    sizes = (500, 2_000, 8_000)
    closed = [followed.close(*window(rng, size), {}) for size in sizes]
    overall = followed.overall()
    assert overall.raw == pytest.approx(
        np.average([estimate.raw for estimate in closed], weights=sizes)
    )
    assert overall.events == sum(sizes)
    assert overall.labelled == sum(estimate.labelled for estimate in closed)
    assert overall.interval.half_width < min(each.interval.half_width for each in closed)


def test_the_anytime_interval_is_wider_than_one_look() -> None:
    rng, followed = np.random.default_rng(4), tracker()
    for _ in range(10):
        followed.close(*window(rng), {})
        once, always = followed.overall().interval, followed.anytime().interval
        assert always.low < once.low < once.high < always.high
        assert always.half_width < 3 * once.half_width


def test_the_anytime_interval_waits_for_labels() -> None:
    followed = tracker()
    totals = WindowTotals(1_700, 1_530.0)
    followed.close(totals, LabelledItems.of([1] * 49, [0.9] * 49, [0.03] * 49), {})
    assert followed.anytime().interval.half_width == 0.5
    followed.close(totals, LabelledItems.of([1], [0.9], [0.03]), {})
    assert followed.anytime().interval.half_width < 0.5


def test_a_window_without_labels_counts_in_the_pool_through_its_predictions() -> None:
    rng, followed = np.random.default_rng(5), tracker()
    followed.close(*window(rng), {})
    followed.close(*window(rng), {})
    empty = followed.close(WindowTotals(2_000, 1_600.0), LabelledItems.of([], [], []), {})
    assert math.isnan(empty.value)
    assert followed.overall().events == 6_000
    assert followed.overall().value == pytest.approx(0.8, abs=0.05)


def test_windows_without_totals_count_by_their_weights() -> None:
    rng, followed = np.random.default_rng(6), tracker()
    for _ in range(5):
        _, items = window(rng)
        assert followed.close(None, items, {}).method is Method.HAJEK
    assert followed.overall().events == pytest.approx(10_000, rel=0.15)
    assert followed.overall().interval.covers(0.8)


def test_a_restored_tracker_goes_on_as_if_nothing_had_happened() -> None:
    rng = np.random.default_rng(7)
    windows = [window(rng) for _ in range(6)]
    straight, before, after = tracker(), tracker(), tracker()
    for each in windows[:3]:
        straight.close(*each, {})
        before.close(*each, {})
    after.restore(json.loads(json.dumps(before.state())))
    for each in windows[3:]:
        assert after.close(*each, {}) == straight.close(*each, {})
    assert after.overall() == straight.overall()
    assert after.anytime() == straight.anytime()
    assert after.state() == straight.state()


def test_state_does_not_grow() -> None:
    rng, followed = np.random.default_rng(8), tracker()
    for _ in range(3):
        followed.close(*window(rng), {})
    early = len(json.dumps(followed.state()))
    for _ in range(50):
        followed.close(*window(rng), {})
    assert len(json.dumps(followed.state())) < early + 50 < 1_000


def test_parameters_change_what_they_say() -> None:
    rng = np.random.default_rng(9)
    windows = [window(rng) for _ in range(5)]

    def after(followed: AccuracyTracker) -> AccuracyTracker:
        for each in windows:
            followed.close(*each, {})
        return followed

    usual = after(tracker())
    assert after(tracker(level=0.8)).overall().interval.half_width < (
        usual.overall().interval.half_width
    )
    expected = after(AccuracyTracker(least_propensity=FLOOR, target=Target.EXPECTED))
    assert expected.overall().standard_error > usual.overall().standard_error
    cautious = after(AccuracyTracker(least_propensity=FLOOR / 10))
    assert cautious.overall().interval.low < usual.overall().interval.low
    later = after(AccuracyTracker(least_propensity=FLOOR, tightest_at=10_000_000))
    assert later.anytime().interval.half_width > usual.anytime().interval.half_width
    assert after(tracker(half_life=10.0)).overall().raw != usual.overall().raw


@pytest.mark.parametrize("windows", [2, 5, 50])
def test_the_running_interval_is_useful_early_and_late(windows: int) -> None:
    rng, followed = np.random.default_rng(11), AccuracyTracker(least_propensity=FLOOR)
    for _ in range(windows):
        followed.close(*window(rng), {})
    once, always = followed.overall().interval, followed.anytime().interval
    assert 1.4 < always.half_width / once.half_width < 1.8


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0.0},
        {"level": 1.0},
        {"least_propensity": 0.0},
        {"tightest_at": 0},
        {"half_life": 0},
    ],
)
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AccuracyTracker(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_the_running_interval_holds_from_its_first_look_on_where_errors_are_rare() -> None:
    """Of 250 labels a fifth speaks for nearly all events, and may have seen hardly an error."""
    rng, size, left, tells = np.random.default_rng(12), 2_500, 0, 0
    for _ in range(300):
        followed, wrong, inside = AccuracyTracker(least_propensity=0.02), 0, True
        for number in range(1, 5):
            correct = (rng.random(size) < 0.9).astype(float)
            wrong += size - int(correct.sum())
            propensity = np.where(rng.random(size) < 0.08, 1.0, 0.02)
            drawn = rng.random(size) < propensity
            items = LabelledItems.of(correct[drawn], [0.9] * drawn.sum(), propensity[drawn])
            followed.close(WindowTotals(size, 0.9 * size), items, {})
            inside &= followed.anytime().interval.covers(1 - wrong / (number * size))
        left += not inside
        tells += followed.anytime().interval.low > 0.7
    assert left / 300 <= 0.015, "it was 0.03 with as much to either side"
    assert tells / 300 > 0.95
