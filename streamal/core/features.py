"""The features of many items, by name: numbers in one table, texts beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streamal.core.types import Features, FeatureValue

#: Numbers, one per item: shape (n,).
Vector: TypeAlias = NDArray[np.float64]

#: Larger magnitudes count as missing: their squares, which running variances sum up, overflow.
LARGEST: Final = 1e100


class FeatureColumns:
    """The features of n items, by name.

    Lists of numbers are taken apart into `name.0`, `name.1`, ...; where a feature of such a name is
    a number itself, that counts. What is no number of a magnitude up to `LARGEST`, no text and no
    such list is missing; a feature that is null and one that an item does not have are the same
    thing, because producers drop nulls at will.

    Args:
        rows: the features of each item, as production published them.
    """

    def __init__(self, rows: Sequence[Features]) -> None:
        self.rows = rows
        #: Results of expensive look-ups of one batch, by who made them.
        self.memo: dict[object, object] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def numbers(self) -> Mapping[str, Vector]:
        """Name to one number per item, NaN where it has none; booleans are 0 and 1."""
        return dict(zip(self.number_names, self.number_table, strict=True))

    @property
    def number_names(self) -> tuple[str, ...]:
        """The names in `numbers`, in the order of the rows of `number_table`."""
        return self._sorted.number_names

    @property
    def number_table(self) -> NDArray[np.float64]:
        """All `numbers` in one array, shape (names, n), C-contiguous."""
        return self._sorted.number_table

    @property
    def texts(self) -> Mapping[str, Sequence[str | None]]:
        """Name to one text per item, None where it has none."""
        return self._sorted.texts

    @property
    def missing(self) -> Mapping[str, NDArray[np.bool_]]:
        """Name of a feature (lists whole) to whether each item lacks it; only those that any lacks.

        A name that stands neither here nor in `names` is missing from all items.
        """
        return self._sorted.missing

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features that any item mentions, in order of appearance."""
        if self._fields is not None:
            return self._fields
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    @cached_property
    def _fields(self) -> tuple[str, ...] | None:
        """The fields that all items have, in this order: messages of one producer are alike."""
        if not self.rows:
            return ()
        first = tuple(self.rows[0])
        return first if all(tuple(row) == first for row in self.rows) else None

    @cached_property
    def _sorted(self) -> _Sorted:
        if self._fields is not None and (table := _numbers_only(self.rows)) is not None:
            kinds = dict.fromkeys(self._fields, _PLAIN_NUMBERS)
            return _Sorted(self._fields, table, {}, {}, kinds)
        sorting = _Sorting(len(self.rows))
        for name, values in self._values():
            sorting.add(name, values)
        return sorting.done()

    def _values(self) -> Iterable[tuple[str, Sequence[FeatureValue]]]:
        """Every feature with its value of each item, None where it has none."""
        rows, fields = self.rows, self._fields
        if fields:
            return zip(fields, zip(*(row.values() for row in rows), strict=True), strict=True)
        return ((name, [row.get(name) for row in rows]) for name in self.names)

    @property
    def kinds(self) -> Mapping[str, frozenset[type]]:
        """Name of a feature to types that its values are among, those of gaps included."""
        return self._sorted.kinds

    def take(self, start: int, stop: int) -> FeatureColumns:
        """Those of the items from `start` up to `stop`; what was sorted is not sorted again."""
        if start == 0 and stop == len(self):
            return self
        part = FeatureColumns(self.rows[start:stop])
        if "_sorted" in self.__dict__:
            part.__dict__["_sorted"] = self._sorted.take(start, stop)
        return part


_PLAIN_NUMBERS: Final = frozenset({float, int})
_NUMBERS: Final = _PLAIN_NUMBERS | {bool}
_TEXT: Final = frozenset({str})


class _Sorted(NamedTuple):
    """What `FeatureColumns` tells, under the same names."""

    number_names: tuple[str, ...]
    number_table: NDArray[np.float64]
    texts: dict[str, Sequence[str | None]]
    missing: dict[str, NDArray[np.bool_]]
    kinds: dict[str, frozenset[type]]

    def take(self, start: int, stop: int) -> _Sorted:
        """Those of the items from `start` up to `stop`."""
        return _Sorted(
            self.number_names,
            np.ascontiguousarray(self.number_table[:, start:stop]),
            {name: column[start:stop] for name, column in self.texts.items()},
            {name: lacks[start:stop] for name, lacks in self.missing.items()},
            self.kinds,
        )


