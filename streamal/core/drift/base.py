"""What a detector of concept drift sees of a window, and the one interface that all implement."""

from __future__ import annotations

import math
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
]


class Subject(StrEnum):
    """What evidence is about, and so what a mean over events is.

    `RISK` is P(production is wrong), in [0, 1]; in a regression, P(off by more than the tolerance).
    `OVERCONFIDENCE` is confidence less correctness, in [-1, 1]. `ABSOLUTE_ERROR` is a regression's
    |prediction - truth| in the truth's unit, >= 0.
    """

    RISK = "risk"
    OVERCONFIDENCE = "overconfidence"
    ABSOLUTE_ERROR = "absolute_error"

    def shown(self, mean: float) -> float:
        """An unbiased estimate of the mean as people expect to see it: within its range.

        >>> Subject.RISK.shown(-0.01), Subject.ABSOLUTE_ERROR.shown(12.5)
        (0.0, 12.5)
        """
        least = -1.0 if self is Subject.OVERCONFIDENCE else 0.0
        most = math.inf if self is Subject.ABSOLUTE_ERROR else 1.0
        return min(most, max(least, mean))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one closed, matured window says about a subject, such as P(production is wrong).

    The sums are AIPW pseudo-outcomes: unbiased whatever the gate routed. A gate that changes its
    mind changes `variance`, not the mean of `errors`.

    Attributes:
        events: reachable events that the window speaks for, >= 0.
        errors: estimated sum of the subject over them. For `Subject.RISK` the number of wrong
            predictions; may leave [0, events].
        variance: of `errors`, the luck of the events themselves included.
        effective_labels: how many labels drawn uniformly its labelled items amount to (Kish), >= 0.
        uniform_errors: for each labelled item of the uniform arm, in event-time order, whether
            production was wrong. An item is on that arm when its draw fell below the exploration
            floor, which every item has the same chance to do, whatever its score was. Only for
            `Subject.RISK`.
        error_size: how much of `errors` a single one is that matters, >= 0: 1 where they are
            counted; where they are measured, of what size those are that `variance` comes from.
    """

    events: float
    errors: float
    variance: float
    effective_labels: float
    uniform_errors: tuple[bool, ...] = ()
    error_size: float = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a detector has found.

    Attributes:
        before: mean of the subject before the change, estimated without bias: chance may push it
            out of its range, see `Subject.shown`.
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
    """Follows one subject through closed windows, in time order.

    The same windows give the same changes; memory is bounded; the state is JSON, so that a new
    leader goes on where the last one stopped.
    """

    #: Registered name.
    name: ClassVar[str]
    #: What the evidence may be about; one detector follows one of them.
    subjects: ClassVar[frozenset[Subject]] = frozenset({Subject.RISK})

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
