"""A small SQLite file that holds what no topic holds yet: unlike a view it can't be replayed.

So a file that is damaged or belongs to another log is refused, never moved aside; and what was
written survives a power cut. Several threads of one process may use it, one at a time; a second
process is turned away.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from streamal.errors import Fatal, SettingsInvalid
from streamal.state.database import Identity, Location

__all__ = ["DurableFile"]

#: How long a predecessor that is shutting down may keep the file, in seconds.
_LOCK_TIMEOUT_SECONDS: Final = 5.0
_IDENTITY: Final = """
CREATE TABLE identity (pipeline TEXT NOT NULL, cluster TEXT NOT NULL, version INTEGER NOT NULL)
STRICT;
"""


class DurableFile:
    """One connection behind a lock.

    Args:
        location: the file; created with its folder where missing.
        setting: key of the setting that names it, for error messages.
        identity: the log that it belongs to.
        schema: `CREATE` statements of all who keep something in it.
        version: raised with every change to any of them.

    Raises:
        SettingsInvalid: the file is in use, damaged, of another version or of another log.
    """

    def __init__(
        self, location: Location, *, setting: str, identity: Identity, schema: str, version: int
    ) -> None:
        self._about = f"{setting} = {location}"
        self._lock = threading.RLock()
        self._depth = 0
        if isinstance(location, Path):
            self._make_folder(location.parent)
        self._connection = self._open(location)
        try:
            self._check(identity, schema, version)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is inside becomes durable together or not at all; one in another joins it.

        Raises:
            Fatal: SQLite failed (disk full, damaged file); nothing was stored.
        """
        with self._lock:
            if self._depth:
                yield
                return
            self._depth += 1
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._rollback()
                raise Fatal(f"{self._about}: {error}; what was asked for was not stored") from error
            except BaseException:
                self._rollback()
                raise
            finally:
                self._depth -= 1

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> int:
        """Run one statement that changes something; the number of rows that it changed."""
        with self.transaction():
            return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, values: tuple[Any, ...]) -> int:
        """Run one `INSERT`; the new row's id."""
        with self.transaction():
            return self._connection.execute(statement, values).lastrowid or 0

    def query(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of one `SELECT`."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise Fatal(f"{self._about}: {error}") from error

    def close(self) -> None:
        """Free the file. May be called twice."""
        with self._lock:
            self._connection.close()

    def _rollback(self) -> None:
        # SQLite has rolled back by itself after some failures, and then refuses to do it again.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsInvalid(f"{self._about}: cannot make its folder ({error})") from error

    def _open(self, location: Location) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                location,
                timeout=_LOCK_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise self._unusable(error) from error
        return connection

    def _check(self, identity: Identity, schema: str, version: int) -> None:
        tables = self.query("SELECT count(*) FROM sqlite_schema")[0][0]
        if not tables:
            self._connection.executescript(f"BEGIN IMMEDIATE; {_IDENTITY} {schema} COMMIT;")
            self.execute("INSERT INTO identity VALUES (?, ?, ?)", (*identity, version))
            return
        try:
            report = self.query("PRAGMA quick_check(1)")[0][0]
            row = self.query("SELECT pipeline, cluster, version FROM identity")[0]
        except (Fatal, IndexError) as error:
            raise self._refused("is damaged or another program's") from error
        if report != "ok":
            raise self._refused(f"is damaged ({report})")
        if row[2] != version:
            raise self._refused(f"has version {row[2]}, not {version}")
        if (found := Identity(row[0], row[1])) != identity:
            raise self._refused(f"belongs to {found}, not to {identity}")

    def _refused(self, problem: str) -> SettingsInvalid:
        return SettingsInvalid(
            f"{self._about}: {problem}; it may hold answers that were not published yet, so move "
            "it away yourself to start with an empty one"
        )

    def _unusable(self, error: sqlite3.Error) -> SettingsInvalid:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return SettingsInvalid(f"{self._about}: is in use by another process")
        return SettingsInvalid(
            f"{self._about}: cannot be used ({error}); needs a writable file on a local disk"
        )
