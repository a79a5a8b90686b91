"""The queue: a view of `reviews` and `labels` that can be searched, filtered and ordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streamal.errors import Reject
from streamal.events import LabelEvent, ReviewRequest
from streamal.ports import Record, TopicPartition
from streamal.roles.label_publisher import ANSWER_HEADER
from streamal.state.durable import DurableFile

__all__ = ["Answer", "Filters", "Item", "Items"]

#: Longest text of an item that can be searched.
_MOST_WORDS: Final = 4000
#: Longest value of a segment that is offered as a filter; longer ones are prose.
_LONGEST_SEGMENT: Final = 64
_COLUMNS: Final = "event_id, payload, required, answered, adjudication, expires_at, done_at"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items to look at; an empty field admits all.

    Attributes:
        search: words that an item must all hold, in its id, its features or its metadata.
        reason: rule that routed it.
        segment: `name=value` of its metadata.
        version: version of the online model that saw it.
    """

    search: str = ""
    reason: str = ""
    segment: str = ""
    version: str = ""

    def where(self) -> tuple[str, tuple[object, ...]]:
        """A condition in SQL, and its values."""
        parts, values = ["1"], list[object]()
        for word in self.search.casefold().split()[:8]:
            parts.append("words LIKE ? ESCAPE '\\'")
            values.append(f"%{_literal(word)}%")
        if self.reason:
            parts.append("reason = ?")
            values.append(self.reason)
        if self.segment:
            name, _, value = self.segment.partition("=")
            parts.append("event_id IN (SELECT event_id FROM segments WHERE name = ? AND value = ?)")
            values += [name, value]
        if self.version:
            parts.append("model_version = ?")
            values.append(int(self.version) if self.version.isdecimal() else -1)
        return " AND ".join(parts), tuple(values)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody last said about an item.

    Attributes:
        kind: `label`, `unsure`, `skip` or `verdict`.
        answer: the class, or the number as text; None for unsure and skip.
        answered_at: by the annotator's clock, epoch seconds.
    """

    annotator: str
    kind: str
    answer: str | None
    note: str | None
    answered_at: float


@dataclass(frozen=True, slots=True)
class Item:
    """One request with where it stands.

    Attributes:
        review: the request.
        required: labels that it needs.
        answered: labels that it has.
        adjudication: whether it waits for a lead.
        expires_at: epoch seconds.
        done: whether it needs nobody any more.
    """

    review: ReviewRequest
    required: int
    answered: int
    adjudication: bool
    expires_at: float
    done: bool


class Items:
    """See the module docstring. Every `now` is in epoch seconds.

    Args:
        file: the console's, with its schema.
        outbox: name of the outbox in it: labels that came from there are known already.
    """

    def __init__(self, file: DurableFile, outbox: str) -> None:
        self._file = file
        self._outbox = outbox

    # The view

    def offsets(self) -> dict[TopicPartition, int]:
        """Next offset of each partition that is not in the view yet."""
        rows = self._file.query("SELECT topic, partition, next_offset FROM offsets")
        return {TopicPartition(topic, partition): offset for topic, partition, offset in rows}

    def apply(
        self, reviews: Iterable[Record], labels: Iterable[Record], next_offsets: Mapping[Any, int]
    ) -> list[tuple[Record, Reject]]:
        """Take in a batch of records with the offsets after it; those that are not ours."""
        rejects: list[tuple[Record, Reject]] = []
        with self._file.transaction():
            for record in reviews:
                try:
                    self._take_review(ReviewRequest.from_bytes(record.value))
                except Reject as reject:
                    rejects.append((record, reject))
            for record in labels:
                try:
                    self._take_label(record)
                except Reject as reject:
                    rejects.append((record, reject))
            for (topic, partition), offset in next_offsets.items():
                self._file.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)", (topic, partition, offset)
                )
        return rejects

    def start_over(self) -> None:
        """Forget the view, but not what this console's people did."""
        with self._file.transaction():
            for statement in (
                "DELETE FROM offsets",
                "DELETE FROM items",
                "DELETE FROM segments",
                "DELETE FROM answers WHERE sequence IS NULL",
            ):
                self._file.execute(statement)

    def forget(self, before: float) -> None:
        """Drop what expired before a time, with everything said about it."""
        old = "(SELECT event_id FROM items WHERE expires_at < ?)"
        with self._file.transaction():
            for table in ("segments", "answers", "leases"):
                self._file.execute(f"DELETE FROM {table} WHERE event_id IN {old}", (before,))  # noqa: S608 - a fixed name
            self._file.execute("DELETE FROM items WHERE expires_at < ?", (before,))
            self._file.execute(
                "DELETE FROM answers WHERE answered_at < ? "
                "AND event_id NOT IN (SELECT event_id FROM items)",
                (before,),
            )

    def _take_review(self, review: ReviewRequest) -> None:
        """A second request for the same event asks a lead, or repeats the first."""
        self._file.execute(
            "INSERT INTO items (event_id, payload, reason, priority, decided_at, expires_at, "
            "model_version, required, adjudication, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (event_id) DO UPDATE SET payload = excluded.payload, "
            "expires_at = excluded.expires_at, adjudication = 1 WHERE excluded.adjudication",
            (
                review.event_id,
                review.to_bytes(),
                review.reason,
                review.priority,
                review.decided_at.timestamp(),
                review.expires_at.timestamp(),
                review.model.version,
                review.required_labels,
                int(review.adjudication is not None),
                _words(review),
            ),
        )
        for name, value in review.metadata.items():
            text = _segment(value)
            if text is not None:
                self._file.execute(
                    "INSERT OR REPLACE INTO segments VALUES (?, ?, ?)",
                    (review.event_id, name, text),
                )
        self.recount(review.event_id)

    def _take_label(self, record: Record) -> None:
        origin = record.header(ANSWER_HEADER)
        if origin is not None and origin.partition(b":")[0] == self._outbox.encode():
            return
        label = LabelEvent.from_bytes(record.value)
        if label.withdrawn:
            self.unsay(label.event_id, label.annotator)
        else:
            self.say(label, None)

    def say(self, label: LabelEvent, sequence: int | None) -> None:
        """Somebody's latest word on an item; `sequence` when it lies in the outbox."""
        answer = label.label if label.value is None else f"{label.value:.12g}"
        self._file.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                label.event_id,
                label.annotator,
                _kind(label),
                answer,
                label.note,
                label.labelled_at.timestamp(),
                sequence,
            ),
        )
        self.recount(label.event_id)

    def unsay(self, event_id: str, annotator: str) -> None:
        """Somebody took their word back."""
        self._file.execute(
            "DELETE FROM answers WHERE event_id = ? AND annotator = ?", (event_id, annotator)
        )
        self.recount(event_id)

    def recount(self, event_id: str) -> None:
        """Bring an item's own counts in line with its answers."""
        ours = "FROM answers WHERE event_id = ?1 AND kind"
        self._file.execute(
            f"UPDATE items SET answered = (SELECT count(*) {ours} IN ('label', 'verdict')), "  # noqa: S608 - fixed text
            f"done_at = CASE WHEN EXISTS (SELECT 1 {ours} = 'verdict') OR (NOT adjudication AND "
            f"(SELECT count(*) {ours} IN ('label', 'verdict')) >= required) THEN "
            f"(SELECT max(answered_at) {ours} IN ('label', 'verdict')) END WHERE event_id = ?1",
            (event_id,),
        )

    # Questions

    def get(self, event_id: str) -> Item | None:
        """One item; None when the console knows nothing of it."""
        rows = self._file.query(f"SELECT {_COLUMNS} FROM items WHERE event_id = ?", (event_id,))  # noqa: S608 - fixed text
        return _item(rows[0]) if rows else None

    def answers(self, event_id: str) -> list[Answer]:
        """Everybody's latest word on an item, oldest first."""
        rows = self._file.query(
            "SELECT annotator, kind, answer, note, answered_at FROM answers "
            "WHERE event_id = ? ORDER BY answered_at, annotator",
            (event_id,),
        )
        return [Answer(*row) for row in rows]

    def queue(
        self,
        annotator: str,
        filters: Filters,
        now: float,
        *,
        adjudication: bool = False,
        limit: int = 50,
    ) -> list[Item]:
        """Items that this reviewer could take now, in order of work."""
        where, values = filters.where()
        rows = self._file.query(
            f"SELECT {_COLUMNS} FROM items WHERE done_at IS NULL AND expires_at > ? "  # noqa: S608 - fixed text
            "AND adjudication = ? AND (adjudication OR NOT EXISTS (SELECT 1 FROM answers "
            "WHERE answers.event_id = items.event_id AND annotator = ?)) "
            "AND (SELECT count(*) FROM leases WHERE leases.event_id = items.event_id "
            "AND until > ? AND annotator <> ?) < max(1, required - answered) "
            f"AND {where} ORDER BY priority DESC, decided_at, event_id LIMIT ?",
            (now, int(adjudication), annotator, now, annotator, *values, limit),
        )
        return [_item(row) for row in rows]

    def open_count(self, now: float, *, adjudication: bool = False) -> int:
        """Items that wait for somebody."""
        rows = self._file.query(
            "SELECT count(*) FROM items WHERE done_at IS NULL AND expires_at > ? "
            "AND adjudication = ?",
            (now, int(adjudication)),
        )
        return int(rows[0][0])

    def choices(self, now: float) -> dict[str, list[str]]:
        """What the open items can be filtered by: reasons, versions and segments."""
        still = "done_at IS NULL AND expires_at > ?"
        reasons = self._file.query(
            f"SELECT DISTINCT reason FROM items WHERE {still} ORDER BY 1",  # noqa: S608 - fixed text
            (now,),
        )
        versions = self._file.query(
            f"SELECT DISTINCT model_version FROM items WHERE {still} ORDER BY 1 DESC LIMIT 30",  # noqa: S608 - fixed text
            (now,),
        )
        segments = self._file.query(
            "SELECT name, value, count(*) FROM segments JOIN items USING (event_id) "  # noqa: S608 - fixed text
            f"WHERE {still} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2 LIMIT 60",
            (now,),
        )
        return {
            "reasons": [row[0] for row in reasons],
            "versions": [str(row[0]) for row in versions],
            "segments": [f"{name}={value}" for name, value, _ in segments],
        }

    def recent(self, limit: int) -> list[ReviewRequest]:
        """The latest requests, answered or not."""
        rows = self._file.query(
            "SELECT payload FROM items ORDER BY decided_at DESC LIMIT ?", (limit,)
        )
        return [ReviewRequest.from_bytes(payload) for (payload,) in rows]

    def known_answers(self) -> list[str]:
        """Classes that people have answered with."""
        rows = self._file.query(
            "SELECT DISTINCT answer FROM answers JOIN items USING (event_id) "
            "WHERE kind IN ('label', 'verdict') AND answer IS NOT NULL ORDER BY 1 LIMIT 100"
        )
        return [row[0] for row in rows]


def _item(row: tuple[Any, ...]) -> Item:
    _, payload, required, answered, adjudication, expires_at, done_at = row
    return Item(
        review=ReviewRequest.from_bytes(payload),
        required=required,
        answered=answered,
        adjudication=bool(adjudication),
        expires_at=expires_at,
        done=done_at is not None,
    )


def _kind(label: LabelEvent) -> str:
    if label.unsure or label.skip:
        return "unsure" if label.unsure else "skip"
    return "verdict" if label.adjudicates else "label"


def _words(review: ReviewRequest) -> str:
    named = {**review.features, **review.metadata}
    parts = [review.event_id, *(f"{name}={value}" for name, value in named.items())]
    return " ".join(parts)[:_MOST_WORDS].casefold()


def _segment(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) and len(str(value)) <= _LONGEST_SEGMENT:
        return str(value)
    return None


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
