"""Mean absolute error from selectively labelled events: the estimators of accuracy, in a unit.

Losses are divided by a power of two well above the largest one so far, which grows with them; then
they are outcomes in [0, 1]. How large a loss can be that was not drawn is judged by those that
were; a known bound ends the intervals. The interval for one window is that of skewed weighted sums;
the one over all windows is an asymptotic confidence sequence, which needs no bound, only losses
with a finite moment beyond the second. A single review that is far larger than all before it moves
both, as it must.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np

from streamal.core.estimation.intervals import skewed_interval
from streamal.core.estimation.measurement import Measurement, report
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import (
    Estimate,
    Interval,
    LabelledItems,
    Responses,
    Target,
    WindowTotals,
)
from streamal.core.types import JsonState

__all__ = ["LabelledLosses", "LossTotals", "LossTracker"]

#: The unit lies at least this far above the largest loss, so that intervals fit under it.
_HEADROOM: Final = 4.0
_FEW_LABELS: Final = 30
_FEW_OUTCOMES: Final = 5.0


@dataclass(frozen=True, slots=True)
class LossTotals:
    """Sums over all reachable events of one window.

    Attributes:
        events: accepted events that had a chance to be routed.
        sum_expected_loss: sum of g, the predicted loss of each event; 0 when nothing predicts it.
    """

    events: int
    sum_expected_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelledLosses:
    """The routed items of one window that a human has answered; sequences of one length.

    Attributes:
        loss: |prediction - truth|, >= 0.
        expected_loss: g >= 0, computed before the truth was known; 0 where nothing predicted it.
        propensity: P(routed) in (0, 1], as recorded in the decision.
        stratum: name of the response stratum of each item.
    """

    loss: Sequence[float]
    expected_loss: Sequence[float]
    propensity: Sequence[float]
    stratum: Sequence[str] = ()


class LossTracker:
    """Follows one model's mean absolute error through closed, matured windows; O(1) memory.

    Args:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
        bound: the largest loss that is possible, > 0; None when nobody knows.
        target: which truth the intervals are meant to cover.
    """

    def __init__(
        self,
        *,
        level: float = 0.95,
        least_propensity: float | None = None,
        bound: float | None = None,
        target: Target = Target.REALISED,
    ) -> None:
        self.bound = bound
        self._tracker = AccuracyTracker(
            level=level, least_propensity=least_propensity, target=target
        )
        self._unit = 0.0
        #: Weighted sums over the labelled items of the losses' squares and cubes, in the unit.
        self._squares = self._cubes = 0.0

    def close(
        self, totals: LossTotals | None, items: LabelledLosses, responses: Responses
    ) -> Estimate:
        """Take in the next window in time order, once its label horizon has passed.

        Args:
            totals: sums over all reachable events of the window; None when they are not known.
            items: its labelled items.
            responses: matured and answered reviews by stratum; empty when all were answered.

        Returns:
            The mean loss in this window in the losses' own unit, with an interval for this window.

        Raises:
            ValueError: more labelled items than events, or a loss that is negative or not finite.
        """
        self._make_room(totals, items)
        loss = np.asarray(items.loss, dtype=np.float64) / self._unit
        weight = 1.0 / np.asarray(items.propensity, dtype=np.float64)
        self._squares += float(np.sum(weight * loss**2))
        self._cubes += float(np.sum(weight * loss**3))
        scaled = LabelledItems.of(
            loss,
            np.asarray(items.expected_loss, dtype=np.float64) / self._unit,
            items.propensity,
            tuple(items.stratum),
        )
        sums = None
        if totals is not None:
            sums = WindowTotals(totals.events, totals.sum_expected_loss / self._unit)
        self._tracker.outcome_size = self._typical
        return self._in_unit(self._tracker.take(sums, scaled, responses))

    def overall(self) -> Estimate:
        """Mean loss over all closed windows, its interval for one look at a time fixed before.

        Watching it and stopping when it looks right voids that: use `anytime` for it.
        """
        return self._in_unit(self._tracker.pooled)

    def anytime(self) -> Estimate:
        """Mean loss over all closed windows, its interval valid at all times together.

        From 0 to the bound, or to infinity without one, before there are labels enough.
        """
        scaled = self._tracker.anytime()
        unknown = scaled.interval.low <= 0.0 and scaled.interval.high >= 1.0
        if unknown or not self._unit:
            return replace(self._times_unit(scaled), interval=self._anything)
        return self._trusted(self._times_unit(scaled), scaled.effective_labels)

    @property
    def typical(self) -> float:
        """Of what size the losses are that the variance is made of, in their own unit; >= 0."""
        return self._typical * self._unit

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; a few hundred bytes."""
        return {
            "tracker": self._tracker.state(),
            "unit": self._unit,
            "squares": self._squares,
            "cubes": self._cubes,
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._tracker.restore(cast(JsonState, state["tracker"]))
        self._unit = float(cast(float, state["unit"]))
        self._squares = float(cast(float, state["squares"]))
        self._cubes = float(cast(float, state["cubes"]))
        self._tracker.outcome_size = self._typical

    def _make_room(self, totals: LossTotals | None, items: LabelledLosses) -> None:
        """Have a unit that nothing in this window exceeds."""
        largest = max([*items.loss, *items.expected_loss], default=0.0)
        smallest = min([*items.loss, *items.expected_loss], default=0.0)
        if totals is not None and totals.events:
            largest = max(largest, totals.sum_expected_loss / totals.events)
        if not 0.0 <= smallest <= largest < math.inf:
            found = f"{smallest} and {largest}"
            raise ValueError(f"losses must be finite and at least 0; found {found}")
        if self._unit and largest <= self._unit:
            return
        grown = 2.0 ** math.ceil(math.log2(_HEADROOM * largest)) if largest else 1.0
        if self._unit:
            factor = self._unit / grown
            self._tracker.rescale(factor)
            self._squares *= factor**2
            self._cubes *= factor**3
        self._unit = grown

    def _in_unit(self, measured: Measurement) -> Estimate:
        """A report of sums; what was not drawn might have been as large as losses count."""
        if not measured.labelled or not measured.events:
            return replace(report(measured, self._tracker.level), interval=self._anything)
        mean = measured.mean_predicted
        larger = max(0.0, self._typical - mean)
        interval = skewed_interval(
            measured.cumulants,
            measured.unseen_low / measured.events,
            measured.unseen / measured.events**2 * larger,
            self._tracker.level,
        )
        estimate = report(measured, self._tracker.level, interval)
        return self._trusted(self._times_unit(estimate), measured.effective_labels)

    @property
    def _anything(self) -> Interval:
        return Interval(0.0, self._most, self._tracker.level)

    @property
    def _most(self) -> float:
        return math.inf if self.bound is None else self.bound

    @property
    def _typical(self) -> float:
        """Of what size the losses are that the variance is made of, in the unit.

        The size of every error for the outcomes of accuracy, and three times the mean for
        exponentially distributed losses: a window that happened to draw no such loss reports too
        little of both, mean and variance.
        """
        return self._cubes / self._squares if self._squares else 0.0

    def _trusted(self, estimate: Estimate, effective_labels: float) -> Estimate:
        """With a verdict of its own: enough labels, as many as make up the sum of losses."""
        typical = self.typical
        rarer = effective_labels * estimate.value / typical if typical else 0.0
        enough = estimate.labelled >= _FEW_LABELS and rarer >= _FEW_OUTCOMES
        return replace(estimate, reliable=enough)

    def _times_unit(self, estimate: Estimate) -> Estimate:
        """In the losses' own unit, and within the bound."""
        unit, interval = self._unit, estimate.interval
        high = min(self._most, interval.high * unit)
        return replace(
            estimate,
            value=min(estimate.value * unit, self._most),
            interval=Interval(min(high, interval.low * unit), high, interval.level),
            raw=estimate.raw * unit,
            standard_error=estimate.standard_error * unit,
            naive=estimate.naive * unit,
        )
