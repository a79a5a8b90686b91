"""One window's evidence as sums that add up over windows, and the report made from such sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from streamal.core.estimation.intervals import Cumulants, sequence_interval, skewed_interval
from streamal.core.estimation.values import Estimate, Interval, Method
from streamal.core.types import JsonState

__all__ = ["Measurement", "interval_of", "report"]

#: Labels below which no interval here is called reliable: the customary floor for a central limit.
_FEW_LABELS = 30
#: Expected outcomes of the rarer kind, in effective labels, below which none is. Expected by the
#: past, not seen: picking the windows where many errors were drawn would pick unlucky windows.
_FEW_OUTCOMES = 5.0
#: Weights that sum to less than this share of the events, or more than its inverse, say that a part
#: of the population was not drawn from.
_REPRESENTED = 0.5


@dataclass(frozen=True, slots=True)
class Measurement:
    """Sums over windows; `plus` pools two of them.

    Attributes:
        events: events spoken for (estimated from the weights when the totals are missing).
        total: Σz, the estimated number of correct predictions.
        predicted: Σm clipped to [0, events]: what the past expected `total` to be.
        variance: of `total`.
        third: third cumulant of `total`.
        unseen: events times the number that a typical undrawn one would have stood for.
        labelled: labelled items.
        correct: Σc over the labelled items.
        weight: Σw of their inverse inclusion probabilities.
        weight_squared: Σw².
        matured: reviews that matured.
        answered: of these, answered.
        slope: λ of the latest window that used a baseline.
        method: of the latest window.
    """

    events: float = 0.0
    total: float = 0.0
    predicted: float = 0.0
    variance: float = 0.0
    third: float = 0.0
    unseen: float = 0.0
    labelled: int = 0
    correct: float = 0.0
    weight: float = 0.0
    weight_squared: float = 0.0
    matured: float = 0
    answered: float = 0
    slope: float = 0.0
    method: Method = Method.NONE

    def plus(self, later: Measurement) -> Measurement:
        """Both windows' events together."""
        return Measurement(
            events=self.events + later.events,
            total=self.total + later.total,
            predicted=self.predicted + later.predicted,
            variance=self.variance + later.variance,
            third=self.third + later.third,
            unseen=self.unseen + later.unseen,
            labelled=self.labelled + later.labelled,
            correct=self.correct + later.correct,
            weight=self.weight + later.weight,
            weight_squared=self.weight_squared + later.weight_squared,
            matured=self.matured + later.matured,
            answered=self.answered + later.answered,
            slope=later.slope if later.method is Method.AIPW else self.slope,
            method=self.method if later.method is Method.NONE else later.method,
        )

    def scaled(self, factor: float) -> Measurement:
        """As if every event counted `factor` times, > 0; to weight windows."""
        return replace(
            self,
            events=self.events * factor,
            total=self.total * factor,
            predicted=self.predicted * factor,
            variance=self.variance * factor**2,
            third=self.third * factor**3,
            unseen=self.unseen * factor**2,
            weight=self.weight * factor,
            weight_squared=self.weight_squared * factor**2,
        )

    def in_unit(self, factor: float) -> Measurement:
        """With every outcome times `factor`, > 0."""
        return replace(
            self,
            total=self.total * factor,
            predicted=self.predicted * factor,
            variance=self.variance * factor**2,
            third=self.third * factor**3,
            correct=self.correct * factor,
        )

    def state(self) -> JsonState:
        """All that `of_state` needs, as JSON values."""
        return {**asdict(self), "method": self.method.value}

    @classmethod
    def of_state(cls, state: Mapping[str, object]) -> Measurement:
        """What `state` described."""
        values = {**state, "method": Method(str(state["method"]))}
        return cls(**cast(dict[str, Any], values))

    @property
    def effective_labels(self) -> float:
        """Kish's (Σw)²/Σw²."""
        return self.weight**2 / self.weight_squared if self.weight_squared else 0.0

    @property
    def cumulants(self) -> Cumulants:
        """Of the mean, total / events."""
        return Cumulants(
            self.total / self.events, self.variance / self.events**2, self.third / self.events**3
        )

    @property
    def mean_predicted(self) -> float:
        """What the past expected of the mean, in [0, 1]."""
        return self.predicted / self.events

    @property
    def unseen_low(self) -> float:
        """How far a typical undrawn item would have pushed `total` down, <= 0."""
        return -self.unseen / self.events * self.mean_predicted

    def unseen_high(self, outcome_size: float = 1.0) -> float:
        """How far one would have pushed it up, had its outcome been so large; >= 0."""
        return self.unseen / self.events * max(0.0, outcome_size - self.mean_predicted)

    def variance_with_unseen(self, outcome_size: float = 1.0) -> float:
        """Of `total`, with one unseen outcome, so that it is never zero by luck."""
        if not self.events:
            return self.variance
        unseen = max(-self.unseen_low, self.unseen_high(outcome_size))
        return self.variance + unseen**2

    @property
    def representative(self) -> bool:
        """Whether the labelled items stand for about as many events as there are."""
        return self.events * _REPRESENTED <= self.weight <= self.events / _REPRESENTED

    @property
    def reliable(self) -> bool:
        """Whether labels, and rare outcomes among them, suffice for an interval's level to hold."""
        predicted = self.mean_predicted
        rarer = self.effective_labels * min(predicted, 1 - predicted)
        return (
            self.labelled >= _FEW_LABELS
            and rarer >= _FEW_OUTCOMES
            and 0 < self.correct < self.labelled
            and self.representative
        )


