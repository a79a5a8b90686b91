"""Tables in three kinds of files, which appear whole or not at all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from streamal.errors import SettingsInvalid
from streamal.operations.table_files import Columns, Kind, Row, check_table, open_table
from streamal.tabular import read_rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS: list[Row] = [
    {"id": "a", "at": NOW, "who": ("x", "y"), "n": 1.5, "flag": True, "list": (1.0, 2.0)},
    {"id": 'b,"\nc', "n": 2**60, "mixed": "1"},
    {"id": "c", "flag": False, "mixed": 1, "list": ()},
]
FIXED = {"id": Kind.TEXT, "at": Kind.TIME, "who": Kind.WORDS}


def written(path: Path, rows: list[Row]) -> Mapping[str, Kind]:
    columns = Columns(FIXED)
    for row in rows:
        columns.see(row)
    with open_table(path, columns.kinds()) as write:
        for row in rows:
            write(row)
    return columns.kinds()


def test_columns_are_the_fixed_ones_and_then_all_others() -> None:
    columns = Columns(FIXED)
    for row in ROWS:
        columns.see(row)
    columns.see({"nothing": None})
    assert columns.kinds() == {
        "id": Kind.TEXT,
        "at": Kind.TIME,
        "who": Kind.WORDS,
        "flag": Kind.FLAG,
        "list": Kind.NUMBERS,
        "mixed": Kind.TEXT,
        "n": Kind.NUMBER,
        "nothing": Kind.TEXT,
    }


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    written(path, ROWS)
    first, second, third = (orjson.loads(line) for line in path.read_bytes().splitlines())
    assert first["at"] == "2026-01-01T00:00:00+00:00"
    assert first["who"] == ["x", "y"]
    assert second["id"] == 'b,"\nc'
    assert second["flag"] is None
    assert third["mixed"] == 1
    assert list(first) == list(second) == list(third)


def test_csv_is_read_back_by_the_lab(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    written(path, ROWS)
    first, second, third = read_rows(path)
    assert (first["n"], first["flag"], first["at"]) == (1.5, True, NOW.isoformat())
    assert second["id"] == 'b,"\nc'
    assert second["flag"] is None
    assert third["mixed"] == 1


def test_parquet_has_types(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    written(path, ROWS)
    table = importlib.import_module("pyarrow.parquet").read_table(path)
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    first, second, third = table.to_pylist()
    assert first["at"] == NOW
    assert first["list"] == [1.0, 2.0]
    assert second["n"] == float(2**60)
    assert (second["mixed"], third["mixed"]) == ("1", "1")
    assert third["who"] is None


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_many_rows_and_none(tmp_path: Path, ending: str) -> None:
    rows: list[Row] = [{"id": str(number), "x": number} for number in range(12_345)]
    written(tmp_path / f"many.{ending}", rows)
    assert sum(1 for _ in read_rows(tmp_path / f"many.{ending}")) == len(rows)
    written(tmp_path / f"none.{ending}", [])
    assert list(read_rows(tmp_path / f"none.{ending}")) == []


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_failure_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    path.write_text("before")
    with pytest.raises(ValueError, match="midway"):
        _fail_midway(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def _fail_midway(path: Path) -> None:
    with open_table(path, FIXED) as write:
        write({"id": "a"})
        raise ValueError("midway")


@pytest.mark.parametrize("name", ["t.xlsx", "t", "missing/t.csv"])
def test_targets_that_will_not_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsInvalid, match="--to"):
        check_table(tmp_path / name)


def test_checking_a_target_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_text("before")
    check_table(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(SettingsInvalid, match=r"streamal\[lab\]"):
        check_table(tmp_path / "t.parquet")
