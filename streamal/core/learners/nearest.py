"""The nearest of some kept items, for many items at once."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streamal.core.features import Vector
from streamal.core.learners.encoded import Table, column_sums, weighted_sums

__all__ = ["Nearest", "nearest"]

_Places: TypeAlias = NDArray[np.intp]

#: Distances worked out at a time; with what is made of them they stay in the processor's cache.
_TILE: Final = 30_000


class Nearest(NamedTuple):
    """Pairs of an item and one of its nearest kept items, item by item, oldest kept item first.

    Attributes:
        items: number of the item.
        places: place of the kept item.
        distances: Euclidean.
    """

    items: _Places
    places: _Places
    distances: Vector


def nearest(kept: NDArray[np.float64], table: Table, count: int) -> Nearest:
    """The nearest kept items of each item; of equally near ones the oldest.

    Products of all with all find who may be among the nearest: all that could be by any rounding,
    which is large where two items are alike. Then their distances are computed, and these decide.

    Args:
        kept: shape (kept items, columns), the oldest first.
        table: shape (columns, n).
        count: how many per item, >= 1; all when fewer are kept.
    """
    queries = np.ascontiguousarray(table.T)
    with np.errstate(all="ignore"):
        if len(kept) <= count:
            everyone = np.arange(len(queries) * len(kept))
            return _measured(kept, queries, everyone)
        columns = np.ascontiguousarray(kept.T)
        step = max(1, _TILE // len(kept))
        found = [
            _nearest(kept, columns, queries[start : start + step], count, start)
            for start in range(0, max(1, len(queries)), step)
        ]
    return found[0] if len(found) == 1 else Nearest(*map(np.concatenate, zip(*found, strict=True)))


def _nearest(
    kept: NDArray[np.float64],
    columns: Table,
    queries: NDArray[np.float64],
    count: int,
    start: int,
) -> Nearest:
    pairs = _measured(kept, queries, _candidates(columns, queries, count))
    if len(pairs.items) > count * len(queries):
        pairs = _pruned(pairs, count)
    return pairs._replace(items=pairs.items + start)


def _candidates(columns: Table, queries: NDArray[np.float64], count: int) -> _Places:
    """Number of each pair, counted item by item, that may be among the nearest.

    Args:
        columns: of the kept items, shape (columns, kept items).
        queries: shape (n, columns).
        count: how many are wanted, below the number of kept items.
    """
    lengths = column_sums(columns * columns) if len(columns) else np.zeros(columns.shape[1])
    apart = weighted_sums(queries, columns)
    apart *= -2.0
    apart += lengths  # squared distances, but for the query's own length
    limits = np.partition(apart, count - 1, axis=1)[:, count - 1]
    # Sixteen times what rounding can do, to this and to the distances that decide.
    most = lengths.max() + np.add.reduce(queries * queries, axis=1)
    limits += 16 * (len(columns) + 8) * np.finfo(np.float64).eps * most
    return np.flatnonzero(~(apart > limits[:, None]))  # what overflowed is in


def _measured(kept: NDArray[np.float64], queries: NDArray[np.float64], pairs: _Places) -> Nearest:
    items, places = np.divmod(pairs, len(kept)) if len(kept) else (pairs, pairs)
    apart = kept[places]
    apart -= queries[items]
    apart *= apart
    return Nearest(items, places, np.sqrt(np.add.reduce(apart, axis=1)))


def _pruned(pairs: Nearest, count: int) -> Nearest:
    """The first `count` pairs of each item by distance, then by place; in the order they had."""
    order = np.lexsort((pairs.places, pairs.distances, pairs.items))
    items = pairs.items[order]
    ranks = np.arange(len(order)) - np.searchsorted(items, items)
    kept = np.sort(order[ranks < count])
    return Nearest(pairs.items[kept], pairs.places[kept], pairs.distances[kept])
