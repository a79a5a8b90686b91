"""The file of what no topic holds yet: refused rather than replaced, shared by threads."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from streamal.errors import Fatal, SettingsInvalid
from streamal.state.database import Identity
from streamal.state.durable import DurableFile

SCHEMA = "CREATE TABLE words (word TEXT NOT NULL UNIQUE) STRICT;"
HERE = Identity("orders", "cluster-1")


def opened(path: Path, identity: Identity = HERE, version: int = 1) -> DurableFile:
    return DurableFile(
        path, setting="console.state_path", identity=identity, schema=SCHEMA, version=version
    )


def words(file: DurableFile) -> list[str]:
    return [row[0] for row in file.query("SELECT word FROM words ORDER BY word")]


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "console.sqlite3"
    file = opened(path)
    file.execute("INSERT INTO words VALUES (?)", ("kept",))
    file.close()
    file.close()

    assert words(opened(path)) == ["kept"]


def test_a_transaction_that_fails_leaves_nothing_of_itself_or_of_one_inside(
    tmp_path: Path,
) -> None:
    file = opened(tmp_path / "file")

    def fail() -> None:
        with file.transaction():
            file.execute("INSERT INTO words VALUES ('outer')")
            with file.transaction():
                file.execute("INSERT INTO words VALUES ('inner')")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()

    assert words(file) == []


def test_a_failure_of_sqlite_is_fatal_and_rolled_back(tmp_path: Path) -> None:
    file = opened(tmp_path / "file")

    def repeat() -> None:
        with file.transaction():
            file.execute("INSERT INTO words VALUES ('twice')")
            file.execute("INSERT INTO words VALUES ('twice')")

    with pytest.raises(Fatal, match=r"console\.state_path = .*UNIQUE.*not stored"):
        repeat()
    with pytest.raises(Fatal, match="no such table"):
        file.query("SELECT * FROM verbs")

    file.execute("INSERT INTO words VALUES ('after')")
    assert words(file) == ["after"]


def test_threads_take_turns(tmp_path: Path) -> None:
    file = opened(tmp_path / "file")

    def write(name: str) -> None:
        for number in range(50):
            with file.transaction():
                file.execute("INSERT INTO words VALUES (?)", (f"{name}{number}",))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(words(file)) == 200


@pytest.mark.parametrize(
    ("identity", "version", "problem"),
    [
        (Identity("other", "cluster-1"), 1, "belongs to .*orders.*, not to .*other"),
        (Identity("orders", "cluster-2"), 1, "belongs to"),
        (HERE, 2, "has version 1, not 2"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    tmp_path: Path, identity: Identity, version: int, problem: str
) -> None:
    path = tmp_path / "file"
    file = opened(path)
    file.execute("INSERT INTO words VALUES ('precious')")
    file.close()

    with pytest.raises(SettingsInvalid, match=problem):
        opened(path, identity, version)

    assert words(opened(path)) == ["precious"]


def test_a_damaged_file_is_refused_and_left_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(SettingsInvalid, match=r"console\.state_path = .*not a database"):
        opened(path)

    assert path.read_bytes().startswith(b"no database")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()

    with pytest.raises(SettingsInvalid, match="another program's"):
        opened(path)


def test_a_second_process_is_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamal.state.durable._LOCK_TIMEOUT_SECONDS", 0.05)
    first = opened(tmp_path / "file")
    first.execute("INSERT INTO words VALUES ('mine')")

    with pytest.raises(SettingsInvalid, match="in use by another process"):
        opened(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")

    with pytest.raises(SettingsInvalid, match="cannot make its folder"):
        opened(tmp_path / "blocked" / "file")
    with pytest.raises(SettingsInvalid, match="cannot be used"):
        opened(tmp_path)
