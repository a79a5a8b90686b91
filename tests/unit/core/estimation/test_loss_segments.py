"""Mean absolute errors of segments, and canaries of regressions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from streamal.core.estimation import OTHER, Response
from streamal.core.estimation.loss import LossTracker
from streamal.core.estimation.loss_scale import LabelledLosses, LossTotals
from streamal.core.estimation.loss_segments import LossCell, LossSegmentTracker

FLOOR = 0.2


def cell(rng: Generator, events: int, mean: float, unit: float = 1.0) -> LossCell:
    """A window's part of exponential losses that g explains in part; large ones are liked."""
    g = mean * rng.gamma(2.0, 0.5, events)
    loss = g * rng.exponential(1.0, events)
    propensity = np.clip(FLOOR * g / mean, FLOOR / 2, 1.0)
    drawn = rng.random(events) < propensity
    items = LabelledLosses(
        (unit * loss[drawn]).tolist(), (unit * g[drawn]).tolist(), propensity[drawn].tolist()
    )
    count = len(items.loss)
    return LossCell(LossTotals(events, unit * float(g.sum())), items, {"": Response(count, count)})


def tracker(*, values: int = 10, bound: float | None = None) -> LossSegmentTracker:
    return LossSegmentTracker(least_propensity=FLOOR / 2, values=values, bound=bound)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_each_segment_has_its_own_error_in_any_unit(unit: float) -> None:
    rng, found = default_rng(1), tracker()
    for _ in range(12):
        found.close({"good": cell(rng, 600, 2.0, unit), "bad": cell(rng, 600, 8.0, unit)})
    estimates = found.estimates()
    assert list(estimates) == ["bad", "good"]
    for name, truth in (("good", 2.0), ("bad", 8.0)):
        interval = estimates[name].interval
        assert interval.low < truth * unit < interval.high
        assert interval.half_width < truth * unit / 2
        assert estimates[name].events == 7_200
        assert estimates[name].reliable


@pytest.mark.parametrize("expected", [0.0, 1.0])
def test_a_segment_that_is_all_has_the_error_of_all(expected: float) -> None:
    rng, found, whole = default_rng(3), tracker(), LossTracker(least_propensity=FLOOR)
    for _ in range(30):
        loss = rng.exponential(1.0, 10)
        drawn = loss[rng.random(10) < FLOOR].tolist()
        losses = LabelledLosses(drawn, [expected] * len(drawn), [FLOOR] * len(drawn))
        found.close({"all": LossCell(LossTotals(10, 10 * expected), losses, {})})
        whole.close(LossTotals(10, 10 * expected), losses, {})
    assert found.estimates()["all"].value == whole.overall().value


def test_a_version_that_is_further_off_is_told_from_the_one_that_serves_most() -> None:
    rng, found = default_rng(2), tracker()
    for _ in range(12):
        found.close({"v1": cell(rng, 2_000, 4.0), "v2": cell(rng, 500, 7.0)})
    assert found.reference == "v1"
    (difference,) = found.differences().values()
    assert difference.is_worse
    assert 0.0 < difference.anytime.low < 3.0 < difference.anytime.high
    assert difference.value == pytest.approx(3.0, abs=1.0)
    assert difference.candidate.reliable


def test_times_that_were_easier_for_both_are_no_difference() -> None:
    rng, found = default_rng(3), tracker()
    for _ in range(20):
        found.close({"v1": cell(rng, 1_000, 1.0)})
    for share in (50, 200, 500, 500, 500):
        found.close({"v1": cell(rng, 1_000 - share, 9.0), "v2": cell(rng, share, 9.0)})
    (difference,) = found.differences().values()
    assert not difference.is_worse
    assert abs(difference.value) < 2.0


def test_a_loss_far_larger_than_all_before_changes_the_unit_and_nothing_else() -> None:
    def run(late: float) -> LossSegmentTracker:
        rng, found = default_rng(4), tracker()
        for _ in range(8):
            found.close({"v1": cell(rng, 800, 4.0), "v2": cell(rng, 800, 4.0)})
        loss = LabelledLosses([late], [0.0], [1.0])
        found.close({"rare": LossCell(LossTotals(1), loss, {})})
        return found

    # Powers of two are exact, so what was known of the others stays what it was.
    small, large = run(1.0).estimates(), run(2.0**40).estimates()
    for name in ("v1", "v2"):
        assert large[name].value == pytest.approx(small[name].value, rel=1e-9)
        assert large[name].interval.low <= small[name].interval.low
    assert run(1.0).differences()["v2"].value == pytest.approx(
        run(2.0**40).differences()["v2"].value, rel=1e-9
    )


def test_few_labels_claim_nothing() -> None:
    rng, found = default_rng(5), tracker(bound=50.0)
    found.close({"v1": cell(rng, 500, 4.0), "v2": cell(rng, 40, 9.0)})
    (difference,) = found.differences().values()
    assert (difference.anytime.low, difference.anytime.high) == (-math.inf, math.inf)
    assert not difference.is_worse
    assert found.estimates()["v2"].interval.high == 50.0


def test_the_difference_is_covered_at_all_times() -> None:
    rng, held = default_rng(6), 0
    for _ in range(100):
        found, always = tracker(), True
        for share in (0.05, 0.1, 0.3, 0.5, 0.5):
            size, base = int(2_000 * share), rng.uniform(2.0, 8.0)
            found.close({"v1": cell(rng, 2_000 - size, base), "v2": cell(rng, size, base + 1.0)})
            for difference in found.differences().values():
                always &= difference.anytime.covers(1.0)
        held += always
    assert held >= 95


def test_more_values_than_may_be_told_apart_are_one() -> None:
    rng, found = default_rng(7), tracker(values=2)
    found.close({f"v{n}": cell(rng, 100 * (n + 1), 4.0) for n in range(4)})
    assert set(found.estimates()) == {OTHER, "v2", "v3"}
