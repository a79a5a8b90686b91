"""Rows of CSV and JSON-lines files."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamal.core.types import FeatureValue
from streamal.errors import SettingsInvalid
from streamal.tabular import Row, class_name, read_rows


def rows(tmp_path: Path, text: str | bytes, name: str = "data.csv") -> list[Row]:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_rows(path))


def problem(tmp_path: Path, text: str | bytes, name: str = "data.csv") -> str:
    with pytest.raises(SettingsInvalid) as caught:
        rows(tmp_path, text, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1),
        ("-1", -1),
        (" 2 ", 2),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("red", "red"),
        ("2026-01-01", "2026-01-01"),
        ("TRUE", True),
        ("false", False),
        ("", None),
        ("NA", None),
        ("NaN", None),
        ("null", None),
        ("?", None),
        ("inf", None),
        ("-Infinity", None),
        ("1e999", None),
        ('"a,b"', "a,b"),
    ],
)
def test_cells(cell: str, value: FeatureValue, tmp_path: Path) -> None:
    (row,) = rows(tmp_path, f"x,y\n{cell},end\n")
    assert row == {"x": value, "y": "end"}
    assert type(row["x"]) is type(value)


def test_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    assert rows(tmp_path, b"\xef\xbb\xbfx,y\r\n1,2\r\n") == [{"x": 1, "y": 2}]


def test_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path, "") == []
    assert rows(tmp_path, "x,y\n") == []
    assert rows(tmp_path, "\n\n", "data.jsonl") == []


@pytest.mark.parametrize("line", ["1", "1,2,3"])
def test_a_csv_row_of_another_length(line: str, tmp_path: Path) -> None:
    assert "another number of cells" in problem(tmp_path, f"x,y\n{line}\n")


@pytest.mark.parametrize("name", ["data.jsonl", "data.ndjson", "DATA.JSONL"])
def test_json_lines(name: str, tmp_path: Path) -> None:
    text = '{"a": 1, "b": null, "c": [1, 2.5], "d": true, "e": "x"}\n\n{"a": 2}\n'
    assert rows(tmp_path, text, name) == [
        {"a": 1, "b": None, "c": (1, 2.5), "d": True, "e": "x"},
        {"a": 2},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}\n{", "line 2: not JSON"),
        ("{}\n[]", "line 2: not a JSON object"),
        ('{}\n{"a": {"b": 1}}', "line 2: a: must be a number, text"),
        ('{"a": ["x"]}', "line 1: a: must be a number, text"),
        ('{"a": [true]}', "line 1: a: must be a number, text"),
        ('{"a": NaN}', "line 1: not JSON"),
    ],
)
def test_json_lines_that_are_no_rows(text: str, words: str, tmp_path: Path) -> None:
    assert words in problem(tmp_path, text, "data.jsonl")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "allowed: .csv, .jsonl, .ndjson" in problem(tmp_path, "", "data.xlsx")
    assert "cannot be read" in problem(tmp_path, b"x\n\xff\n")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        list(read_rows(tmp_path / "missing.csv"))


def test_rows_come_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"a": 1}\nnot json\n', encoding="utf-8")
    assert next(read_rows(path)) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "name"),
    [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), (False, "false"), ("a", "a"), ("", "")],
)
def test_class_names_are_those_of_the_wire(value: FeatureValue, name: str) -> None:
    assert class_name(value) == name


@pytest.mark.parametrize("value", [None, (1.0,)])
def test_what_is_no_class(value: FeatureValue) -> None:
    with pytest.raises(SettingsInvalid, match="not a class"):
        class_name(value)
