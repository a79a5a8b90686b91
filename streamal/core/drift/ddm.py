"""DDM: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.drift.river_detector import RiverDetector, UniformArmDetector
from streamal.core.parameters import Range

__all__ = ["Ddm"]


class Ddm(UniformArmDetector):
    """Alarms when the error rate of the uniform arm lies standard deviations above its lowest.

    Args:
        threshold: standard deviations above the lowest error rate seen that are an alarm.
        warm_start: items before the first alarm.

    References:
        Gama, J., Medas, P., Castillo, G., and Rodrigues, P. (2004). Learning with drift detection.
        SBIA, LNCS 3171, 286-295. As implemented by River.
    """

    name: ClassVar[str] = "ddm"

    def __init__(
        self,
        threshold: Annotated[float, Range(1, 10)] = 3.0,
        warm_start: Annotated[int, Range(10, 500)] = 30,
    ) -> None:
        self.threshold = threshold
        self.warm_start = warm_start
        super().__init__()

    def river(self) -> RiverDetector:
        """See `UniformArmDetector.river`."""
        from river.drift.binary import DDM  # noqa: PLC0415 - brings SciPy

        fresh: RiverDetector = DDM(
            warm_start=self.warm_start,
            warning_threshold=self.threshold,
            drift_threshold=self.threshold,
        )
        return fresh
