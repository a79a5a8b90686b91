"""KSWIN: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, ClassVar

from streamal.core.drift.river_detector import LabelsPerValue, PseudoOutcomeDetector, RiverDetector
from streamal.core.parameters import Range
from streamal.errors import SettingsInvalid

__all__ = ["Kswin"]

_NORMAL = NormalDist()


class Kswin(PseudoOutcomeDetector):
    """Compares the distribution of the latest values with that of the values before them.

    It would take any change of spread for a drift; standardised pseudo-outcomes have the same
    spread whatever the gate routes.

    Args:
        alpha: significance of each Kolmogorov-Smirnov test, in (0, 0.5].
        window_size: values that are remembered.
        stat_size: latest values that are compared with a sample of as many before; less than half
            of `window_size`.
        labels_per_value: effective labels that make one value.

    References:
        Raab, C., Heusinger, M., and Schleif, F.-M. (2020). Reactive soft prototype computing for
        concept drift streams. Neurocomputing 416, 340-351. As implemented by River.
    """

    name: ClassVar[str] = "kswin"

    def __init__(
        self,
        alpha: Annotated[float, Range(0, 0.5, open_low=True)] = 0.0005,
        window_size: Annotated[int, Range(20, 500)] = 60,
        stat_size: Annotated[int, Range(5, 200)] = 20,
        labels_per_value: LabelsPerValue = 30,
    ) -> None:
        if 2 * stat_size > window_size:
            raise SettingsInvalid(
                f"drift.detector_parameters.kswin.stat_size: {stat_size} is not allowed; at most "
                f"half of window_size ({window_size})"
            )
        self.alpha = alpha
        self.window_size = window_size
        self.stat_size = stat_size
        super().__init__(labels_per_value)

    def river(self) -> RiverDetector:
        """A fresh one; its sampling is seeded, so that the same windows give the same changes."""
        from river.drift import KSWIN  # noqa: PLC0415 - brings SciPy

        fresh: RiverDetector = KSWIN(
            alpha=self.alpha, window_size=self.window_size, stat_size=self.stat_size, seed=0
        )
        return fresh

    def scaled(self, score: float) -> float:
        """The score's probability integral transform; ranks are all that matters here."""
        return _NORMAL.cdf(score)

    def evidence_of(self, river: RiverDetector) -> tuple[float, float | None]:
        """The p-value, and the significance."""
        return float(getattr(river, "p_value", 0.0)), self.alpha
