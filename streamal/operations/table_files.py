"""Tables written a row at a time: JSON lines, CSV and Parquet, whole or not at all."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from streamal.errors import SettingsInvalid

__all__ = ["Cell", "Columns", "Kind", "Row", "check_table", "open_table"]

Cell: TypeAlias = bool | int | float | str | datetime | Sequence[float] | Sequence[str] | None
Row: TypeAlias = Mapping[str, Cell]
_Write: TypeAlias = Callable[[Row], None]

#: Rows that Parquet encodes together.
_ROW_GROUP: Final = 5000


class Kind(StrEnum):
    """What a column holds."""

    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"
    TIME = "time"
    NUMBERS = "numbers"
    WORDS = "words"


class Columns:
    """The columns of a table and their kinds; a column whose values differ in kind is text.

    Args:
        fixed: those that are there whatever the rows hold, in order.
    """

    def __init__(self, fixed: Mapping[str, Kind]) -> None:
        self._kinds: dict[str, Kind | None] = dict(fixed)
        self._fixed = frozenset(fixed)

    def see(self, row: Row) -> None:
        """Make room for a row."""
        for name, value in row.items():
            if name not in self._fixed:
                self._kinds[name] = _joined(self._kinds.get(name), _kind(value))

    def kinds(self) -> dict[str, Kind]:
        """Name to kind: the fixed ones first, then the others by name."""
        others = sorted(self._kinds.keys() - self._fixed)
        names = [*(name for name in self._kinds if name in self._fixed), *others]
        return {name: self._kinds[name] or Kind.TEXT for name in names}


def _kind(value: Cell) -> Kind | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return Kind.FLAG
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.TIME if isinstance(value, datetime) else Kind.NUMBERS


def _joined(known: Kind | None, seen: Kind | None) -> Kind | None:
    if known is None or seen is None:
        return known or seen
    return known if known is seen else Kind.TEXT


def check_table(path: Path) -> None:
    """Find what is wrong with a target before the work that fills it.

    Raises:
        SettingsInvalid: another ending, the file can't be written, or Parquet's library is missing.
    """
    with _written(path, {}, keep=False):
        pass


def open_table(path: Path, kinds: Mapping[str, Kind]) -> AbstractContextManager[_Write]:
    """A function that writes rows to `path`, which appears when all are written.

    Args:
        path: ends in .jsonl, .csv or .parquet; an existing file is replaced.
        kinds: columns in order; what a row lacks is left empty.

    Raises:
        SettingsInvalid: as for `check_table`.
    """
    return _written(path, kinds, keep=True)


@contextmanager
def _written(path: Path, kinds: Mapping[str, Kind], *, keep: bool) -> Iterator[_Write]:
    openers = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise SettingsInvalid(
            f"--to = {path}: can't write this kind; allowed: {', '.join(openers)}"
        )
    half_written = path.with_name(f".{path.name}.part")
    try:
        with opener(half_written, kinds) as write:
            yield write
        if keep:
            half_written.replace(path)
    except OSError as error:
        raise SettingsInvalid(f"--to = {path}: can't be written ({error.strerror})") from error
    finally:
        half_written.unlink(missing_ok=True)


@contextmanager
def _jsonl(path: Path, kinds: Mapping[str, Kind]) -> Iterator[_Write]:
    with path.open("wb") as file:

        def write(row: Row) -> None:
            document = {name: row.get(name) for name in kinds}
            file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))

        yield write


@contextmanager
def _csv(path: Path, kinds: Mapping[str, Kind]) -> Iterator[_Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(kinds)
        yield lambda row: writer.writerow([_as_text(row.get(name)) for name in kinds])


def _as_text(value: Cell) -> str:
    """As `streamal.tabular` reads it back; lists as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, int | float) else orjson.dumps(value).decode()


@contextmanager
def _parquet(path: Path, kinds: Mapping[str, Kind]) -> Iterator[_Write]:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise SettingsInvalid(
            f"--to = {path}: writing Parquet needs pyarrow; install streamal[lab]"
        ) from error
    schema = arrow.schema([(name, _arrow_type(arrow, kind)) for name, kind in kinds.items()])
    rows: list[dict[str, object]] = []
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            rows.clear()

        def write(row: Row) -> None:
            rows.append({name: _fitting(row.get(name), kind) for name, kind in kinds.items()})
            if len(rows) >= _ROW_GROUP:
                flush()

        yield write
        flush()


def _arrow_type(arrow: Any, kind: Kind) -> object:  # noqa: ANN401  an optional library's module
    types = {
        Kind.FLAG: arrow.bool_(),
        Kind.NUMBER: arrow.float64(),
        Kind.TEXT: arrow.string(),
        Kind.TIME: arrow.timestamp("us", tz="UTC"),
        Kind.NUMBERS: arrow.list_(arrow.float64()),
        Kind.WORDS: arrow.list_(arrow.string()),
    }
    return types[kind]


def _fitting(value: Cell, kind: Kind) -> object:
    """Parquet's columns have one type; a column of several kinds holds their text."""
    if kind is Kind.TEXT and value is not None:
        return _as_text(value)
    if kind is Kind.NUMBER and isinstance(value, int):
        return float(value)
    return value
