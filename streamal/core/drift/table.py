"""What a feature looked like in a window: counts in bins on which all gates agree by themselves.

A number falls into the bin that its own leading bits name: sign, exponent and some bits of the
mantissa, so bins are as fine, relative to the value, wherever it lies. Nobody has to publish edges,
gates need not know of one another, and counts add up. When there are more bins than allowed,
neighbours are merged in pairs, everywhere: a coarser table is the sum of a finer one's bins, so
tables of different coarseness still add up (docs/decisions/0014).
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamal.core.drift.base import as_float, as_state
from streamal.core.features import Vector
from streamal.core.types import FeatureValue, JsonState, JsonValue

__all__ = ["FEATURE", "Summary", "Table", "bin_of", "bin_start"]

#: What the names of features begin with, so that no feature is taken for what production said.
FEATURE: Final = "feature."

#: Bits of the mantissa in the finest bins: 256 per octave, each 0.2 to 0.4 % wide.
_FINEST_BITS: Final = 8
_MANTISSA_BITS: Final = 52
#: Coarsest useful level: one bin per octave, then octaves in groups of 2, 4, ... 2048.
_COARSEST: Final = _FINEST_BITS + 11
#: Longest category that is kept as it is.
_LONGEST: Final = 64
_KEPT: Final = 48


def bin_of(number: float, level: int = 0) -> int:
    """The bin that a finite number falls into.

    Args:
        number: finite.
        level: 0 is finest; each level more merges neighbours in pairs.

    >>> bin_of(1.0) == bin_of(1.001), bin_of(1.0) < bin_of(1.01), bin_of(-0.0)
    (True, True, 0)
    >>> bin_of(-1.0) == -bin_of(1.0), bin_of(1.3, 2) == bin_of(1.3) // 4
    (True, True)
    """
    (bits,) = struct.unpack("<q", struct.pack("<d", abs(number)))
    magnitude: int = bits >> (_MANTISSA_BITS - _FINEST_BITS + level)
    return -magnitude if number < 0 else magnitude


def bin_start(index: int, level: int = 0) -> float:
    """The end of a bin that is nearer to 0.

    >>> bin_start(bin_of(300.0, 4), 4)
    288.0
    """
    bits = min(abs(index) << (_MANTISSA_BITS - _FINEST_BITS + level), 0x7FEF_FFFF_FFFF_FFFF)
    (number,) = struct.unpack("<d", struct.pack("<q", bits))
    return math.copysign(number, index)


class Table:
    """Counts of one variable's values; a value may be a number in one event and text in the next.

    Args:
        limit: most bins, and most categories besides.

    Attributes:
        level: coarseness of `numbers`, see `bin_of`.
        numbers: count by bin.
        categories: count by text; booleans are "true" and "false".
        other: values of categories that found no room.
    """

    __slots__ = ("categories", "level", "limit", "numbers", "other")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.level = 0
        self.numbers: dict[int, int] = {}
        self.categories: dict[str, int] = {}
        self.other = 0

    def add(self, values: Iterable[FeatureValue]) -> None:
        """Count values of any kind; None is not a value. A list counts by its Euclidean length."""
        numbers: list[float] = []
        texts: list[str] = []
        for value in values:
            if isinstance(value, bool):
                texts.append("true" if value else "false")
            elif isinstance(value, (int, float)):
                numbers.append(_as_double(value))
            elif isinstance(value, str):
                texts.append(value)
            elif value is not None:
                numbers.append(math.hypot(*value))
        if numbers:
            self.add_numbers(np.array(numbers))
        if texts:
            self.add_texts(texts)

    def add_numbers(self, numbers: Vector) -> None:
        """Count numbers, shape (n,); infinite ones fall into the last bin."""
        if not len(numbers):
            return
        sorted_bins = np.sort(_bins_of(numbers, self.level))
        # More bins than fit would go in one by one, and be merged all the same.
        levels = _levels_to_fit(sorted_bins, self.limit, _COARSEST - self.level)
        self._coarsen_to(self.level + levels)
        bins = _coarser_all(sorted_bins, levels)
        starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
        counts = np.diff(starts, append=len(bins))
        known = self.numbers
        for index, count in zip(bins[starts].tolist(), counts.tolist(), strict=True):
            known[index] = known.get(index, 0) + count
        self._fit_numbers()

    def add_texts(self, texts: Iterable[str]) -> None:
        """Count categories, in their order: the first ones find room."""
        for text, count in Counter(texts).items():
            category = _short(text)
            if category in self.categories or len(self.categories) < self.limit:
                self.categories[category] = self.categories.get(category, 0) + count
            else:
                self.other += count

    @property
    def total(self) -> int:
        """Values counted."""
        return sum(self.numbers.values()) + sum(self.categories.values()) + self.other

    def merge(self, other: Table) -> None:
        """Add another table's counts."""
        self._coarsen_to(max(self.level, other.level))
        apart = self.level - other.level
        for index, count in other.numbers.items():
            merged = _coarser(index, apart)
            self.numbers[merged] = self.numbers.get(merged, 0) + count
        self._fit_numbers()
        for category, count in other.categories.items():
            self.categories[category] = self.categories.get(category, 0) + count
        self.other += other.other
        self._fit_categories()

    def json(self) -> JsonState:
        """The counts; the limit is not part of it."""
        return {
            "level": self.level,
            "numbers": {str(index): count for index, count in sorted(self.numbers.items())},
            "categories": dict(sorted(self.categories.items())),
            "other": self.other,
        }

    @classmethod
    def read(cls, state: JsonState, limit: int) -> Table:
        """What `json` returned, within another limit perhaps."""
        table = cls(limit)
        table.level = min(_COARSEST, int(as_float(state.get("level"))))
        table.numbers = {
            int(index): int(as_float(count))
            for index, count in as_state(state.get("numbers")).items()
        }
        table.categories = {
            name: int(as_float(count)) for name, count in as_state(state.get("categories")).items()
        }
        table.other = int(as_float(state.get("other")))
        table._fit_numbers()
        table._fit_categories()
        return table

    def _fit_numbers(self) -> None:
        while len(self.numbers) > self.limit and self.level < _COARSEST:
            self._coarsen_to(self.level + 1)

    def _coarsen_to(self, level: int) -> None:
        apart, self.level = level - self.level, level
        if apart:
            finer, self.numbers = self.numbers, {}
            for index, count in finer.items():
                merged = _coarser(index, apart)
                self.numbers[merged] = self.numbers.get(merged, 0) + count

    def _fit_categories(self) -> None:
        """Keep the most frequent; among equals, the alphabetically first."""
        if len(self.categories) <= self.limit:
            return
        ranked = sorted(self.categories.items(), key=lambda item: (-item[1], item[0]))
        self.categories = dict(ranked[: self.limit])
        self.other += sum(count for _, count in ranked[self.limit :])


