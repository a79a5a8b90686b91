"""What is said about a metric, and the labels that it may carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from streamal.core.types import Reason

__all__ = [
    "BOTH",
    "CONSOLE",
    "EVERY",
    "GATE",
    "LABELS",
    "LABEL_STUDIO",
    "ROUTING_REASONS",
    "TRAINER",
    "Kind",
    "MetricSpec",
]


class Kind(StrEnum):
    """Prometheus' metric types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


GATE: Final = "gate"
TRAINER: Final = "trainer"
CONSOLE: Final = "console"
LABEL_STUDIO: Final = "label-studio"
BOTH: Final = (GATE, TRAINER)
EVERY: Final = (*BOTH, CONSOLE, LABEL_STUDIO)

#: Why an event is routed, as review requests name it.
ROUTING_REASONS: Final = tuple(reason.value for reason in Reason)

#: Every label with what bounds the number of its values.
LABELS: Final[Mapping[str, str]] = {
    "annotator": "an annotator, of at most labels.annotator_series",
    "class": "the most frequent classes, at most estimation.classes",
    "action": "budget, exploration or trust",
    "detector": "a registered drift detector, accuracy_shift or data_drift",
    "error": "class of a retriable error; three of them",
    "harmful": "true or false",
    "kind": "which number of an estimate: estimate, low, high or naive",
    "outcome": "a fixed set per metric",
    "partition": "a partition assigned to this process; its series end with the assignment",
    "reason": "a fixed set per metric, or the fixed reasons of dead letters",
    "reference": "one of the values of its segment",
    "role": "a role of this process",
    "segment": "a key of estimation.segments",
    "share": "0.5 or 0.9",
    "topic": "one of the configured topics",
    "variable": "at most drift.data.max_features features, and four of predictions",
    "value": "the most frequent values of a segment, at most estimation.segment_values, and other",
}


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric.

    Attributes:
        attribute: its name on `Metrics`.
        name: its name in Prometheus.
        kind: its type.
        meaning: what it says, in one sentence.
        action: what an operator does with it.
        roles: which roles export it.
        labels: names from `LABELS`.
        known: values of labels that are known beforehand. A counter whose labels are all known
            starts at 0, so that its first increment is seen by `rate()`.
        unit: base unit, and the end of the name (before `_total`); empty for plain counts.
        buckets: upper bounds of a histogram, ascending, in `unit`.
        initial: value of a gauge without labels until it is set; NaN is "not known yet" and keeps
            alerts that compare it quiet.
    """

    attribute: str
    name: str
    kind: Kind
    meaning: str
    action: str
    roles: tuple[str, ...]
    labels: tuple[str, ...] = ()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str = ""
    buckets: tuple[float, ...] = ()
    initial: float = math.nan

    @property
    def help(self) -> str:
        """Text of the HELP line."""
        return f"{self.meaning} {self.action}"
