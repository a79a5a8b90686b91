from __future__ import annotations

import numpy as np
import pytest

from streamal.core.estimation import (
    OTHER,
    Cell,
    LabelledItems,
    Response,
    SegmentTracker,
    WindowTotals,
)


def cell(rng: np.random.Generator, events: int, accuracy: float, propensity: float = 0.2) -> Cell:
    """A window's part with that true accuracy; a fifth of the reviews is never answered."""
    correct = (rng.random(events) < accuracy).astype(float)
    expected = np.clip(accuracy + rng.normal(0, 0.1, events), 0, 1)
    routed = np.flatnonzero(rng.random(events) < propensity)
    answered = routed[rng.random(len(routed)) < 0.8]
    items = LabelledItems.of(
        correct[answered],
        expected[answered],
        [propensity] * len(answered),
        ["exploration"] * len(answered),
    )
    responses = {"exploration": Response(len(routed), len(answered))}
    return Cell(WindowTotals(events, float(expected.sum())), items, responses)


def followed(windows: int, seed: int = 1, **accuracies: float) -> SegmentTracker:
    rng, tracker = np.random.default_rng(seed), SegmentTracker(least_propensity=0.2)
    for _ in range(windows):
        tracker.close({name: cell(rng, 600, p) for name, p in accuracies.items()})
    return tracker


def test_each_segment_has_its_own_accuracy() -> None:
    estimates = followed(10, good=0.95, bad=0.7).estimates()
    assert list(estimates) == ["bad", "good"]
    for name, truth in (("good", 0.95), ("bad", 0.7)):
        assert estimates[name].interval.covers(truth)
        assert estimates[name].events == 6_000


def test_a_worse_version_is_told_from_the_one_that_serves_most() -> None:
    rng, tracker = np.random.default_rng(2), SegmentTracker(least_propensity=0.2)
    for _ in range(10):
        tracker.close({"v1": cell(rng, 2_000, 0.95), "v2": cell(rng, 400, 0.8)})
    assert tracker.reference == "v1"
    (found,) = tracker.differences().values()
    assert found.is_worse
    assert found.fixed.covers(-0.15)
    assert found.anytime.covers(-0.15)
    assert found.anytime.low < found.fixed.low < found.fixed.high < found.anytime.high < 0


def test_versions_are_compared_over_the_windows_where_both_served() -> None:
    rng, tracker = np.random.default_rng(3), SegmentTracker(least_propensity=0.2)
    for _ in range(20):  # easy times, the old version alone
        tracker.close({"v1": cell(rng, 1_000, 0.98)})
    for share in (50, 200, 500, 500, 500):  # hard times, and a ramp-up of an equal version
        tracker.close({"v1": cell(rng, 1_000 - share, 0.7), "v2": cell(rng, share, 0.7)})
    estimates, (found,) = tracker.estimates(), tracker.differences().values()
    assert estimates["v1"].value - estimates["v2"].value > 0.2
    assert abs(found.value) < 0.06
    assert not found.is_worse


def test_the_reference_is_one_that_still_serves() -> None:
    rng, tracker = np.random.default_rng(4), SegmentTracker(least_propensity=0.2)
    for _ in range(3):
        tracker.close({"v1": cell(rng, 1_000, 0.9)})
    for _ in range(3):
        tracker.close({"v2": cell(rng, 500, 0.9), "v3": cell(rng, 100, 0.9)})
    assert tracker.reference == "v2"
    assert list(tracker.differences()) == ["v3"]


def test_equals_do_not_take_turns_as_the_reference() -> None:
    rng, tracker = np.random.default_rng(7), SegmentTracker(least_propensity=0.2)
    references = set()
    for more, less in ((110, 90), (90, 130), (100, 80), (80, 120)):
        tracker.close({"a": cell(rng, more, 0.9), "b": cell(rng, less, 0.9)})
        references.add(tracker.reference)
    tracker.close({"b": cell(rng, 1, 0.9)})
    assert references | {tracker.reference} == {"a"}
    assert list(tracker.differences()) == ["b"]


def test_a_reference_of_a_few_first_events_is_overtaken() -> None:
    rng, tracker = np.random.default_rng(8), SegmentTracker(least_propensity=0.2)
    tracker.close({"canary": cell(rng, 5, 0.9), "main": cell(rng, 3, 0.9)})
    assert tracker.reference == "canary"
    tracker.close({"canary": cell(rng, 10, 0.9), "main": cell(rng, 500, 0.9)})
    assert tracker.reference == "main"
    assert list(tracker.differences()) == ["canary"]


def test_values_are_bounded_and_the_longest_unseen_goes_first() -> None:
    rng, tracker = np.random.default_rng(5), SegmentTracker(values=3)
    for name in ("a", "b", "c", "d"):
        tracker.close({name: cell(rng, 50, 0.9), OTHER: cell(rng, 50, 0.9)})
    assert list(tracker.estimates()) == ["b", "c", "d", OTHER]


def test_more_values_than_are_followed_count_as_other() -> None:
    rng, tracker = np.random.default_rng(9), SegmentTracker(values=2)
    tracker.close({name: cell(rng, 500, 0.9) for name in ("a", "b")})
    tracker.close({name: cell(rng, size, 0.9) for name, size in (("b", 10), ("c", 40), ("d", 30))})
    estimates = tracker.estimates()
    assert {name: each.events for name, each in estimates.items()} == {
        "b": 510,
        "c": 40,
        OTHER: 30,
    }
    tracker.close({name: cell(rng, size, 0.9) for name, size in (("b", 5), ("c", 5), ("d", 900))})
    assert tracker.estimates()[OTHER].events == 930


def test_merged_cells_keep_every_event_label_and_review() -> None:
    rng = np.random.default_rng(10)
    one, two = cell(rng, 100, 0.9), cell(rng, 50, 0.8)
    both = one.plus(two)
    assert both.events == 150
    assert len(both.items) == len(one.items) + len(two.items)
    assert both.items.stratum == one.items.stratum + two.items.stratum
    assert both.responses["exploration"].answered == len(both.items)
    assert one.plus(Cell(None, two.items, {})).totals is None


def test_other_is_estimated_but_never_compared() -> None:
    tracker = followed(3, other=0.9, a=0.9, b=0.9)
    assert OTHER in tracker.estimates()
    assert tracker.reference == "a"
    assert list(tracker.differences()) == ["b"]


def test_a_value_that_never_comes_again_is_forgotten() -> None:
    rng, tracker = np.random.default_rng(6), SegmentTracker()
    tracker.close({"old": cell(rng, 50, 0.9)})
    for _ in range(200):
        tracker.close({"new": cell(rng, 10, 0.9)})
    assert list(tracker.estimates()) == ["new"]


def test_a_tracker_needs_a_value() -> None:
    with pytest.raises(ValueError, match="values"):
        SegmentTracker(values=0)
