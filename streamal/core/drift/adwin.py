"""ADWIN: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, ClassVar

from streamal.core.drift.river_detector import LabelsPerValue, PseudoOutcomeDetector, RiverDetector
from streamal.core.parameters import Range

__all__ = ["Adwin"]

_NORMAL = NormalDist()


class Adwin(PseudoOutcomeDetector):
    """Looks for the cut that splits the recent past into two parts of different mean.

    Fed with the normal probability of each standardised pseudo-outcome, which is uniform in [0, 1]
    while nothing changes: ADWIN's bound is for values in [0, 1].

    Args:
        delta: chance of a false cut, as ADWIN bounds it, in (0, 0.5].
        labels_per_value: effective labels that make one value.

    References:
        Bifet, A., and Gavalda, R. (2007). Learning from time-changing data with adaptive windowing.
        SIAM International Conference on Data Mining, 443-448. As implemented by River.
    """

    name: ClassVar[str] = "adwin"

    def __init__(
        self,
        delta: Annotated[float, Range(0, 0.5, open_low=True)] = 0.05,
        labels_per_value: LabelsPerValue = 30,
    ) -> None:
        self.delta = delta
        super().__init__(labels_per_value)

    def river(self) -> RiverDetector:
        """A fresh one that looks after every value."""
        from river.drift import ADWIN  # noqa: PLC0415 - brings SciPy

        fresh: RiverDetector = ADWIN(delta=self.delta, clock=1)
        return fresh

    def scaled(self, score: float) -> float:
        """The score's probability integral transform."""
        return _NORMAL.cdf(score)

    def evidence_of(self, river: RiverDetector) -> tuple[float, float | None]:
        """How far the mean after the cut lies from 1/2, where it is under no change."""
        mean = float(getattr(river, "estimation", 0.5))
        return mean - 0.5, None
