"""The columns of a batch, as classifiers see them: one table, or one mapping per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_ITEMS",
    "Column",
    "Columns",
    "Encoded",
    "Table",
    "column_sums",
    "paired_sums",
    "weighted_sums",
]

#: Numbers, one row per column and one entry per item: shape (columns, n), C-contiguous.
Table: TypeAlias = NDArray[np.float64]

#: What a classifier sees: a number, a nominal code in a 1-tuple (see `Encoding.NOMINAL`), or, in a
#: user's own pipeline, the text itself.
Column: TypeAlias = "float | str | tuple[int]"
Columns: TypeAlias = dict[str, Column]

#: Columns that are no numbers, with None where an item has none.
_Others: TypeAlias = Mapping[str, Sequence["str | tuple[int] | None"]]


class Encoded:
    """The columns of n items.

    Args:
        names: of the rows of the table; all different.
        table: shape (names, n), NaN where an item lacks the column.
        others: columns that are no numbers; where an item has one, it hides a number of that name.
        fixed: whether all batches have these names until the front end learns.
        complete: whether no item lacks any column.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        table: Table,
        others: _Others | None = None,
        *,
        fixed: bool,
        complete: bool,
    ) -> None:
        self.names = names
        self.fixed = fixed
        self.complete = complete
        self._table = table
        self._others: _Others = others or {}

    def __len__(self) -> int:
        return len(self._table.T)

    @classmethod
    def of_row(cls, columns: Mapping[str, Column]) -> Encoded:
        """One item."""
        numbers = {name: x for name, x in columns.items() if isinstance(x, float | int)}
        others = {name: [x] for name, x in columns.items() if isinstance(x, str | tuple)}
        table = np.array(list(numbers.values()), dtype=np.float64).reshape(len(numbers), 1)
        return cls(tuple(numbers), table, others, fixed=False, complete=False)

    @cached_property
    def table(self) -> Table:
        """All numbers, shape (names, n); 0 where an item lacks the column."""
        return self._table if self.complete else np.where(np.isnan(self._table), 0.0, self._table)

    def chosen(self, names: tuple[str, ...]) -> Table:
        """Some numbers, shape (names, n).

        0 where an item lacks the column, NaN where it has something else than a number.
        """
        if names == self.names and not self._others:
            return self.table
        places = {name: place for place, name in enumerate(self.names)}
        rows, found = [], []
        for row, name in enumerate(names):
            if name in places:
                rows.append(row)
                found.append(places[name])
        chosen = np.zeros((len(names), len(self)))
        chosen[rows] = self.table[found]
        for row, name in enumerate(names):
            if name in self._others:
                chosen[row, [value is not None for value in self._others[name]]] = np.nan
        return chosen

    @cached_property
    def rows(self) -> list[Columns]:
        """One mapping per item, without the columns that it lacks."""
        names = self.names
        values = self._table.T.tolist()
        rows: list[Columns]
        if self.complete or not np.isnan(self._table).any():
            rows = [dict(zip(names, row, strict=True)) for row in values]
        else:
            rows = [
                {name: x for name, x in zip(names, row, strict=True) if x == x} for row in values
            ]
        for name, others in self._others.items():
            for columns, value in zip(rows, others, strict=True):
                if value is not None:
                    columns[name] = value
        return rows


#: A table of one item has only one axis left to numpy, which then adds up in another order.
LEAST_ITEMS: Final = 2


def weighted_sums(weights: Table, table: Table) -> Table:
    """The product of two matrices, in which no item depends on those beside it.

    Every entry is added up over the columns in their order, to the last bit the same whatever the
    other items are; a product by BLAS is not.

    Args:
        weights: shape (sums, columns).
        table: shape (columns, n).

    Returns:
        Shape (sums, n).
    """
    size = table.shape[1]
    if size < LEAST_ITEMS:
        table = np.concatenate([table] * LEAST_ITEMS, axis=1)
    sums = np.einsum("sc,cn->sn", np.ascontiguousarray(weights), np.ascontiguousarray(table))
    return sums if sums.shape[1] == size else np.ascontiguousarray(sums[:, :size])


def paired_sums(tables: NDArray[np.float64], table: Table) -> Table:
    """Sums over the columns of products entry by entry, in the columns' order.

    Args:
        tables: shape (sums, columns, n), n >= 2, C-contiguous.
        table: shape (columns, n), C-contiguous.

    Returns:
        Shape (sums, n).
    """
    sums: Table = np.einsum("scn,cn->sn", tables, table)
    return sums


def column_sums(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums over the rows of tables, item by item, in their order.

    Args:
        tables: shape (..., rows, n), at least one row.

    Returns:
        Shape (..., n).
    """
    total: NDArray[np.float64] = tables[..., 0, :].copy()
    for row in range(1, tables.shape[-2]):
        total += tables[..., row, :]
    return total
