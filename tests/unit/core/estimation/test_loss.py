"""Mean absolute error from selected labels: bias, coverage, units, bounds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from streamal.core.estimation import Estimate, Response, Target
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker

FLOOR = 0.02


def window(
    tracker: LossTracker, rng: Generator, events: int = 2000, unit: float = 1.0
) -> tuple[Estimate, float]:
    """One window of exponential losses that g knows something about; the gate likes large ones."""
    g = rng.gamma(2.0, 1.0, events)
    loss = g * rng.exponential(1.0, events)
    propensity = np.clip(0.05 * g, FLOOR, 1.0)
    drawn = rng.random(events) < propensity
    estimate = tracker.close(
        LossTotals(events, unit * float(g.sum())),
        LabelledLosses(
            (unit * loss[drawn]).tolist(), (unit * g[drawn]).tolist(), propensity[drawn].tolist()
        ),
        {},
    )
    return estimate, unit * float(loss.mean())


def test_windows_are_covered_and_unbiased() -> None:
    rng = default_rng(5)
    covered, errors, naive = 0, [], []
    for _ in range(40):
        tracker = LossTracker(least_propensity=FLOOR)
        for _ in range(10):
            estimate, truth = window(tracker, rng)
            covered += estimate.interval.covers(truth)
            errors.append(estimate.raw - truth)
            naive.append(estimate.naive - truth)
    assert 0.93 <= covered / 400 <= 0.995
    assert abs(np.mean(errors)) < 3 * np.std(errors) / 20
    assert np.mean(naive) > 0.5, "the plain mean is far off"


def test_the_running_interval_holds_at_all_times_together() -> None:
    rng = default_rng(6)
    left = 0
    for _ in range(40):
        tracker, truths, inside = LossTracker(least_propensity=FLOOR), [], True
        for _ in range(25):
            _, truth = window(tracker, rng, events=800)
            truths.append(truth)
            inside &= tracker.anytime().interval.covers(float(np.mean(truths)))
        left += not inside
    assert left <= 4


@pytest.mark.parametrize("unit", [1e-6, 1024.0, 1e9])
def test_a_unit_changes_nothing_else(unit: float) -> None:
    plain, scaled = LossTracker(least_propensity=FLOOR), LossTracker(least_propensity=FLOOR)
    for seed in range(4):
        one, _ = window(plain, default_rng(seed))
        other, _ = window(scaled, default_rng(seed), unit=unit)
        # The unit is a power of two above the losses, so priors differ a little in proportion.
        assert other.value == pytest.approx(unit * one.value, rel=0.03)
    assert scaled.anytime().value == pytest.approx(unit * plain.anytime().value, rel=0.03)


def test_everything_labelled_is_no_estimate_any_more() -> None:
    tracker = LossTracker()
    losses = [0.5, 2.0, 0.0, 1.5] * 30
    items = LabelledLosses(losses, [1.0] * 120, [1.0] * 120)
    estimate = tracker.close(LossTotals(120, 120.0), items, {"": Response(120, 120)})
    assert estimate.value == pytest.approx(1.0)
    assert estimate.interval.half_width == pytest.approx(0.0, abs=1e-9)


def test_a_larger_loss_than_ever_goes_on_in_a_larger_unit() -> None:
    def run(*maxima: float) -> tuple[float, float]:
        tracker = LossTracker(least_propensity=0.5)
        for largest in maxima:
            losses = [1.0] * 50 + [largest]
            items = LabelledLosses(losses, [1.0] * 51, [0.5] * 51)
            tracker.close(LossTotals(102, 102.0), items, {})
        estimate = tracker.anytime()
        return estimate.value, estimate.interval.high

    value, high = run(1.0, 1.0, 1000.0)
    assert value == pytest.approx((6 * 51 + 2 * 999) / (3 * 102), rel=0.05)
    assert high > value
    assert math.isfinite(run(1.0, 1e90, 1.0)[0])


def test_without_labels_nothing_is_known() -> None:
    for bound in (None, 50.0):
        tracker = LossTracker(bound=bound)
        for estimate in (
            tracker.anytime(),
            tracker.close(LossTotals(100, 0.0), LabelledLosses([], [], []), {}),
        ):
            assert math.isnan(estimate.value)
            assert (estimate.interval.low, estimate.interval.high) == (0.0, bound or math.inf)
            assert not estimate.reliable


def test_a_bound_ends_the_intervals() -> None:
    tracker = LossTracker(bound=3.0, least_propensity=0.01)
    items = LabelledLosses([3.0, 3.0, 2.9], [0.0] * 3, [0.01] * 3)
    estimate = tracker.close(LossTotals(400), items, {})
    assert estimate.interval.high == 3.0
    assert tracker.anytime().interval.high == 3.0


def test_few_labels_are_not_reliable_and_many_are() -> None:
    rng = default_rng(2)
    few, _ = window(LossTracker(least_propensity=FLOOR), rng, events=50)
    many, _ = window(LossTracker(least_propensity=FLOOR), rng, events=5000)
    assert not few.reliable
    assert many.reliable


def test_missing_answers_are_made_up_for() -> None:
    rng = default_rng(3)
    tracker, errors = LossTracker(), []
    for _ in range(200):
        loss = rng.exponential(2.0, 400)
        drawn = rng.random(400) < 0.5
        answered = drawn & (rng.random(400) < 0.6)
        count = int(answered.sum())
        estimate = tracker.close(
            LossTotals(400),
            LabelledLosses(loss[answered].tolist(), [0.0] * count, [0.5] * count, [""] * count),
            {"": Response(int(drawn.sum()), count)},
        )
        errors.append(estimate.raw - loss.mean())
    assert abs(np.mean(errors)) < 0.05


@pytest.mark.parametrize("loss", [-1.0, math.nan, math.inf])
def test_what_is_no_loss_is_refused(loss: float) -> None:
    with pytest.raises(ValueError, match="losses must be finite"):
        LossTracker().close(LossTotals(9), LabelledLosses([loss, 1.0], [0.0] * 2, [0.5] * 2), {})


def test_no_error_at_all() -> None:
    tracker = LossTracker(least_propensity=0.1)
    items = LabelledLosses([0.0] * 60, [0.0] * 60, [0.5] * 60)
    estimate = tracker.close(LossTotals(120), items, {})
    assert estimate.value == pytest.approx(0.0, abs=0.2)
    assert tracker.anytime().interval.low == 0.0


def test_a_state_travels_as_json_and_goes_on_as_if_nothing_had_happened() -> None:
    whole, parts = LossTracker(least_propensity=FLOOR), json.dumps(None)
    one, other = default_rng(8), default_rng(8)
    for number in range(12):
        unit = 1.0 if number < 6 else 1e6
        tracker = LossTracker(least_propensity=FLOOR)
        if number:
            tracker.restore(json.loads(parts))
        expected, _ = window(whole, one, 500, unit)
        assert window(tracker, other, 500, unit)[0] == expected
        assert (tracker.anytime(), tracker.typical) == (whole.anytime(), whole.typical)
        parts = json.dumps(tracker.state())


def test_a_mean_that_is_to_be_compared_allows_for_the_luck_of_the_events() -> None:
    rng = default_rng(4)
    loss = rng.exponential(2.0, 400)
    items = LabelledLosses(loss.tolist(), [0.0] * 400, [1.0] * 400)
    known = LossTracker().close(LossTotals(400), items, {})
    drawn = LossTracker(target=Target.EXPECTED).close(LossTotals(400), items, {})
    assert known.standard_error == 0.0
    assert drawn.standard_error == pytest.approx(loss.std() / 20)


def test_the_typical_loss_is_in_the_unit_of_losses() -> None:
    rng = default_rng(4)
    tracker = LossTracker()
    assert tracker.typical == 0.0
    loss = 1e5 * rng.exponential(1.0, 40_000)
    tracker.close(
        LossTotals(40_000), LabelledLosses(loss.tolist(), [0.0] * 40_000, [1.0] * 40_000), {}
    )
    assert tracker.typical == pytest.approx(3e5, rel=0.05), "E l^3 / E l^2 = 6 / 2"


@pytest.mark.parametrize("bound", [None, 40.0])
def test_an_upper_end_that_is_not_known_is_the_bound(bound: float | None) -> None:
    """Two of sixty labels stand for nearly all events: nobody knows, not even at most."""
    tracker = LossTracker(least_propensity=0.0005, bound=bound)
    losses, propensities = [1.0] * 58 + [0.0, 6.0], [1.0] * 58 + [0.0005] * 2
    tracker.close(LossTotals(2000), LabelledLosses(losses, [0.0] * 60, propensities), {})
    found = tracker.anytime()
    assert (found.interval.low, found.interval.high) == (0.0, bound or math.inf)
    assert not found.reliable


def test_the_first_predictions_are_not_trusted_before_labels_have_spoken_of_them() -> None:
    """A model of five labels may expect anything; the past, of no model, says nothing about it."""
    errors = []
    for expected in (0.0, 10.0):
        rng, tracker = default_rng(4), LossTracker(least_propensity=0.05)
        for g in (0.0, expected):
            loss, noise = rng.exponential(2.0, 1000), rng.random(1000)
            drawn = rng.random(1000) < 0.05
            guess = g * noise
            items = LabelledLosses(
                loss[drawn].tolist(), guess[drawn].tolist(), [0.05] * int(drawn.sum())
            )
            estimate = tracker.close(LossTotals(1000, float(guess.sum())), items, {})
            errors.append(estimate.standard_error)
    assert errors[3] == pytest.approx(errors[1], rel=0.01)
