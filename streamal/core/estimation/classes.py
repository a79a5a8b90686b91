"""Precision and recall of every class, without bias, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamal.core.estimation.segments import Cell
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import Estimate, Interval

__all__ = ["ClassEstimate", "ClassTracker", "ratio_interval"]

#: Labelled items of a class below which nothing is said about its recall.
_FEW_LABELS = 5
#: And from which its interval can be trusted: the customary floor for a central limit.
_ENOUGH_LABELS = 30
#: Halvings of [0, 1]: to a millionth.
_HALVINGS = 20


@dataclass(frozen=True, slots=True)
class ClassEstimate:
    """One class of production.

    Attributes:
        precision: P(right | production chose the class), over all windows.
        recall: P(production chose the class | it is the true one); NaN with fewer than five
            labelled items of the class.
        recall_interval: in [0, 1]; all of it while `recall` is NaN.
        predicted: events for which production chose the class.
        actual: estimated number of events whose true class it is.
        labelled: labelled items whose true class it is.
        is_reliable: whether labels suffice for the level of `recall_interval` to hold.
    """

    precision: Estimate
    recall: float
    recall_interval: Interval
    predicted: int
    actual: float
    labelled: int
    is_reliable: bool


class ClassTracker:
    """Follows one class through closed, matured windows; O(1) memory.

    Production's class is known for every event, the true one only for the labelled. So precision
    is an accuracy over the events where production chose the class, whose number is known. Recall
    is a ratio, hits / (hits + misses), whose parts come from separate events: hits from those where
    production chose the class, misses from all others. Each is estimated by AIPW; being drawn
    independently, their intervals combine (`ratio_interval`).

    Args:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
    """

    def __init__(self, *, level: float = 0.95, least_propensity: float | None = None) -> None:
        self._level = level
        self._hits = AccuracyTracker(level=level, least_propensity=least_propensity)
        self._misses = AccuracyTracker(level=level, least_propensity=least_propensity)
        self._labelled = 0

    def close(self, chosen: Cell, others: Cell) -> None:
        """Take in the next window in time order.

        Args:
            chosen: events where production chose the class; c is 1 where it is the true one.
            others: all other events; c is 1 where the class is the true one, that is, where
                production missed it.
        """
        for tracker, cell in ((self._hits, chosen), (self._misses, others)):
            if cell.totals is None or cell.totals.events:
                tracker.take(cell.totals, cell.items, cell.responses)
            self._labelled += int(cell.items.correct.sum())

    def estimate(self) -> ClassEstimate:
        """What all windows say; intervals hold for one look at a time fixed before."""
        precision = self._hits.overall()
        hits, misses = _Count.of(precision), _Count.of(self._misses.overall())
        actual = hits.value + misses.value
        known = self._labelled >= _FEW_LABELS and actual > 0
        return ClassEstimate(
            precision=precision,
            recall=hits.value / actual if known else math.nan,
            recall_interval=ratio_interval(hits, misses, self._level)
            if known
            else Interval(0.0, 1.0, self._level),
            predicted=precision.events,
            actual=actual,
            labelled=self._labelled,
            is_reliable=self._labelled >= _ENOUGH_LABELS and precision.labelled > 0,
        )


@dataclass(frozen=True, slots=True)
class _Count:
    """A number of events with its limits; 0 <= low <= value <= high."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, share: Estimate) -> _Count:
        """The number that an estimated share of the events amounts to."""
        if not share.events:
            return cls(0.0, 0.0, 0.0)
        value = 0.0 if math.isnan(share.value) else share.value
        return cls(
            share.events * value,
            share.events * min(share.interval.low, value),
            share.events * max(share.interval.high, value),
        )


def ratio_interval(hits: _Count, misses: _Count, level: float) -> Interval:
    """Interval for hits / (hits + misses), of independent counts with intervals at `level`.

    All ratios r for which hits · (1 - r) - misses · r may be zero, its variance recovered from the
    limits of either count (MOVER: Donner and Zou, "Closed-form confidence intervals for functions
    of the normal mean and standard deviation", 2012). Unlike the delta method it keeps skewness,
    stays within [0, 1] and does not collapse when no miss, or no hit, was seen.
    """

    def too_low(r: float) -> bool:
        gap = hits.value * (1 - r) - misses.value * r
        return gap > math.hypot((1 - r) * (hits.value - hits.low), r * (misses.high - misses.value))

    def too_high(r: float) -> bool:
        gap = misses.value * r - hits.value * (1 - r)
        return gap > math.hypot((1 - r) * (hits.high - hits.value), r * (misses.value - misses.low))

    low, high = (0.0, 1.0), (0.0, 1.0)
    for _ in range(_HALVINGS):
        at = sum(low) / 2
        low = (at, low[1]) if too_low(at) else (low[0], at)
        at = sum(high) / 2
        high = (high[0], at) if too_high(at) else (at, high[1])
    return Interval(low[0], high[1], level)
