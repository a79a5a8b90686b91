"""Mean absolute error from selectively labelled events: the estimators of accuracy, in a unit.

Losses are divided by a power of two well above the largest one so far, which grows with them; then
they are outcomes in [0, 1]. How large a loss can be that was not drawn is judged by those that
were; a known bound ends the intervals. The interval for one window is that of skewed weighted sums;
the one over all windows is an asymptotic confidence sequence, which needs no bound, only losses
with a finite moment beyond the second. A single review that is far larger than all before it moves
both, as it must.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from streamal.core.estimation.loss_scale import LabelledLosses, LossScale, LossTotals
from streamal.core.estimation.measurement import Measurement, interval_of, report
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import Estimate, Interval, Responses, Target
from streamal.core.types import JsonState

__all__ = ["LabelledLosses", "LossTotals", "LossTracker"]


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
        self._tracker = AccuracyTracker(
            level=level, least_propensity=least_propensity, target=target
        )
        self._scale = LossScale(bound)

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
        factor = self._scale.make_room([totals], [items])
        if factor != 1.0:
            self._tracker.rescale(factor)
        self._tracker.assumed_level = self._scale.assumed_share  # before this window is looked at
        outcomes, sums = self._scale.outcomes(items), self._scale.sums(totals)
        self._tracker.outcome_size = self._scale.typical_share
        return self._in_unit(self._tracker.take(sums, outcomes, responses))

    def overall(self) -> Estimate:
        """Mean loss over all closed windows, its interval for one look at a time fixed before.

        Watching it and stopping when it looks right voids that: use `anytime` for it.
        """
        return self._in_unit(self._tracker.pooled)

    def anytime(self) -> Estimate:
        """Mean loss over all closed windows, its interval valid at all times together.

        From 0 to the bound, or to infinity without one, before there are labels enough.
        """
        return self._scale.anytime(self._tracker.anytime())

    @property
    def typical(self) -> float:
        """See `LossScale.typical`."""
        return self._scale.typical

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; a few hundred bytes."""
        return {"tracker": self._tracker.state(), **self._scale.state()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._tracker.restore(cast(JsonState, state["tracker"]))
        self._scale.restore(state)
        self._tracker.outcome_size = self._scale.typical_share

    def _in_unit(self, measured: Measurement) -> Estimate:
        """A report of sums; what was not drawn might have been as large as losses count."""
        level = self._tracker.level
        if not measured.labelled or not measured.events:
            anything = Interval(0.0, self._scale.most, level)
            return replace(report(measured, level), interval=anything)
        interval = interval_of(measured, level, outcome_size=self._scale.typical_share)
        return self._scale.trusted(self._scale.in_unit(report(measured, level, interval)))
