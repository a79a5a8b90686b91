"""Whether production's confidence still means what it meant: one class per file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from streamal.core.drift.base import Subject
from streamal.core.drift.page_hinkley import PageHinkley
from streamal.core.drift.river_detector import LabelsPerValue
from streamal.core.parameters import Range

__all__ = ["CalibrationShift"]


class CalibrationShift(PageHinkley):
    """Compares how much too confident production is with how much it was.

    Its evidence is not errors but confidence less correctness over all events: 0 for a calibrated
    production, positive for one that promises too much. A model may stay as accurate as it was and
    promise more than it keeps, or lose accuracy and say so. The test is that of `page_hinkley`.

    Args:
        delta: deviation per value that is forgiven, in standard deviations.
        threshold: sum of deviations that is an alarm, in standard deviations.
        mode: `up` looks for growing overconfidence, `down` for the opposite, `both` for either.
        labels_per_value: effective labels that make one value.

    References:
        Calibration in the large: Dawid, A. P. (1982). The well-calibrated Bayesian. JASA 77 (379),
        605-610.
    """

    name: ClassVar[str] = "calibration"
    subjects: ClassVar[frozenset[Subject]] = frozenset({Subject.OVERCONFIDENCE})

    def __init__(
        self,
        delta: Annotated[float, Range(0, 5)] = 0.5,
        threshold: Annotated[float, Range(0, 1000, open_low=True)] = 7.0,
        mode: Literal["up", "down", "both"] = "both",
        labels_per_value: LabelsPerValue = 30,
    ) -> None:
        super().__init__(delta, threshold, mode, labels_per_value)
