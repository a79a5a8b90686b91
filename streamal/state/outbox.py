"""Messages that were accepted from people and are still to be published, in order.

A message is durable when `add` returns. It is held back for a while, so that it can be taken back
without a trace; from `claim` on it counts as published. The publisher
(`streamal.roles.label_publisher`) keeps the other half of the books on the broker: which sequence
number comes next (docs/decisions/0011).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from streamal.state.durable import DurableFile

__all__ = ["OUTBOX_SCHEMA", "Outbox", "Waiting"]

#: For the schema of the file that an outbox lies in.
OUTBOX_SCHEMA: Final = """
CREATE TABLE outbox_name (name TEXT NOT NULL) STRICT;

CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    added_at REAL NOT NULL,
    due_at REAL NOT NULL,
    claimed INTEGER NOT NULL DEFAULT 0,
    published_at REAL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (sequence) WHERE published_at IS NULL;
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message to publish.

    Attributes:
        sequence: rises with each message, starting at 1; gaps are messages that were taken back.
        key: of the record.
        value: of the record.
    """

    sequence: int
    key: bytes
    value: bytes


class Outbox:
    """The queue's tables in a `DurableFile` that others may share.

    Args:
        file: opened with `OUTBOX_SCHEMA` in its schema.
    """

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self.name = self._name()

    def add(self, key: bytes, value: bytes, *, now: float, hold_seconds: float = 0.0) -> int:
        """Accept a message; its sequence number.

        Call it inside a transaction of the file to accept it together with other changes.

        Args:
            key: of the record.
            value: of the record.
            now: seconds since the Unix epoch.
            hold_seconds: how long it can be taken back; those behind it wait as well.
        """
        return self._file.insert(
            "INSERT INTO outbox (key, value, added_at, due_at) VALUES (?, ?, ?, ?)",
            (key, value, now, now + hold_seconds),
        )

    def take_back(self, sequence: int) -> bool:
        """Drop a message that was not claimed yet; whether it was dropped."""
        return bool(
            self._file.execute(
                "DELETE FROM outbox WHERE sequence = ? AND claimed = 0 AND published_at IS NULL",
                (sequence,),
            )
        )

    def claim(self, now: float, limit: int) -> list[Waiting]:
        """The next messages to publish, in order; from now on they can't be taken back.

        A message that is not due holds back those behind it.

        Args:
            now: seconds since the Unix epoch.
            limit: most messages.
        """
        with self._file.transaction():
            rows = self._file.query(
                "SELECT sequence, key, value, due_at <= ? OR claimed FROM outbox "
                "WHERE published_at IS NULL ORDER BY sequence LIMIT ?",
                (now, limit),
            )
            ready: list[Waiting] = []
            for sequence, key, value, due in rows:
                if not due:
                    break
                ready.append(Waiting(sequence, key, value))
            if ready:
                self._file.execute(
                    "UPDATE outbox SET claimed = 1 WHERE published_at IS NULL AND sequence <= ?",
                    (ready[-1].sequence,),
                )
            return ready

    def published_before(self, sequence: int, now: float) -> int:
        """Everything below `sequence` is on the log; how many messages that is news of.

        Numbers given out later are never below it, even in a file that came back from a backup.
        """
        with self._file.transaction():
            if sequence > 1:
                self._skip_to(sequence - 1)
            return self._file.execute(
                "UPDATE outbox SET published_at = ?, claimed = 1 "
                "WHERE published_at IS NULL AND sequence < ?",
                (now, sequence),
            )

    def waiting(self) -> int:
        """How many messages are to be published."""
        return int(self._file.query("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0])

    def oldest_waiting(self) -> float | None:
        """When the oldest message that is to be published was accepted."""
        rows = self._file.query("SELECT min(added_at) FROM outbox WHERE published_at IS NULL")
        return None if rows[0][0] is None else float(rows[0][0])

    def forget(self, before: float) -> int:
        """Drop what was published before a time; how many messages."""
        return self._file.execute("DELETE FROM outbox WHERE published_at < ?", (before,))

    def _skip_to(self, last: int) -> None:
        self._file.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox')"
        )
        self._file.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'outbox'", (last,)
        )

    def _name(self) -> str:
        """A name that no other outbox has; made with the file."""
        with self._file.transaction():
            rows = self._file.query("SELECT name FROM outbox_name")
            if rows:
                return str(rows[0][0])
            name = secrets.token_hex(6)
            self._file.execute("INSERT INTO outbox_name VALUES (?)", (name,))
            return name
