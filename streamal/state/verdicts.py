"""What label records amount to: the values that the pending view hands to the trainer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from streamal.core.annotation import Answer as GivenAnswer
from streamal.errors import Reject
from streamal.events import AnnotatorRuling, LabelEvent, Output, ReviewRequest
from streamal.events.base import FeatureMap
from streamal.ports import Record

__all__ = [
    "Answer",
    "Dispute",
    "Effect",
    "Lesson",
    "Quarantine",
    "Registered",
    "Rejected",
    "Verdict",
]


class Verdict(StrEnum):
    """What a label record amounts to; also the `outcome` of the labels metric.

    The table in `docs/how-to/build-a-review-tool.md` says when each is given.
    """

    LEARNED = "learned"
    UNSOLICITED = "unsolicited"
    VOTE = "vote"
    SETTLED = "settled"
    DISPUTED = "disputed"
    ADJUDICATED = "adjudicated"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"
    CONTRADICTORY = "contradictory"
    HELD = "held"
    GOLD = "gold"
    RULING = "ruling"
    UNSURE = "unsure"
    SKIP = "skip"
    LATE = "late"
    UNKNOWN = "unknown"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the model learns at a record. At most one lesson of an event, ever.

    Attributes:
        event_id: identity of the event.
        answer: the class, or the number of a regression.
        features: as decided on, or as unsolicited feedback says.
        prediction: production's, from the same place; None when feedback carries none.
        review: the request that was answered; None for unsolicited feedback.
    """

    event_id: str
    answer: GivenAnswer
    features: FeatureMap
    prediction: Output | None
    review: ReviewRequest | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """Votes that do not carry an answer; a lead is to be asked.

    Attributes:
        review: the request that was answered.
        asked_at: log time of the vote that showed it.
        answers: annotator to their answer.
    """

    review: ReviewRequest
    asked_at: datetime
    answers: dict[str, GivenAnswer]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An annotator whose answers are held from this record on.

    Attributes:
        annotator: who.
        since: log time.
        agreement: mean agreement over the comparisons, in [0, 1].
        compared: number of comparisons.
    """

    annotator: str
    since: datetime
    agreement: float
    compared: int


Effect: TypeAlias = Lesson | Dispute | Quarantine


@dataclass(frozen=True, slots=True)
class Answer:
    """One label record and what it amounts to.

    Attributes:
        record: as it lies on the topic.
        content: what it says.
        verdict: the same for this record however often it is asked.
        effects: what follows from it, in order; the same however often it is asked.
    """

    record: Record
    content: LabelEvent | AnnotatorRuling
    verdict: Verdict
    effects: tuple[Effect, ...] = ()

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """What the model learns here."""
        return tuple(effect for effect in self.effects if isinstance(effect, Lesson))

    @property
    def latencies_seconds(self) -> tuple[tuple[str, float], ...]:
        """Event id, and time from decision to verdict by the log's clock, of each review learned.

        Seconds, >= 0.
        """
        answered_at = self.record.timestamp_ms / 1000
        return tuple(
            (lesson.event_id, max(0.0, answered_at - lesson.review.decided_at.timestamp()))
            for lesson in self.lessons
            if lesson.review is not None
        )


class Rejected(NamedTuple):
    """A record that could not be read or learned, and why."""

    record: Record
    reject: Reject


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a batch of labels.

    Attributes:
        answers: every readable record in the order given, redelivered ones included.
        rejects: every unreadable record, redelivered ones included.
    """

    answers: tuple[Answer, ...]
    rejects: tuple[Rejected, ...]
