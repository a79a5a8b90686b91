"""What a detector of concept drift sees of a window, and the one interface that all implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from streamal.core.types import JsonState, JsonValue

__all__ = [
    "Change",
    "Detector",
    "Evidence",
    "Subject",
    "as_float",
    "as_list",
    "as_state",
    "within_unit",
]


class Subject(StrEnum):
    """What a detector's evidence is about."""

    RISK = "risk"
    OVERCONFIDENCE = "overconfidence"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one closed, matured window says about production's risk, P(production is wrong).

    The sums are AIPW pseudo-outcomes: unbiased whatever the gate routed. A gate that changes its
    mind changes `variance`, not the mean of `errors`.

    Attributes:
        events: reachable events that the window speaks for, >= 0.
        errors: estimated number of wrong predictions among them; may leave [0, events]. For
            `Subject.OVERCONFIDENCE` the sum of confidence less correctness.
        variance: of `errors`, the luck of the events themselves included.
        effective_labels: how many labels drawn uniformly its labelled items amount to (Kish), >= 0.
        uniform_errors: for each labelled item of the uniform arm, in event-time order, whether
            production was wrong. An item is on that arm when its draw fell below the exploration
            floor, which every item has the same chance to do, whatever its score was.
    """

    events: float
    errors: float
    variance: float
    effective_labels: float
    uniform_errors: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a detector has found.

    Attributes:
        before: risk before the change, estimated, in [0, 1]; overconfidence in [-1, 1].
        after: the same after it.
        statistic: what the detector compared with its threshold.
        threshold: see `Detector`; None where the detector has no single one.
        is_harmful: whether production became worse.
    """

    before: float
    after: float
    statistic: float
    threshold: float | None
    is_harmful: bool


class Detector(ABC):
    """Follows production's risk through closed windows, in time order.

    The same windows give the same changes; memory is bounded; the state is JSON, so that a new
    leader goes on where the last one stopped.
    """

    #: Registered name.
    name: ClassVar[str]
    #: What the evidence has to be about.
    subject: ClassVar[Subject] = Subject.RISK

    @abstractmethod
    def close(self, evidence: Evidence) -> Change | None:
        """Take in the next window; the change that it shows, None when there is none to be seen."""

    @abstractmethod
    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; bounded in size."""

    @abstractmethod
    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""


def as_float(value: JsonValue) -> float:
    """A number of a state; 0 when it is none."""
    return float(value) if isinstance(value, (int, float)) else 0.0


def as_list(value: JsonValue) -> list[JsonValue]:
    """A list of a state; empty when it is none."""
    return value if isinstance(value, list) else []


def as_state(value: JsonValue) -> JsonState:
    """A part of a state; empty when it is none."""
    return value if isinstance(value, dict) else {}


def within_unit(risk: float) -> float:
    """An unbiased estimate of a risk as people expect to see it, in [0, 1]."""
    return min(1.0, max(0.0, risk))
