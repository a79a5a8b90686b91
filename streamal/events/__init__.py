"""Wire contracts: every message that streamal reads or writes, and the adapters to them.

May import pydantic and orjson; nothing of streamal but itself and `streamal.errors`.
"""

from streamal.events.drift import DriftEvent, DriftResponse
from streamal.events.label import LabelEvent
from streamal.events.prediction import (
    STANDS,
    DetectedObject,
    ModelRef,
    Output,
    Prediction,
    ProbabilityRules,
)
from streamal.events.quality import (
    ClassQuality,
    ComparedLoss,
    ComparedQuality,
    LossQuality,
    QualityReport,
    Reported,
    ReportedLoss,
    SegmentQuality,
)
from streamal.events.reject import DeadLetter
from streamal.events.review import Adjudication, ModelView, ReviewRequest, StrategyAdvice
from streamal.events.ruling import AnnotatorRuling
from streamal.events.snapshot import Heartbeat, SnapshotHeader
from streamal.events.window import DataSummary, SegmentStats, WindowStats

__all__ = [
    "STANDS",
    "Adjudication",
    "AnnotatorRuling",
    "ClassQuality",
    "ComparedLoss",
    "ComparedQuality",
    "DataSummary",
    "DeadLetter",
    "DetectedObject",
    "DriftEvent",
    "DriftResponse",
    "Heartbeat",
    "LabelEvent",
    "LossQuality",
    "ModelRef",
    "ModelView",
    "Output",
    "Prediction",
    "ProbabilityRules",
    "QualityReport",
    "Reported",
    "ReportedLoss",
    "ReviewRequest",
    "SegmentQuality",
    "SegmentStats",
    "SnapshotHeader",
    "StrategyAdvice",
    "WindowStats",
]
