"""Every metric as data: what it counts, what it means, and what an operator does about it.

`Metrics` is built from this list, the reference page is generated from it, and tests hold both to
Prometheus' naming rules. Every series also carries the constant label `pipeline`.
"""

from typing import Final

from streamal.telemetry.catalogue.annotation import ANNOTATION_METRICS
from streamal.telemetry.catalogue.console import CONSOLE_METRICS
from streamal.telemetry.catalogue.gate import GATE_METRICS
from streamal.telemetry.catalogue.label_studio import LABEL_STUDIO_METRICS
from streamal.telemetry.catalogue.shared import SHARED_METRICS
from streamal.telemetry.catalogue.spec import (
    CONSOLE,
    GATE,
    LABEL_STUDIO,
    LABELS,
    TRAINER,
    Kind,
    MetricSpec,
)
from streamal.telemetry.catalogue.trainer import TRAINER_METRICS

__all__ = [
    "CATALOGUE",
    "CONSOLE",
    "GATE",
    "LABELS",
    "LABEL_STUDIO",
    "TRAINER",
    "Kind",
    "MetricSpec",
]

CATALOGUE: Final = (
    *GATE_METRICS,
    *TRAINER_METRICS,
    *ANNOTATION_METRICS,
    *LABEL_STUDIO_METRICS,
    *CONSOLE_METRICS,
    *SHARED_METRICS,
)
