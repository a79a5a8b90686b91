"""Mean absolute error by segment, and one segment's minus another's: a canary of a regression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from streamal.core.estimation.loss_scale import LabelledLosses, LossScale, LossTotals
from streamal.core.estimation.segments import Cell, SegmentTracker
from streamal.core.estimation.values import Estimate, Interval, Responses

__all__ = ["LossCell", "LossDifference", "LossSegmentTracker"]


@dataclass(frozen=True, slots=True)
class LossCell:
    """One value's part of a window; see `LossTracker.close`.

    Attributes:
        totals: sums over its reachable events; None when they are not known.
        items: its labelled items.
        responses: its matured and answered reviews by stratum.
    """

    totals: LossTotals | None
    items: LabelledLosses
    responses: Responses


@dataclass(frozen=True, slots=True)
class LossDifference:
    """Mean absolute error of one part of the traffic minus that of another.

    Attributes:
        value: in the losses' own unit; NaN before both have a label.
        anytime: interval that holds at all times together; without ends before 50 labels of either.
        candidate: the first part's error over the compared windows.
        reference: the second part's.
    """

    value: float
    anytime: Interval
    candidate: Estimate
    reference: Estimate

    @property
    def is_worse(self) -> bool:
        """Whether the first part is surely further off, however often this was looked at."""
        return self.anytime.low > 0


class LossSegmentTracker:
    """Follows one key, such as the model version, as `SegmentTracker` does, with losses.

    All values share a unit, so that they can be compared.

    Args:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
        values: most values that are followed at a time, `other` besides; > 0.
        bound: the largest loss that is possible, > 0; None when nobody knows.
    """

    def __init__(
        self,
        *,
        level: float = 0.95,
        least_propensity: float | None = None,
        values: int = 10,
        bound: float | None = None,
    ) -> None:
        self._tracker = SegmentTracker(
            level=level, least_propensity=least_propensity, values=values
        )
        self._scale = LossScale(bound)

    def close(self, cells: Mapping[str, LossCell]) -> None:
        """Take in the next window in time order: a cell for each value with an event in it.

        Raises:
            ValueError: more labelled items than events, or a loss that is negative or not finite.
        """
        parts = cells.values()
        factor = self._scale.make_room(
            [each.totals for each in parts], [each.items for each in parts]
        )
        assumed = self._scale.assumed_share  # before this window is looked at
        scaled = {
            name: Cell(
                self._scale.sums(each.totals), self._scale.outcomes(each.items), each.responses
            )
            for name, each in sorted(cells.items())
        }
        self._tracker.measure_outcomes(self._scale.typical_share, assumed, factor)
        self._tracker.close(scaled)

    @property
    def reference(self) -> str | None:
        """The value that the others are compared with; None before the first window."""
        return self._tracker.reference

    def estimates(self) -> dict[str, Estimate]:
        """Mean loss of each value over all windows, with intervals valid at all times together."""
        found = self._tracker.estimates()
        return {name: self._scale.anytime(estimate) for name, estimate in found.items()}

    def differences(self) -> dict[str, LossDifference]:
        """Mean loss of each value minus the reference's, over the windows where both served."""
        unit, found = self._scale.unit, {}
        for name, each in self._tracker.differences().items():
            interval = each.anytime
            known = interval.low > -1.0 and interval.high < 1.0
            ends = (interval.low * unit, interval.high * unit) if known else (-math.inf, math.inf)
            found[name] = LossDifference(
                value=each.value * unit,
                anytime=Interval(*ends, interval.level),
                candidate=self._scale.trusted(self._scale.in_unit(each.candidate)),
                reference=self._scale.trusted(self._scale.in_unit(each.reference)),
            )
        return found