def interval_of(
    measurement: Measurement,
    level: float,
    *,
    outcome_size: float = 1.0,
    score: float | None = None,
) -> Interval:
    """Interval for the mean, `total / events`; unclipped.

    Args:
        measurement: of one window or of several, with events.
        level: coverage in (0, 1).
        outcome_size: how large an outcome is taken to be that was not drawn, in [0, 1].
        score: of a confidence sequence, see `sequence_score`; None for one look.
    """
    cumulants, events = measurement.cumulants, measurement.events
    low, high = measurement.unseen_low / events, measurement.unseen_high(outcome_size) / events
    if score is None:
        return skewed_interval(cumulants, low, high, level)
    return sequence_interval(cumulants, low, high, level, score)


def report(measurement: Measurement, level: float, interval: Interval | None = None) -> Estimate:
    """What the sums say.

    Args:
        measurement: of one window or of several.
        level: coverage of the interval, in (0, 1).
        interval: used instead of the one that holds at a fixed time.
    """
    if not measurement.labelled or not measurement.events:
        return _nothing(measurement, level)
    cumulants = measurement.cumulants
    if interval is None:
        interval = interval_of(measurement, level)
    return Estimate(
        value=_clip(cumulants.mean),
        interval=Interval(_clip(interval.low), _clip(interval.high), level),
        raw=cumulants.mean,
        standard_error=math.sqrt(cumulants.variance),
        labelled=measurement.labelled,
        events=round(measurement.events),
        effective_labels=measurement.effective_labels,
        method=measurement.method,
        reliable=measurement.reliable,
        naive=measurement.correct / measurement.labelled,
        response_rate=_response_rate(measurement),
        lambda_=measurement.slope,
    )


def _nothing(measurement: Measurement, level: float) -> Estimate:
    return Estimate(
        value=math.nan,
        interval=Interval(0.0, 1.0, level),
        raw=math.nan,
        standard_error=math.nan,
        labelled=0,
        events=round(measurement.events),
        effective_labels=0.0,
        method=Method.NONE,
        reliable=False,
        naive=math.nan,
        response_rate=_response_rate(measurement),
        lambda_=0.0,
    )


def _response_rate(measurement: Measurement) -> float:
    return measurement.answered / measurement.matured if measurement.matured else 1.0


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
