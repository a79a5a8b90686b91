"""HDDM_W: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.drift.river_detector import RiverDetector, UniformArmDetector
from streamal.core.parameters import Range

__all__ = ["HddmW"]


class HddmW(UniformArmDetector):
    """Compares weighted averages of the uniform arm's errors by McDiarmid's bound; gradual drift.

    Args:
        confidence: significance of each comparison, in (0, 0.5].
        decay: weight of the newest error in the moving average, in (0, 1].
        two_sided: whether a falling error rate is an alarm too.

    References:
        Frias-Blanco, I., et al. (2015). Online and non-parametric drift detection methods based on
        Hoeffding's bounds. IEEE TKDE 27 (3), 810-823. As implemented by River.
    """

    name: ClassVar[str] = "hddm_w"

    def __init__(
        self,
        confidence: Annotated[float, Range(0, 0.5, open_low=True)] = 0.001,
        decay: Annotated[float, Range(0, 1, open_low=True)] = 0.05,
        two_sided: bool = False,
    ) -> None:
        self.confidence = confidence
        self.decay = decay
        self.two_sided = two_sided
        super().__init__()

    def river(self) -> RiverDetector:
        """See `UniformArmDetector.river`."""
        from river.drift.binary import HDDMW  # noqa: PLC0415 - brings SciPy

        fresh: RiverDetector = HDDMW(
            drift_confidence=self.confidence,
            warning_confidence=self.confidence,
            lambda_val=self.decay,
            two_sided_test=self.two_sided,
        )
        return fresh