def _numbers_only(rows: Sequence[Features]) -> NDArray[np.float64] | None:
    """All values, shape (features, n), of items with the same fields; None for other values."""
    kinds: set[type] = set()
    for row in rows:
        kinds.update(map(type, row.values()))
    if not kinds <= _PLAIN_NUMBERS:
        return None
    try:
        table = np.array([tuple(row.values()) for row in rows], dtype=np.float64).T
    except OverflowError:  # an integer beyond any double
        return None
    table = np.ascontiguousarray(table)
    return table if table.ndim == 2 and (np.abs(table) <= LARGEST).all() else None


class _Numbers(NamedTuple):
    """A column of numbers, and the feature that it is all or, as an entry of lists, a part of."""

    feature: str
    column: str
    values: Sequence[float]


class _Sorting:
    """Sorts values into numbers and texts; see `FeatureColumns`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._numbers: list[_Numbers] = []
        self._texts: dict[str, Sequence[str | None]] = {}
        #: Features of which not all values are numbers, nor all texts.
        self._mixed: list[str] = []
        self._kinds: dict[str, frozenset[type]] = {}

    def add(self, name: str, values: Sequence[FeatureValue]) -> None:
        """Take in one feature, a value per item."""
        kinds = self._kinds[name] = frozenset(map(type, values))
        if kinds <= _NUMBERS:
            self._numbers.append(_Numbers(name, name, values))  # type: ignore[arg-type]  # they are
        elif kinds == _TEXT:
            self._texts[name] = values  # type: ignore[assignment]  # all of them are text
        else:
            self._add_mixed(name, values)

    def _add_mixed(self, name: str, values: Sequence[FeatureValue]) -> None:
        self._mixed.append(name)
        if any(isinstance(value, float | int) for value in values):
            plain = [value if isinstance(value, float | int) else np.nan for value in values]
            self._numbers.append(_Numbers(name, name, plain))
        if any(isinstance(value, str) for value in values):
            self._texts[name] = [value if isinstance(value, str) else None for value in values]
        longest = max((len(each) for each in values if isinstance(each, tuple | list)), default=0)
        for index in range(longest):
            entries = [_entry(value, index) for value in values]
            self._numbers.append(_Numbers(name, f"{name}.{index}", entries))

    def done(self) -> _Sorted:
        """All that was taken in."""
        table = _table([each.values for each in self._numbers], self._size)
        usable = np.abs(table) <= LARGEST
        if not self._mixed and usable.all():
            names = tuple([each.column for each in self._numbers])
            return _Sorted(names, table, self._texts, {}, self._kinds)
        table[~usable] = np.nan
        missing = self._missing(usable)
        names, table = self._merged(table, [bool(row.any()) for row in usable])
        return _Sorted(names, table, self._texts, missing, self._kinds)

    def _missing(self, usable: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
        present = {name: np.zeros(self._size, dtype=np.bool_) for name in self._mixed}
        for each, row in zip(self._numbers, usable, strict=True):
            before = present.get(each.feature)
            present[each.feature] = row if before is None else before | row
        for name in self._mixed:
            if name in self._texts:
                present[name] |= np.array([text is not None for text in self._texts[name]])
        return {name: ~there for name, there in present.items() if not there.all()}

    def _merged(
        self, table: NDArray[np.float64], useful: Sequence[bool]
    ) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The columns that hold any number; those of the same name become one."""
        places: dict[str, int] = {}
        for place, each in enumerate(self._numbers):
            if not useful[place]:
                continue
            other = places.setdefault(each.column, place)
            if other != place:
                first, second = (place, other) if each.feature == each.column else (other, place)
                table[other] = np.where(np.isnan(table[first]), table[second], table[first])
        kept = list(places.values())
        return tuple(places), table if len(kept) == len(table) else table[kept]


def _table(columns: Sequence[Sequence[float]], size: int) -> NDArray[np.float64]:
    """Shape (columns, size)."""
    try:
        table = np.array(columns, dtype=np.float64)
    except OverflowError:  # an integer beyond any double
        table = np.array([[_finite(value) for value in column] for column in columns])
    return table.reshape(len(columns), size)


def _entry(value: FeatureValue, index: int) -> float:
    if isinstance(value, tuple | list) and index < len(value):
        entry: object = value[index]
        return entry if isinstance(entry, float | int) else np.nan
    return np.nan


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.nan
