"""Wire contracts: every message that streamal reads or writes, and the adapters to them.

May import pydantic, orjson and msgspec; nothing of streamal but itself and `streamal.errors`.
"""

from streamal.events.decoded import (
    AnyModel,
    AnyObject,
    AnyOutput,
    DecodedModel,
    DecodedObject,
    DecodedOutput,
    DecodedPrediction,
    decoded,
)
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
    "AnyModel",
    "AnyObject",
    "AnyOutput",
    "ClassQuality",
    "ComparedLoss",
    "ComparedQuality",
    "DataSummary",
    "DeadLetter",
    "DecodedModel",
    "DecodedObject",
    "DecodedOutput",
    "DecodedPrediction",
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
    "decoded",
]
