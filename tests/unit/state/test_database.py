"""A file that cannot be trusted is moved aside, one that is in use is not."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamal.errors import SettingsInvalid
from streamal.state import PendingView

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


def filled(path: Path, make: Records) -> None:
    with closing(PendingView(path, pipeline="orders", cluster="c1")) as view:
        view.apply_reviews([make.review(n, f"e{n}") for n in range(50)])


def test_the_view_is_there_after_a_restart(path: Path, make: Records) -> None:
    filled(path, make)
    with closing(PendingView(path, pipeline="orders", cluster="c1")) as view:
        assert sum(view.offsets().values()) == 50
        assert view.lookup("e49") is not None
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)


def torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * 4096])


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def someone_elses(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")


@pytest.mark.parametrize("spoil", [garbage, torn, cut, newer, someone_elses])
def test_a_file_that_cannot_be_trusted_is_moved_aside(
    path: Path, make: Records, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    filled(path, make)
    spoil(path)
    spoilt = path.read_bytes()
    with (
        caplog.at_level(logging.WARNING),
        closing(PendingView(path, pipeline="orders", cluster="c1")) as view,
    ):
        assert view.offsets() == {}
        assert view.apply_reviews([make.review(0, "e0")]).stored == 1
    assert "moved to" in caplog.text
    aside = path.with_name(path.name + ".corrupt-1")
    assert len(aside.read_bytes()) == len(spoilt)


@pytest.mark.parametrize(("pipeline", "cluster"), [("invoices", "c1"), ("orders", "c2")])
def test_a_file_of_another_log_is_moved_aside(
    path: Path, make: Records, pipeline: str, cluster: str
) -> None:
    filled(path, make)
    with closing(PendingView(path, pipeline=pipeline, cluster=cluster)) as view:
        assert view.offsets() == {}
    assert path.with_name(path.name + ".corrupt-1").exists()


def test_earlier_files_aside_are_kept(path: Path) -> None:
    path.parent.mkdir()
    for content in (b"first" * 1000, b"second" * 1000):
        path.write_bytes(content)
        PendingView(path, pipeline="orders").close()
    assert path.with_name(path.name + ".corrupt-1").read_bytes() == b"first" * 1000
    assert path.with_name(path.name + ".corrupt-2").read_bytes() == b"second" * 1000


def test_a_file_in_use_is_not_shared(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamal.state.database._LOCK_TIMEOUT_SECONDS", 0.05)
    with (
        closing(PendingView(path, pipeline="orders")),
        pytest.raises(SettingsInvalid, match=r"trainer\.state_path.*in use by another process"),
    ):
        PendingView(path, pipeline="orders")
    PendingView(path, pipeline="orders").close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_made_is_a_setting_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match=r"trainer\.state_path: cannot make the folder"):
        PendingView(tmp_path / "file" / "view.sqlite3", pipeline="orders")


def test_a_path_that_is_a_folder_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"trainer\.state_path = .*cannot be used"):
        PendingView(tmp_path, pipeline="orders")


def test_closing_twice_is_fine(path: Path) -> None:
    view = PendingView(path, pipeline="orders")
    view.close()
    view.close()
