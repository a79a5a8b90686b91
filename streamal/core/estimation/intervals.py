"""Intervals for weighted means: at one moment, and valid at every moment of a stream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from streamal.core.estimation.values import Interval

__all__ = ["Cumulants", "difference", "sequence_interval", "sequence_score", "skewed_interval"]

#: Weight of the outcome that was not seen but might have been. A whole one is the exact
#: (Clopper-Pearson, Fay-Feuer) bound and covers too often; half of one is the mid-p bound.
_UNSEEN = 0.5
#: Below these a float's own rounding is larger; also keeps powers of them above underflow.
_NO_VARIANCE = 1e-40
_NO_SKEWNESS = 1e-6


@dataclass(frozen=True, slots=True)
class Cumulants:
    """Mean, variance and third cumulant of an estimate: its value, spread and lopsidedness.

    Attributes:
        variance: >= 0.
        third: third cumulant, signed as the estimate is.
    """

    mean: float
    variance: float
    third: float

    @property
    def effective_count(self) -> float:
        """How many observations of the rarer, heavier outcome the spread comes from.

        variance³ / third²: for k equally weighted rare outcomes exactly k; infinite when symmetric.
        """
        if self.variance < _NO_VARIANCE:
            return math.inf
        skewness = self.third / self.variance**1.5
        return 1 / skewness**2 if abs(skewness) > _NO_SKEWNESS else math.inf

    def plus(self, outcome: float) -> Cumulants:
        """With `_UNSEEN` times one more outcome that moves the mean by `outcome`."""
        return Cumulants(
            self.mean + _UNSEEN * outcome,
            self.variance + _UNSEEN * outcome**2,
            self.third + _UNSEEN * outcome**3,
        )


def skewed_interval(
    estimate: Cumulants,
    unseen_low: float,
    unseen_high: float,
    level: float,
    score: float | None = None,
) -> Interval:
    """Interval for a mean of heavy-tailed weighted outcomes; unclipped.

    A normal interval collapses when no error was drawn, and covers far too seldom while few were:
    with weights of 1/propensity a handful of labels carries the estimate. This one is the quantile
    of a shifted gamma distribution with the estimate's three cumulants, widened on either side by
    half of the heaviest outcome that might have been drawn and was not. It is the mid-p gamma
    interval for weighted Poisson sums (Fay and Feuer 1997; Fay and Kim 2017) carried over to signed
    outcomes, and becomes the normal interval as labels accumulate.

    Args:
        estimate: mean, variance and third cumulant.
        unseen_low: how far one unseen outcome would have pushed the mean down, <= 0.
        unseen_high: how far one would have pushed it up, >= 0.
        level: coverage in (0, 1).
        score: normal score of the ends, > 0; by default that of `level` at one look.
    """
    z = NormalDist().inv_cdf((1 + level) / 2) if score is None else score
    return Interval(
        _quantile(estimate.plus(unseen_low), -z), _quantile(estimate.plus(unseen_high), z), level
    )


def sequence_interval(
    estimate: Cumulants, unseen_low: float, unseen_high: float, level: float, score: float
) -> Interval:
    """One look at a confidence sequence; unclipped.

    As far out as `skewed_interval` on the side of the heavy outcomes, of which few were drawn, and
    at least `score` standard deviations on both. The other end of a skewed distribution is not to
    be trusted so far out: a gamma has no outcome beyond a point that is itself estimated.

    Args:
        estimate: mean, variance and third cumulant.
        unseen_low: how far one unseen outcome would have pushed the mean down, <= 0.
        unseen_high: how far one would have pushed it up, >= 0.
        level: P(the truth stays inside at *every* time), in (0, 1).
        score: from `sequence_score`.
    """
    skewed = skewed_interval(estimate, unseen_low, unseen_high, level, score)
    unseen = max(-unseen_low, unseen_high)
    radius = score * math.sqrt(estimate.variance + unseen**2)
    return Interval(
        min(skewed.low, estimate.mean - radius), max(skewed.high, estimate.mean + radius), level
    )


def _quantile(cumulants: Cumulants, z: float) -> float:
    """Quantile at normal score `z` of the shifted gamma with these cumulants.

    Wilson and Hilferty's (1931) cube approximates the gamma quantile; at the 95 % level its upper
    end is within 3 % even for half an observation, where the lower end is 0 as it should be.
    """
    spread = math.sqrt(cumulants.variance)
    if not spread:
        return cumulants.mean
    shape = cumulants.effective_count
    if math.isinf(shape):
        return cumulants.mean + z * spread
    sign = math.copysign(1.0, cumulants.third)
    cube = max(0.0, 1 - 1 / (9 * shape) + sign * z / (3 * math.sqrt(shape))) ** 3
    return cumulants.mean + sign * spread * math.sqrt(shape) * (cube - 1)


def sequence_score(variance: float, tightest_variance: float, level: float) -> float:
    """Radius of an asymptotic confidence sequence for a sum, in its standard deviations.

    Uniform over all times. It is made for normal sums; `sequence_interval` is what makes it hold
    before sums are normal.

    Args:
        variance: estimated variance of the sum so far, > 0.
        tightest_variance: the variance at which the sequence should be tightest, > 0, fixed once.
        level: P(the sum stays within its radius at *every* time), in (0, 1).

    Returns:
        Greater than the normal score of `level`; infinite for no variance.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52(6), 2024: Robbins' normal mixture
    under a martingale strong approximation, with the closed-form choice of its parameter.
    """
    alpha = 1 - level
    log_alpha = -2 * math.log(alpha)
    rho_squared = (log_alpha + math.log(log_alpha + 1)) / tightest_variance
    scaled = variance * rho_squared
    if not scaled:
        return math.inf
    return math.sqrt((1 + 1 / scaled) * (math.log1p(scaled) + log_alpha))


def difference(
    first: float, first_interval: Interval, second: float, second_interval: Interval
) -> Interval:
    """Interval for `first` minus `second`, estimated on *different* events (a canary's two arms).

    Recovers the variances from the two intervals (MOVER, Zou and Donner 2008), so that skewness on
    either side is kept. Both intervals need the same level and the target `expected`.

    Raises:
        ValueError: the levels differ.
    """
    if first_interval.level != second_interval.level:
        raise ValueError("both intervals need the same level")
    gap = first - second
    return Interval(
        gap - math.hypot(first - first_interval.low, second_interval.high - second),
        gap + math.hypot(first_interval.high - first, second - second_interval.low),
        first_interval.level,
    )