class Summary:
    """The tables of all variables over some events.

    Args:
        limit: see `Table`.
        most_features: features that are counted; of more, the alphabetically first: the same
            choice at every gate, and whatever the batches are.

    Attributes:
        events: events counted; an event without a value of a variable has that value missing.
        tables: by variable.
    """

    __slots__ = ("events", "limit", "most_features", "tables")

    def __init__(self, limit: int, most_features: int) -> None:
        self.limit = limit
        self.most_features = most_features
        self.events = 0
        self.tables: dict[str, Table] = {}

    def add(self, events: int, columns: Mapping[str, Vector | Sequence[FeatureValue]]) -> None:
        """Count some events.

        Args:
            events: how many.
            columns: variable to its values; an array has numbers only.
        """
        self.events += events
        for name in self._kept(columns):
            values = columns[name]
            if isinstance(values, np.ndarray):
                self.table(name).add_numbers(values)
            else:
                self.table(name).add(values)
        self._fit()

    def _kept(self, columns: Mapping[str, object]) -> list[str]:
        """The names without the features that `_fit` would forget at once."""
        features = sorted(name for name in columns if name.startswith(FEATURE))
        others = [name for name in columns if not name.startswith(FEATURE)]
        return others + features[: self.most_features]

    def merge(self, other: Summary) -> None:
        """Add another summary's counts."""
        self.events += other.events
        for name, table in other.tables.items():
            self.table(name).merge(table)
        self._fit()

    def missing(self, name: str) -> int:
        """Events without a value of this variable."""
        table = self.tables.get(name)
        return max(0, self.events - (table.total if table else 0))

    def json(self) -> JsonState:
        """The counts."""
        tables: dict[str, JsonValue] = {
            name: table.json() for name, table in sorted(self.tables.items())
        }
        return {"events": self.events, "tables": tables}

    @classmethod
    def read(cls, state: JsonState, limit: int, most_features: int) -> Summary:
        """What `json` returned."""
        summary = cls(limit, most_features)
        summary.events = int(as_float(state.get("events")))
        for name, table in as_state(state.get("tables")).items():
            summary.tables[name] = Table.read(as_state(table), limit)
        summary._fit()
        return summary

    def table(self, name: str) -> Table:
        """The counts of one variable, empty where there are none yet."""
        table = self.tables.get(name)
        if table is None:
            table = self.tables[name] = Table(self.limit)
        return table

    def _fit(self) -> None:
        if len(self.tables) > self.most_features:
            features = sorted(name for name in self.tables if name.startswith(FEATURE))
            for name in features[self.most_features :]:
                del self.tables[name]


def _as_double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer beyond any double
        return math.inf if number > 0 else -math.inf


def _bins_of(numbers: Vector, level: int) -> NDArray[np.int64]:
    """`bin_of` for many numbers."""
    bits = np.abs(numbers).view(np.int64)
    magnitudes = bits >> (_MANTISSA_BITS - _FINEST_BITS + level)
    return np.where(numbers < 0, -magnitudes, magnitudes)


def _levels_to_fit(sorted_bins: NDArray[np.int64], limit: int, most: int) -> int:
    """By how many levels sorted bins must be coarser so that at most `limit` are left."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if np.count_nonzero(np.diff(_coarser_all(sorted_bins, middle))) < limit:
            high = middle
        else:
            low = middle + 1
    return low


def _coarser_all(bins: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    """`_coarser` for many bins; sorted ones stay sorted."""
    return np.where(bins < 0, -(-bins >> levels), bins >> levels) if levels else bins


def _coarser(index: int, levels: int) -> int:
    return index >> levels if index >= 0 else -(-index >> levels)


def _short(text: str) -> str:
    """A long category is told from others by a digest at its end."""
    if len(text) <= _LONGEST:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{text[:_KEPT]}~{digest}"
