"""Whether accuracy has changed: each window against the windows since the last change.

Windows carry unbiased estimates with intervals, so a gate that changes its mind about what to
route widens or narrows them but moves nothing; only production's accuracy does.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamal.core.estimation.intervals import difference
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import (
    Interval,
    LabelledItems,
    Responses,
    Target,
    WindowTotals,
)

__all__ = ["AccuracyShift", "Shift"]


#: With fewer labels on either side no interval is worth an alarm; the window joins the reference.
_FEWEST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of accuracy that chance does not explain.

    Attributes:
        before: accuracy over the windows since the last change, in [0, 1].
        after: accuracy in the window that differs, in [0, 1].
        change: interval for after minus before; 0 lies outside.
    """

    before: float
    after: float
    change: Interval

    @property
    def is_harmful(self) -> bool:
        """Whether accuracy fell."""
        return self.after < self.before


class AccuracyShift:
    """Compares each window's accuracy with that of the windows since the last alarm.

    Args:
        false_alarm_rate: chance of an alarm per window while nothing changes, in (0, 1). At the
            default, an hourly window raises one false alarm in six weeks.
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
    """

    def __init__(
        self, *, false_alarm_rate: float = 0.001, least_propensity: float | None = None
    ) -> None:
        self._level = 1 - false_alarm_rate
        self._least_propensity = least_propensity
        self._reference = self._tracker()

    def close(
        self, totals: WindowTotals | None, items: LabelledItems, responses: Responses
    ) -> Shift | None:
        """Take in the next window in time order, see `AccuracyTracker.close`.

        Returns:
            The change that this window shows; None when there is none to be seen. After a change
            the window is the new reference.
        """
        before = self._reference.overall()
        after = self._reference.close(totals, items, responses)
        if min(before.labelled, after.labelled) < _FEWEST_LABELS:
            return None
        change = difference(after.value, after.interval, before.value, before.interval)
        if change.low <= 0 <= change.high:
            return None
        self._reference = self._tracker()
        self._reference.close(totals, items, responses)
        return Shift(before.value, after.value, change)

    def _tracker(self) -> AccuracyTracker:
        return AccuracyTracker(
            level=self._level, least_propensity=self._least_propensity, target=Target.EXPECTED
        )
