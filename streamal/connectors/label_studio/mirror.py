"""What the bridge remembers between two starts: a SQLite view of `reviews`, tasks and labels.

===========  =======================================  ===========================================
table        what it is a view of                     what it saves
===========  =======================================  ===========================================
items        `reviews`, and the project's tasks       making a task twice
answers      `labels` that this bridge published      publishing an answer twice
marks        how far the project was read             reading all of its tasks at every start
===========  =======================================  ===========================================

Losing the file costs reading the topics and the project from their beginnings, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from streamal.connectors.label_studio.answers import TAKEN_BACK, digest
from streamal.errors import Reject
from streamal.events import LabelEvent, ReviewRequest
from streamal.ports import Record, TopicPartition
from streamal.state.database import Identity, Location, Schema, open_database, transaction

__all__ = ["ORIGIN_HEADER", "Fate", "Item", "Mirror", "Waiting"]

#: On every label that a bridge publishes; tells its labels from those of other tools.
ORIGIN_HEADER: Final = "streamal.label-studio"

_SCHEMA: Final = Schema(
    """
CREATE TABLE items (
    event_id TEXT PRIMARY KEY,
    fate TEXT NOT NULL,
    task_id INTEGER,
    expires_at REAL NOT NULL,
    priority REAL NOT NULL,
    payload BLOB
) STRICT;
CREATE INDEX items_by_fate ON items (fate, expires_at);
CREATE INDEX items_by_task ON items (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE answers (
    event_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (event_id, annotator)
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
""",
    1,
    "label_studio.state_path",
)


class Fate(StrEnum):
    """What has become of a review."""

    #: To be made into a task.
    WAITING = "waiting"
    #: A task, as far as is known.
    TASK = "task"
    #: Label Studio did not take it.
    REFUSED = "refused"
    #: Nobody answered in time; not a task (any more).
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A review that is to become a task."""

    event_id: str
    payload: bytes

    def review(self) -> ReviewRequest:
        """As it lies on the topic."""
        return ReviewRequest.from_bytes(self.payload)


@dataclass(frozen=True, slots=True)
class Item:
    """A review that is a task."""

    event_id: str
    task_id: int


class Mirror:
    """The view. Used by one thread.

    Args:
        location: its file; a damaged or foreign one is moved aside.
        identity: pipeline, log and project that it is a view of.

    Raises:
        SettingsInvalid: the file is in use or can't be written.
    """

    def __init__(self, location: Location, identity: Identity) -> None:
        self._pipeline = identity.pipeline
        self._connection = open_database(location, identity, _SCHEMA)

    def close(self) -> None:
        """Free the file. May be called twice."""
        self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """What is inside becomes durable together or not at all."""
        return transaction(self._connection)

    def offsets(self) -> dict[TopicPartition, int]:
        """The next offset of each partition that is not in the view."""
        rows = self._connection.execute("SELECT topic, partition, next_offset FROM offsets")
        return {TopicPartition(topic, partition): offset for topic, partition, offset in rows}

    def forget(self) -> None:
        """Be an empty view."""
        with self.transaction():
            for table in ("offsets", "items", "answers", "marks"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608  names from above

    def apply_reviews(self, records: Sequence[Record]) -> list[tuple[Record, Reject]]:
        """Take in reviews; those that can't be read come back with the reason."""
        rejects: list[tuple[Record, Reject]] = []
        with self.transaction():
            for record in records:
                try:
                    self._add(ReviewRequest.from_bytes(record.value), record.value or b"")
                except Reject as reject:
                    rejects.append((record, reject))
            self._advance(records)
        return rejects

    def apply_labels(self, records: Sequence[Record]) -> None:
        """Take in what was published; labels of other tools are passed over."""
        with self.transaction():
            for record in records:
                if record.header(ORIGIN_HEADER) is None:
                    continue
                try:
                    label = LabelEvent.from_bytes(record.value)
                except Reject:
                    # Not this bridge's after all, whatever its header says.
                    continue
                self._remember(label)
            self._advance(records)

    def waiting(self, now: float, limit: int) -> list[Waiting]:
        """The reviews to make into tasks next: most important first, then those that expire first.

        Reviews that have expired or were answered before the file was lost are left out.
        """
        rows = self._connection.execute(
            "SELECT event_id, payload FROM items WHERE fate = 'waiting' AND expires_at > ? "
            "AND NOT EXISTS (SELECT 1 FROM answers WHERE answers.event_id = items.event_id) "
            "ORDER BY priority DESC, expires_at, event_id LIMIT ?",
            (now, limit),
        )
        return [Waiting(*row) for row in rows]

    def expire(self, now: float) -> int:
        """Give up the waiting reviews that have expired; how many."""
        with self.transaction():
            return self._connection.execute(
                "UPDATE items SET fate = 'expired', payload = NULL "
                "WHERE fate = 'waiting' AND expires_at <= ?",
                (now,),
            ).rowcount

    def expired_tasks(self, now: float, limit: int) -> list[Item]:
        """Tasks whose time is over and that nobody has answered, in the order of their expiry."""
        rows = self._connection.execute(
            "SELECT event_id, task_id FROM items WHERE fate = 'task' AND expires_at <= ? "
            "AND task_id IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM answers WHERE answers.event_id = items.event_id) "
            "ORDER BY expires_at LIMIT ?",
            (now, limit),
        )
        return [Item(*row) for row in rows]

    def settle(self, event_ids: Iterable[str], fate: Fate) -> None:
        """Say what has become of reviews; only those that wait keep their content."""
        with self.transaction():
            self._connection.executemany(
                "UPDATE items SET fate = ?, payload = NULL WHERE event_id = ?",
                [(fate, event_id) for event_id in event_ids],
            )

    def link(self, tasks: Mapping[str, int]) -> None:
        """These reviews are these tasks."""
        with self.transaction():
            self._connection.executemany(
                "UPDATE items SET fate = 'task', task_id = ?, payload = NULL WHERE event_id = ?",
                [(task_id, event_id) for event_id, task_id in tasks.items()],
            )

    def task_of(self, event_id: str) -> int | None:
        """The task of a review; None when none is known."""
        row = self._connection.execute(
            "SELECT task_id FROM items WHERE event_id = ?", (event_id,)
        ).fetchone()
        return None if row is None else row[0]

    def knows(self, event_id: str) -> bool:
        """Whether there was a review of this event."""
        query = "SELECT 1 FROM items WHERE event_id = ?"
        return self._connection.execute(query, (event_id,)).fetchone() is not None

    def highest_task(self) -> int:
        """Every task with a higher id is news; 0 while none is known."""
        row = self._connection.execute("SELECT max(task_id) FROM items").fetchone()
        return row[0] or 0

    def published(self, event_id: str) -> dict[str, str]:
        """The digest of the last label of each annotator."""
        rows = self._connection.execute(
            "SELECT annotator, digest FROM answers WHERE event_id = ?", (event_id,)
        )
        return dict(rows.fetchall())

    def remember(self, labels: Iterable[LabelEvent]) -> None:
        """These were published."""
        with self.transaction():
            for label in labels:
                self._remember(label)

    def open_tasks(self, now: float) -> int:
        """Tasks that can still be answered and were not."""
        row = self._connection.execute(
            "SELECT count(*) FROM items WHERE fate = 'task' AND expires_at > ? AND NOT EXISTS "
            "(SELECT 1 FROM answers WHERE answers.event_id = items.event_id AND digest != ?)",
            (now, TAKEN_BACK),
        ).fetchone()
        return int(row[0])

    def waiting_reviews(self) -> int:
        """Reviews that are to become tasks."""
        query = "SELECT count(*) FROM items WHERE fate = 'waiting'"
        return int(self._connection.execute(query).fetchone()[0])

    def mark(self, name: str) -> str | None:
        """A remembered position."""
        row = self._connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_mark(self, name: str, value: str | None) -> None:
        """Remember a position, or forget it."""
        with self.transaction():
            if value is None:
                self._connection.execute("DELETE FROM marks WHERE name = ?", (name,))
            else:
                self._connection.execute(
                    "INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value)
                )

    def drop_expired_before(self, moment: float) -> int:
        """Forget what expired long ago and can't come up again; how many reviews."""
        with self.transaction():
            gone = self._connection.execute(
                "DELETE FROM items WHERE expires_at < ?", (moment,)
            ).rowcount
            if gone:
                self._connection.execute(
                    "DELETE FROM answers WHERE event_id NOT IN (SELECT event_id FROM items)"
                )
            return gone

    def _add(self, review: ReviewRequest, payload: bytes) -> None:
        """The first review of an event counts."""
        if review.pipeline != self._pipeline:
            return
        self._connection.execute(
            "INSERT OR IGNORE INTO items VALUES (?, 'waiting', NULL, ?, ?, ?)",
            (review.event_id, review.expires_at.timestamp(), review.priority, payload),
        )

    def _remember(self, label: LabelEvent) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
            (label.event_id, label.annotator, digest(label)),
        )

    def _advance(self, records: Sequence[Record]) -> None:
        ends: dict[TopicPartition, int] = {}
        for record in records:
            ends[record.source] = record.offset + 1
        self._connection.executemany(
            "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
            [(*source, offset) for source, offset in ends.items()],
        )
