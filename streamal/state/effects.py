"""What followed from a label record, kept so that a replay below S sees exactly the same."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import UTC, datetime

import orjson

from streamal.core.annotation import Answer
from streamal.events import LabelEvent, ReviewRequest
from streamal.ports import Record, TopicPartition
from streamal.state.dockets import Dockets
from streamal.state.verdicts import Dispute, Effect, Lesson, Quarantine

__all__ = ["EffectLog"]


class EffectLog:
    """Writes effects at the record they follow from, and reads them back.

    Args:
        connection: of the view.
        dockets: the events of the batch.
    """

    def __init__(self, connection: sqlite3.Connection, dockets: Dockets) -> None:
        self._connection = connection
        self._dockets = dockets
        self._rows: list[tuple[object, ...]] = []

    def is_learned(self, event_id: str) -> bool:
        """Whether the event has its lesson."""
        return self._dockets.get(event_id).lesson is not None

    def review(self, event_id: str) -> ReviewRequest | None:
        """The request of an event; None when none was made, or it was purged."""
        payload = self._dockets.get(event_id).payload
        return None if payload is None else ReviewRequest.from_bytes(payload)

    def flush(self) -> None:
        """Write what has followed since the last time."""
        self._connection.executemany("INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows)
        self._rows.clear()

    def forget(self) -> None:
        """Drop what was not written."""
        self._rows.clear()

    def lesson(self, record: Record, position: int, event_id: str, answer: Answer) -> Lesson:
        """The event's review is answered by `answer`."""
        self._teach(record, position, event_id, {"answer": answer})
        return self._reviewed(event_id, answer)

    def feedback(
        self, record: Record, position: int, event_id: str, answer: Answer, label: bytes
    ) -> Lesson:
        """Unsolicited feedback is learned from its own features; `label` is the event's bytes."""
        detail = {"answer": answer, "feedback": label.decode()}
        self._teach(record, position, event_id, detail)
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

    def between(
        self, source: TopicPartition, first: int, end: int
    ) -> dict[int, tuple[Effect, ...]]:
        """Offset to what followed from that record, in order, of those in [`first`, `end`)."""
        rows = self._connection.execute(
            'SELECT "offset", kind, event_id, detail FROM effects '
            'WHERE topic = ? AND partition = ? AND "offset" >= ? AND "offset" < ? '
            'ORDER BY "offset", position',
            (*source, first, end),
        ).fetchall()
        self._dockets.fetch(event_id for _, _, event_id, _ in rows if event_id is not None)
        found: defaultdict[int, list[Effect]] = defaultdict(list)
        for offset, *effect in rows:
            found[offset].append(self._read(*effect))
        return {offset: tuple(effects) for offset, effects in found.items()}

    def _teach(self, record: Record, position: int, event_id: str, detail: object) -> None:
        self._dockets.get(event_id).lesson = (record.source, record.offset)
        self._put(record, position, "lesson", event_id, detail)

    def _put(
        self, record: Record, position: int, kind: str, event_id: str | None, detail: object
    ) -> None:
        self._rows.append(
            (
                record.topic,
                record.partition,
                record.offset,
                position,
                kind,
                event_id,
                orjson.dumps(detail),
            )
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
