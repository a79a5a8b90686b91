"""Recorded rows of CSV, JSON-lines and Parquet files, one at a time: warm starts, demos, backtests.

May import `streamal.errors` and `streamal.core.types`.
"""

from __future__ import annotations

import csv
import datetime
import importlib
import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
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
_BEGINS_NUMBER = frozenset("0123456789+-.")
#: Rows of a CSV file that are read at a time, column by column.
_CSV_ROWS = 500
#: Rows of a Parquet file that are in memory at a time: enough to make decoding a batch worthwhile.
_PARQUET_ROWS = 1000
#: Bytes of each of its columns that are read at a time.
_PARQUET_BUFFER = 65_536


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of `path` in file order, in bounded memory.

    CSV needs a header line; cells that look like numbers or booleans become such, empty ones and
    infinite numbers None. JSON's objects must be flat, and its lists hold numbers. Parquet needs
    the extra `streamal[lab]`; its dates and times become ISO 8601 text, NaN and infinite numbers
    None.

    Args:
        path: a file that ends in .csv, .jsonl, .ndjson or .parquet.

    Raises:
        SettingsInvalid: another ending, not readable, or a line that is not a row.
    """
    readers = {
        ".csv": _read_csv,
        ".jsonl": _read_json_lines,
        ".ndjson": _read_json_lines,
        ".parquet": _read_parquet,
    }
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
        SettingsInvalid: there is no value, or a list.
    """
    if value is None or isinstance(value, tuple):
        raise SettingsInvalid(f"{value!r} is not a class: must be text, a number or a boolean")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read_csv(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = (line for line in csv.reader(file) if line)
        header = next(lines, None)
        while header is not None and (chunk := list(islice(lines, _CSV_ROWS))):
            if any(len(line) != len(header) for line in chunk):
                raise SettingsInvalid(f"{path}: a row has another number of cells than the header")
            columns = [_column(cells) for cells in zip(*chunk, strict=True)]
            for values in zip(*columns, strict=True):
                yield dict(zip(header, values, strict=True))


def _column(cells: tuple[str, ...]) -> list[FeatureValue]:
    """The values of a column's cells; where all are plain numbers, in a fifth of the time."""
    try:
        numbers = list(map(float, cells))
    except ValueError:
        return [_cell(text) for text in cells]
    if not all(map(math.isfinite, numbers)):
        return [_cell(text) for text in cells]
    return [
        number if "." in text or not text.strip().lstrip("+-").isdecimal() else int(text)
        for text, number in zip(cells, numbers, strict=True)
    ]


def _cell(text: str) -> FeatureValue:
    word = text.strip()
    if word[:1] in _BEGINS_NUMBER and (number := _number(word)) is not None:
        return number if math.isfinite(number) else None
    lower = word.lower()
    if lower in _MISSING:
        return None
    if lower in _BOOLEANS:
        return _BOOLEANS[lower]
    number = _number(word)
    if number is None:
        return word
    return number if math.isfinite(number) else None


def _number(word: str) -> float | None:
    try:
        # Telling the kinds apart by their look is faster than by a failure.
        return int(word) if word.lstrip("+-").isdecimal() else float(word)
    except ValueError:
        return None


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
                name: _feature(value, f"{path}, line {number}: {name}")
                for name, value in row.items()
            }


def _read_parquet(path: Path) -> Iterator[Row]:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise SettingsInvalid(
            f"{path}: reading Parquet needs pyarrow; install streamal[lab]"
        ) from error
    try:
        # Arrow's default is to fetch all of the file ahead, and to hold it until the last row.
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_PARQUET_BUFFER) as file:
            batches = file.iter_batches(batch_size=_PARQUET_ROWS)
            rows = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(rows, 1):
                yield {
                    name: _parquet_feature(value, f"{path}, row {number}: {name}")
                    for name, value in row.items()
                }
    except arrow.ArrowException as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error}") from error


def _parquet_feature(value: object, place: str) -> FeatureValue:
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _feature(value, place)


def _feature(value: object, place: str) -> FeatureValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and all(_is_number(member) for member in value):
        return tuple(value)
    raise SettingsInvalid(f"{place}: must be a number, text, a boolean, null or a list of numbers")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
