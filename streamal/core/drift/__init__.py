"""Telling real drift from the gate's own choices: in production's errors, and in its data.

Concept drift is looked for in AIPW pseudo-outcomes or on the uniform arm, never in routed errors,
which change whenever the gate does. Data drift needs no labels: every gate counts what it sees in
bins on which all agree. River's detectors are wrapped here. Pure: no clocks, no I/O.
"""

from streamal.core.drift.base import Change, Detector, Evidence, Subject
from streamal.core.drift.calibration import CalibrationShift
from streamal.core.drift.data import DataDrift, DataDriftOptions, Measured, VariableShift
from streamal.core.drift.harmful_error import HarmfulError
from streamal.core.drift.harmful_risk import HarmfulRisk
from streamal.core.drift.registry import DETECTORS, build_detector
from streamal.core.drift.table import FEATURE, Summary, Table

__all__ = [
    "DETECTORS",
    "FEATURE",
    "CalibrationShift",
    "Change",
    "DataDrift",
    "DataDriftOptions",
    "Detector",
    "Evidence",
    "HarmfulError",
    "HarmfulRisk",
    "Measured",
    "Subject",
    "Summary",
    "Table",
    "VariableShift",
    "build_detector",
]
