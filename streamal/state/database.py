"""Opens the SQLite file behind a view of the log, and starts afresh when it cannot be trusted.

The file holds nothing that its topics do not hold, so a file that is damaged, was written by
another schema or belongs to another pipeline is moved aside (never deleted) and replayed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from streamal.errors import Fatal, SettingsInvalid
from streamal.state.schema import SCHEMA, SCHEMA_VERSION

__all__ = ["Identity", "Location", "Schema", "open_database", "transaction"]

log = logging.getLogger(__name__)

Location: TypeAlias = Path | Literal[":memory:"]

#: How long a predecessor that is shutting down may keep the file, in seconds.
_LOCK_TIMEOUT_SECONDS: Final = 5.0
_OLDEST_SQLITE: Final = (3, 37)

#: What every view has: whose it is, and how far into each topic it reaches.
_COMMON: Final = """
CREATE TABLE identity (pipeline TEXT NOT NULL, cluster TEXT NOT NULL) STRICT;

CREATE TABLE offsets (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;
"""


class Identity(NamedTuple):
    """Which log a file is a view of.

    Attributes:
        pipeline: name of the pipeline.
        cluster: anything that tells one log from another, such as the cluster id; offsets mean
            nothing on another one.
    """

    pipeline: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Schema:
    """What one kind of view keeps.

    Attributes:
        script: `CREATE` statements of its tables, besides `identity` and `offsets`.
        version: raised with every change to them; a file with another one is replayed, not
            migrated.
        setting: key of the setting that names its file.
    """

    script: str
    version: int
    setting: str


PENDING: Final = Schema(SCHEMA, SCHEMA_VERSION, "trainer.state_path")


def open_database(
    location: Location, identity: Identity, schema: Schema = PENDING
) -> sqlite3.Connection:
    """A connection to a sound file of this schema and `identity`, created where necessary.

    The connection holds the file exclusively: two processes on one file would each skip what the
    other had applied. It may move between threads but is not to be used by two at once.

    Raises:
        SettingsInvalid: the file is in use by another process, or cannot be created.
        Fatal: this Python carries a SQLite without STRICT tables.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise Fatal(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed")
    if isinstance(location, Path):
        _make_folder(location.parent, schema)
        problem = _problem(location, identity, schema)
        if problem is not None:
            log.warning("%s: %s; moved to %s", location, problem, _move_aside(location))
    connection = _connect(location, schema)
    try:
        if _user_version(connection) == 0:
            _create(connection, identity, schema)
    except sqlite3.Error as error:
        connection.close()
        raise SettingsInvalid(_unusable(location, error, schema)) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside becomes durable together or not at all.

    Raises:
        Fatal: SQLite failed (disk full, damaged file); the transaction was rolled back.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _rollback(connection)
        raise Fatal(f"a view of the log failed: {error}; a restart replays what is missing") from (
            error
        )
    except BaseException:
        _rollback(connection)
        raise


def _rollback(connection: sqlite3.Connection) -> None:
    # SQLite has rolled back by itself after some failures, and then refuses to do it again.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _connect(location: Location, schema: Schema) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            location,
            timeout=_LOCK_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise SettingsInvalid(_unusable(location, error, schema)) from error
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the newest transactions, never tear one. Their offsets are lost with
        # them, so the next start replays exactly what is missing.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        connection.close()
        if _is_damage(error):
            raise
        raise SettingsInvalid(_unusable(location, error, schema)) from error
    return connection


def _problem(path: Path, identity: Identity, schema: Schema) -> str | None:
    """Why the file at `path` must be replayed; None when it is sound, or not there."""
    if not path.exists():
        return None
    try:
        connection = _connect(path, schema)
    except sqlite3.DatabaseError as error:
        return f"not a sound SQLite file ({error})"
    try:
        return _mismatch(connection, identity, schema)
    except sqlite3.DatabaseError as error:
        return f"not a sound SQLite file ({error})"
    finally:
        connection.close()


def _mismatch(connection: sqlite3.Connection, identity: Identity, schema: Schema) -> str | None:
    version = _user_version(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if version == 0 and tables == 0:
        return None
    if version != schema.version:
        return f"has schema version {version}, not {schema.version}"
    report = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if report != "ok":
        return f"is damaged ({report})"
    found = Identity(*connection.execute("SELECT pipeline, cluster FROM identity").fetchone())
    return None if found == identity else f"is a view of {found}, not of {identity}"


def _is_damage(error: sqlite3.Error) -> bool:
    # Extended codes carry the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _create(connection: sqlite3.Connection, identity: Identity, schema: Schema) -> None:
    # `executescript` commits what is open, so the script brings its own transaction.
    connection.executescript(
        f"BEGIN IMMEDIATE; {_COMMON} {schema.script} "
        f"PRAGMA user_version = {schema.version}; COMMIT;"
    )
    connection.execute("INSERT INTO identity VALUES (?, ?)", identity)


def _user_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _make_folder(folder: Path, schema: Schema) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"{schema.setting}: cannot make the folder {folder} ({error})"
        ) from error


def _move_aside(path: Path) -> Path:
    number = 1
    while (target := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    # A write-ahead log left behind would be taken for the new file's.
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    return target


def _unusable(location: Location, error: sqlite3.Error, schema: Schema) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        problem = "is in use by another process; each process needs a file of its own"
    else:
        problem = f"cannot be used ({error}); needs a writable file on a local disk"
    return f"{schema.setting} = {location}: {problem}"
