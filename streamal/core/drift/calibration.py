"""Whether production's confidence still means what it meant: one class per file."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, ClassVar

from streamal.core.drift.base import Change, Detector, Evidence, as_state
from streamal.core.drift.evidence_sums import Residuals
from streamal.core.parameters import Range
from streamal.core.types import JsonState

__all__ = ["CalibrationShift"]


class CalibrationShift(Detector):
    """Compares how much too confident production is with how much it was.

    Its evidence is not errors but confidence less correctness, summed over all events: 0 for a
    calibrated production, and positive for one that promises too much. A model may stay as accurate
    as it was and still promise more than it keeps, or lose accuracy and say so.

    Args:
        false_alarm_rate: chance of an alarm per value while nothing changes, in (0, 0.2].
        tolerance: change of the mean gap that is still fine, in [0, 0.5].
        labels_per_value: effective labels that make one value.

    References:
        Calibration in the large: Dawid, A. P. (1982). The well-calibrated Bayesian. JASA 77 (379),
        605-610.
    """

    name: ClassVar[str] = "calibration"

    def __init__(
        self,
        false_alarm_rate: Annotated[float, Range(0, 0.2, open_low=True)] = 0.0001,
        tolerance: Annotated[float, Range(0, 0.5)] = 0.05,
        labels_per_value: Annotated[int, Range(10, 10_000)] = 50,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.tolerance = tolerance
        self.labels_per_value = labels_per_value
        self._threshold = NormalDist().inv_cdf(1 - false_alarm_rate / 2)
        self._residuals = Residuals(labels_per_value)

    def close(self, evidence: Evidence) -> Change | None:
        """See `Detector.close`; `before` and `after` are mean gaps in [-1, 1]."""
        residual = self._residuals.add(evidence)
        if residual is None:
            return None
        if abs(residual.score) <= self._threshold or abs(residual.distance) <= self.tolerance:
            return None
        self._residuals.restart()
        return Change(
            before=residual.before,
            after=residual.after,
            statistic=residual.score,
            threshold=self._threshold,
            is_harmful=residual.distance > 0,
        )

    def state(self) -> JsonState:
        """See `Detector.state`."""
        return {"residuals": self._residuals.state()}

    def restore(self, state: JsonState) -> None:
        """See `Detector.restore`."""
        self._residuals.restore(as_state(state.get("residuals")))
