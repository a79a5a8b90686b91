"""What followed from a label record, kept so that a replay below S sees exactly the same."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import orjson

from streamal.core.annotation import Answer
from streamal.events import LabelEvent, ReviewRequest
from streamal.ports import Record, TopicPartition
from streamal.state.verdicts import Dispute, Effect, Lesson, Quarantine

__all__ = ["EffectLog"]


class EffectLog:
    """Writes effects at the record they follow from, and reads them back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_learned(self, event_id: str) -> bool:
        """Whether the event has its lesson."""
        return self.lesson_at(event_id) is not None

    def lesson_at(self, event_id: str) -> tuple[TopicPartition, int] | None:
        """Where an event was learned: partition and offset of the record that made it known."""
        row = self._connection.execute(
            'SELECT topic, partition, "offset" FROM effects '
            "WHERE event_id = ? AND kind = 'lesson'",
            (event_id,),
        ).fetchone()
        return None if row is None else (TopicPartition(row[0], row[1]), row[2])

    def review(self, event_id: str) -> ReviewRequest | None:
        """The request of an event; None when none was made, or it was purged."""
        row = self._connection.execute(
            "SELECT payload FROM reviews WHERE event_id = ?", (event_id,)
        ).fetchone()
        return None if row is None else ReviewRequest.from_bytes(row[0])

    def lesson(self, record: Record, position: int, event_id: str, answer: Answer) -> Lesson:
        """The event's review is answered by `answer`."""
        self._put(record, position, "lesson", event_id, {"answer": answer})
        return self._reviewed(event_id, answer)

    def feedback(
        self, record: Record, position: int, event_id: str, answer: Answer, label: bytes
    ) -> Lesson:
        """Unsolicited feedback is learned from its own features; `label` is the event's bytes."""
        detail = {"answer": answer, "feedback": label.decode()}
        self._put(record, position, "lesson", event_id, detail)
        return _fed_back(event_id, answer, label)

    def dispute(
        self, record: Record, position: int, review: ReviewRequest, dispute: Dispute
    ) -> None:
        """A lead is to be asked."""
        detail = {"asked_at": dispute.asked_at.timestamp(), "answers": dispute.answers}
        self._put(record, position, "dispute", review.event_id, detail)

    def quarantine(self, record: Record, position: int, quarantine: Quarantine) -> None:
        """An annotator's answers are held from here on."""
        detail = {
            "annotator": quarantine.annotator,
            "since": quarantine.since.timestamp(),
            "agreement": quarantine.agreement,
            "compared": quarantine.compared,
        }
        self._put(record, position, "quarantine", None, detail)

    def of(self, record: Record) -> tuple[Effect, ...]:
        """What followed from a record, in order."""
        rows = self._connection.execute(
            "SELECT kind, event_id, detail FROM effects "
            'WHERE topic = ? AND partition = ? AND "offset" = ? ORDER BY position',
            (record.topic, record.partition, record.offset),
        ).fetchall()
        return tuple(self._read(kind, event_id, detail) for kind, event_id, detail in rows)

    def _put(
        self, record: Record, position: int, kind: str, event_id: str | None, detail: object
    ) -> None:
        self._connection.execute(
            "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                record.topic,
                record.partition,
                record.offset,
                position,
                kind,
                event_id,
                orjson.dumps(detail),
            ),
        )

    def _read(self, kind: str, event_id: str | None, data: bytes) -> Effect:
        detail = orjson.loads(data)
        if kind == "quarantine":
            since = datetime.fromtimestamp(detail.pop("since"), UTC)
            return Quarantine(since=since, **detail)
        if event_id is None:
            raise RuntimeError(f"a {kind} without an event")
        if kind == "dispute":
            asked_at = datetime.fromtimestamp(detail["asked_at"], UTC)
            return Dispute(self._request(event_id), asked_at, detail["answers"])
        if "feedback" in detail:
            return _fed_back(event_id, detail["answer"], detail["feedback"].encode())
        return self._reviewed(event_id, detail["answer"])

    def _reviewed(self, event_id: str, answer: Answer) -> Lesson:
        review = self._request(event_id)
        return Lesson(event_id, answer, review.features, review.prediction, review)

    def _request(self, event_id: str) -> ReviewRequest:
        review = self.review(event_id)
        if review is None:
            raise RuntimeError(f"the review of {event_id} was purged before its labels")
        return review


def _fed_back(event_id: str, answer: Answer, label: bytes) -> Lesson:
    event = LabelEvent.from_bytes(label)
    return Lesson(event_id, answer, event.features or {}, event.prediction, None)
