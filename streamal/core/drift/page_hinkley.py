"""Page-Hinkley: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from streamal.core.drift.river_detector import LabelsPerValue, PseudoOutcomeDetector, RiverDetector
from streamal.core.parameters import Range

__all__ = ["PageHinkley"]


class PageHinkley(PseudoOutcomeDetector):
    """Adds up how far the standardised pseudo-outcomes lie above (or below) their mean.

    The defaults find a lasting change of one standard deviation within some ten values, and raise
    a false alarm once in some thousands.

    Args:
        delta: deviation per value that is forgiven, in standard deviations.
        threshold: sum of deviations that is an alarm, in standard deviations.
        mode: `up` looks for a rising risk, `down` for a falling one, `both` for either.
        labels_per_value: effective labels that make one value.

    References:
        Page, E. S. (1954). Continuous inspection schemes. Biometrika 41 (1/2), 100-115. As
        implemented by River.
    """

    name: ClassVar[str] = "page_hinkley"

    def __init__(
        self,
        delta: Annotated[float, Range(0, 5)] = 0.5,
        threshold: Annotated[float, Range(0, 1000, open_low=True)] = 7.0,
        mode: Literal["up", "down", "both"] = "both",
        labels_per_value: LabelsPerValue = 30,
    ) -> None:
        self.delta = delta
        self.threshold = threshold
        self.mode = mode
        super().__init__(labels_per_value)

    def river(self) -> RiverDetector:
        """A fresh one; River's forgetting factor is for values that are not standardised."""
        from river.drift import PageHinkley as RiverPageHinkley  # noqa: PLC0415 - brings SciPy

        fresh: RiverDetector = RiverPageHinkley(
            min_instances=5, delta=self.delta, threshold=self.threshold, alpha=1.0, mode=self.mode
        )
        return fresh

    def scaled(self, score: float) -> float:
        """The score itself."""
        return score

    def evidence_of(self, river: RiverDetector) -> tuple[float, float | None]:
        """The larger of the two sums, and what it was compared with."""
        sums = vars(river)
        up = float(sums["_sum_increase"]) - float(sums["_min_increase"])
        down = float(sums["_max_decrease"]) - float(sums["_sum_decrease"])
        return {"up": up, "down": down, "both": max(up, down)}[self.mode], self.threshold
