from __future__ import annotations

import numpy as np
import pytest

from streamal.core.estimation import Interval, difference
from streamal.core.estimation.intervals import Cumulants, sequence_score, skewed_interval

Z = 1.959964


def poisson(count: int) -> Cumulants:
    """A count of equally weighted rare outcomes: all its cumulants are the count."""
    return Cumulants(count, count, count)


def test_a_symmetric_estimate_gets_the_normal_interval() -> None:
    interval = skewed_interval(Cumulants(0.9, 0.0004, 0.0), 0.0, 0.0, 0.95)
    assert interval.low == pytest.approx(0.9 - Z * 0.02)
    assert interval.high == pytest.approx(0.9 + Z * 0.02)


def test_skewness_vanishes_as_rare_outcomes_accumulate() -> None:
    interval = skewed_interval(poisson(10_000), 0.0, 1.0, 0.95)
    assert interval.low == pytest.approx(10_000 - Z * 100, abs=5)
    assert interval.high == pytest.approx(10_000 + Z * 100, abs=5)


# Exact limits for a Poisson mean (Garwood 1936) bracket the mid-p ones from outside.
@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.025, 5.572), (5, 1.623, 11.668)]
)
def test_counts_get_limits_inside_the_exact_ones(count: int, low: float, high: float) -> None:
    interval = skewed_interval(poisson(count), 0.0, 1.0, 0.95)
    assert low - 0.02 <= interval.low <= low + 0.4
    assert high - 1.3 <= interval.high <= high


def test_no_observed_error_does_not_mean_no_width() -> None:
    interval = skewed_interval(Cumulants(1.0, 0.0, 0.0), -0.1, 0.0, 0.95)
    assert interval.low < 0.8
    assert interval.high == 1.0


def test_mirrored_outcomes_get_the_mirrored_interval() -> None:
    right = skewed_interval(Cumulants(0.1, 0.01, 0.002), -0.01, 0.05, 0.9)
    left = skewed_interval(Cumulants(-0.1, 0.01, -0.002), -0.05, 0.01, 0.9)
    assert (left.low, left.high) == pytest.approx((-right.high, -right.low))


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
def test_a_higher_level_is_wider(level: float) -> None:
    narrow = skewed_interval(poisson(7), 0.0, 1.0, level)
    wide = skewed_interval(poisson(7), 0.0, 1.0, level + 0.005)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_brownian_path_stays_inside_the_sequence() -> None:
    # Exact for Brownian motion over all time: a discrete finite path leaves it less often.
    rng = np.random.default_rng(3)
    steps = 2_000
    paths = np.cumsum(rng.normal(size=(2_000, steps)), axis=1)
    variance = np.arange(1.0, steps + 1)
    radius = np.sqrt(variance) * [sequence_score(v, 200.0, 0.9) for v in variance.tolist()]
    left = np.mean(np.any(np.abs(paths) > radius, axis=1))
    assert 0.01 < left <= 0.1


def test_the_sequence_is_tightest_where_it_was_told_to_be() -> None:
    def relative(tightest: float) -> float:
        return sequence_score(1_000.0, tightest, 0.95)

    assert relative(1_000.0) < min(relative(100.0), relative(10_000.0))
    assert relative(1_000.0) < 3.2  # against 1.96 for one look


def test_the_difference_of_normal_intervals_adds_variances() -> None:
    first, second = Interval(0.87, 0.93, 0.95), Interval(0.76, 0.84, 0.95)
    gap = difference(0.9, first, 0.8, second)
    assert (gap.low, gap.high) == pytest.approx((0.05, 0.15))


def test_the_difference_keeps_the_longer_side() -> None:
    gap = difference(0.9, Interval(0.7, 0.92, 0.95), 0.8, Interval(0.79, 0.81, 0.95))
    assert 0.1 - gap.low > 5 * (gap.high - 0.1)


def test_levels_must_agree() -> None:
    with pytest.raises(ValueError, match="same level"):
        difference(0.9, Interval(0.8, 1.0, 0.9), 0.8, Interval(0.7, 0.9, 0.95))
