"""Recorded rows from CSV and JSON-lines files, one at a time: warm starts, demos, backtests.

May import `streamal.errors` and `streamal.core.types`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import orjson

from streamal.core.types import FeatureValue
from streamal.errors import SettingsInvalid

__all__ = ["Row", "class_name", "read_rows"]

Row: TypeAlias = dict[str, FeatureValue]

#: Text that stands for a missing value in a CSV cell.
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_BOOLEANS = {"true": True, "false": False}


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of `path` in file order, in bounded memory.

    CSV needs a header line; cells that look like numbers or booleans become such, empty ones None.

    Args:
        path: a file that ends in .csv, .jsonl or .ndjson.

    Raises:
        SettingsInvalid: another ending, not readable, or a line that is not a row.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_json_lines, ".ndjson": _read_json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SettingsInvalid(f"{path}: cannot read this kind; allowed: {', '.join(readers)}")
    try:
        yield from reader(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error}") from error


def class_name(value: FeatureValue) -> str:
    """A class as text, as it is on the wire: 1.0 is "1", True is "true".

    Raises:
        ValueError: there is no value, or a list.
    """
    if value is None or isinstance(value, tuple):
        raise ValueError(f"{value!r} is not a class")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read_csv(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if None in row or None in row.values():
                raise SettingsInvalid(f"{path}: a row has another number of cells than the header")
            yield {name: _cell(text) for name, text in row.items()}


def _cell(text: str) -> FeatureValue:
    word = text.strip()
    lower = word.lower()
    if lower in _MISSING:
        return None
    if lower in _BOOLEANS:
        return _BOOLEANS[lower]
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word


def _read_json_lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise SettingsInvalid(f"{path}, line {number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise SettingsInvalid(f"{path}, line {number}: not a JSON object")
            yield {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in row.items()
            }
