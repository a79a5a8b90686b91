"""The detectors of concept drift, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streamal.core.drift.adwin import Adwin
from streamal.core.drift.base import Detector
from streamal.core.drift.calibration import CalibrationShift
from streamal.core.drift.ddm import Ddm
from streamal.core.drift.harmful_error import HarmfulError
from streamal.core.drift.harmful_risk import HarmfulRisk
from streamal.core.drift.hddm_a import HddmA
from streamal.core.drift.hddm_w import HddmW
from streamal.core.drift.kswin import Kswin
from streamal.core.drift.page_hinkley import PageHinkley
from streamal.core.parameters import construct
from streamal.core.types import JsonValue
from streamal.errors import SettingsInvalid

__all__ = ["DETECTORS", "build_detector"]

DETECTORS: Final[Mapping[str, type[Detector]]] = MappingProxyType(
    {
        cls.name: cls
        for cls in (
            Adwin,
            CalibrationShift,
            Ddm,
            HarmfulError,
            HarmfulRisk,
            HddmA,
            HddmW,
            Kswin,
            PageHinkley,
        )
    }
)


def build_detector(name: str, parameters: Mapping[str, JsonValue]) -> Detector:
    """The detector registered as `name`, from settings.

    Raises:
        SettingsInvalid: there is no such detector, or a parameter is unknown or out of its range.

    >>> build_detector("harmful_risk", {"tolerance": 0.05}).name
    'harmful_risk'
    """
    if name not in DETECTORS:
        allowed = ", ".join(sorted(DETECTORS))
        raise SettingsInvalid(f"drift.detectors: {name!r} is not a detector; one of {allowed}")
    return construct(DETECTORS[name], parameters, key=f"drift.detector_parameters.{name}")
