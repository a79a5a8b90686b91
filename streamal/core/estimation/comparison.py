"""Which of two parts of the traffic is better: a canary's versions, or any two segments."""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamal.core.estimation.intervals import difference, sequence_score
from streamal.core.estimation.measurement import Measurement, interval_of, report
from streamal.core.estimation.values import Estimate, Interval

__all__ = ["Comparison", "Difference"]

#: Labels on either side before the confidence sequence fixes its scale and begins.
_WARM_UP_LABELS = 50
#: Events of the compared kind at which the sequence should be tightest: a canary is judged early.
_TIGHTEST_AT = 10_000.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Accuracy of one part of the traffic minus that of another.

    Attributes:
        value: in [-1, 1]; NaN before both have a label.
        fixed: interval for one look at a time that was fixed before.
        anytime: interval that holds at all times together; [-1, 1] before 50 labels of either.
        candidate: the first part's accuracy over the compared windows.
        reference: the second part's.
    """

    value: float
    fixed: Interval
    anytime: Interval
    candidate: Estimate
    reference: Estimate

    @property
    def is_worse(self) -> bool:
        """Whether the first part is surely worse, however often this was looked at."""
        return self.anytime.high < 0


class Comparison:
    """Compares two parts of the traffic window by window, so that time favours neither; O(1).

    A candidate that came yesterday is not compared with what the reference did last year: only
    windows where both served count. Each is weighted by n·m / (n + m), with n and m the events of
    the two: the overlap weights of Li, Morgan, Zaslavsky (2018), which give the difference the
    least variance when outcomes are equally noisy, and no weight to a window that only one served.
    So a ramp-up (1 % today, half of the traffic tomorrow) is no bias either.

    The intervals are for the accuracy that either *has* (`Target.EXPECTED`), not only for the one
    it happened to show on these events; measurements must be for that target.

    Args:
        level: coverage of the intervals, in (0, 1).
    """

    def __init__(self, level: float = 0.95) -> None:
        self._level = level
        self._candidate = Measurement()
        self._reference = Measurement()
        self._tightest_variance = 0.0
        #: How large an outcome is taken to be that was not drawn, in [0, 1].
        self.outcome_size = 1.0

    def rescale(self, factor: float) -> None:
        """Go on in another unit of the outcomes, see `AccuracyTracker.rescale`."""
        self._candidate = self._candidate.in_unit(factor)
        self._reference = self._reference.in_unit(factor)
        self._tightest_variance *= factor**2

    def close(self, candidate: Measurement, reference: Measurement) -> None:
        """Take in the next window in time order, as measured for either part."""
        both = candidate.events + reference.events
        if not candidate.events or not reference.events:
            return
        self._candidate = self._candidate.plus(candidate.scaled(reference.events / both))
        self._reference = self._reference.plus(reference.scaled(candidate.events / both))
        if not self._tightest_variance and self._labels >= _WARM_UP_LABELS:
            self._tightest_variance = self._variance * _TIGHTEST_AT / self._candidate.events

    def difference(self) -> Difference:
        """What the windows so far say."""
        candidate = report(self._candidate, self._level)
        reference = report(self._reference, self._level)
        if not candidate.labelled or not reference.labelled:
            nothing = Interval(-1.0, 1.0, self._level)
            return Difference(math.nan, nothing, nothing, candidate, reference)
        value = candidate.value - reference.value
        fixed = difference(candidate.value, candidate.interval, reference.value, reference.interval)
        return Difference(
            value,
            _clipped(fixed),
            self._anytime(),
            candidate,
            reference,
        )

    def _anytime(self) -> Interval:
        if not self._tightest_variance:
            return Interval(-1.0, 1.0, self._level)
        score = sequence_score(self._variance, self._tightest_variance, self._level)
        candidate, reference = (
            interval_of(side, self._level, outcome_size=self.outcome_size, score=score)
            for side in (self._candidate, self._reference)
        )
        first, second = self._candidate.cumulants.mean, self._reference.cumulants.mean
        return _clipped(difference(first, candidate, second, reference))

    @property
    def _labels(self) -> int:
        return min(self._candidate.labelled, self._reference.labelled)

    @property
    def _variance(self) -> float:
        """Of the weighted sum of differences; either side with one unseen outcome."""
        return sum(
            side.variance_with_unseen(self.outcome_size)
            for side in (self._candidate, self._reference)
        )


def _clipped(interval: Interval) -> Interval:
    return Interval(max(-1.0, interval.low), min(1.0, interval.high), interval.level)
