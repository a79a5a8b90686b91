"""Whether a window's table differs from the reference's by more than chance, and by how much."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from streamal.core.drift.table import Table, bin_start

__all__ = ["Cells", "Comparison", "adjusted", "cells_of", "compare", "dispersion", "median"]

#: Cells that numbers are put into: the reference's deciles, as the usual stability index has them.
_CELLS: Final = 10
#: Expected counts below which a category is pooled with the other rare ones.
_RARE: Final = 5
#: Added to each cell before shares are compared, so that an empty one has a finite logarithm.
_SMOOTHING: Final = 0.5


class Cells(NamedTuple):
    """Counts of the same cells in the reference and now."""

    reference: tuple[float, ...]
    now: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variable of one window against the reference.

    Attributes:
        stability_index: population stability index, >= 0: 0.1 is a shift worth a look and 0.25 a
            large one, by the custom of credit scoring.
        p_value: of the test of homogeneity.
    """

    stability_index: float
    p_value: float


def cells_of(reference: Table, missing_before: int, now: Table, missing_now: int) -> Cells:
    """Both tables in the reference's deciles, its frequent categories, the rest, and missing."""
    level = max(reference.level, now.level)
    numbers = _number_cells(_at(reference, level), _at(now, level))
    categories = _category_cells(reference, now)
    pairs = [*numbers, *categories, (missing_before, missing_now)]
    kept = [pair for pair in pairs if pair[0] or pair[1]]
    return Cells(tuple(float(a) for a, _ in kept), tuple(float(b) for _, b in kept))


def compare(cells: Cells, inflation: float = 1.0, windows: int = 0) -> Comparison:
    """Test of homogeneity, and the stability index.

    Windows of one stream differ by more than samples of one distribution do: hours of the day,
    bursts of similar events. `inflation` is by how much (see `dispersion`), and the statistic is
    divided by it (Rao and Scott 1981, "The analysis of categorical data from complex sample
    surveys", JASA 76), with an F distribution because it is itself estimated.

    Args:
        cells: see `cells_of`.
        inflation: >= 1.
        windows: of the reference, that `inflation` was estimated from; fewer than 2: not at all.
    """
    index = _stability_index(cells)
    freedom = len(cells.now) - 1
    if freedom < 1 or not sum(cells.now) or not sum(cells.reference):
        return Comparison(index, 1.0)
    return Comparison(index, _p_value(_chi_square(cells) / inflation, freedom, windows))


def _p_value(statistic: float, freedom: int, windows: int) -> float:
    # Gates share this package for its tables, and compare nothing.
    from scipy.special import chdtrc, fdtrc  # noqa: PLC0415 - 20 MB

    if windows < 2:
        return float(chdtrc(freedom, statistic))
    return float(fdtrc(freedom, freedom * (windows - 1), statistic / freedom))


def dispersion(parts: Sequence[Cells]) -> float:
    """Mean of chi-square per degree of freedom over the reference's own windows; at least 1."""
    ratios = [_chi_square(part) / (len(part.now) - 1) for part in parts if len(part.now) > 1]
    return max(1.0, sum(ratios) / len(ratios)) if ratios else 1.0


def adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values that may each be compared with the level, whatever depends on what.

    Rejecting those at most q keeps the false discovery rate at most q among the variables, and so
    the chance of any alarm while nothing has changed (Benjamini and Yekutieli 2001, "The control
    of the false discovery rate in multiple testing under dependency", Annals of Statistics 29).

    >>> adjusted({"a": 0.001, "b": 0.5})
    {'a': 0.003, 'b': 0.75}
    """
    ranked = sorted(p_values, key=lambda name: (p_values[name], name))
    count = len(ranked)
    penalty = math.fsum(1 / rank for rank in range(1, count + 1))
    scaled = [p_values[name] * count * penalty / rank for rank, name in enumerate(ranked, 1)]
    smallest = list(accumulate(reversed(scaled), min, initial=1.0))[:0:-1]
    by_name = dict(zip(ranked, smallest, strict=True))
    return {name: by_name[name] for name in p_values}


def median(table: Table) -> float | None:
    """The middle of the numbers, to within a bin; None without any."""
    total, seen = sum(table.numbers.values()), 0
    for index in sorted(table.numbers):
        seen += table.numbers[index]
        if 2 * seen >= total:
            return bin_start(index, table.level)
    return None


def _at(table: Table, level: int) -> dict[int, int]:
    coarse = Table(limit=len(table.numbers) + 1)
    coarse.level = level
    coarse.merge(table)
    return coarse.numbers


def _number_cells(reference: Mapping[int, int], now: Mapping[int, int]) -> list[tuple[int, int]]:
    """Counts between the reference's deciles; a bin is never split."""
    total = sum(reference.values())
    cells: list[tuple[int, int]] = []
    before = current = seen = 0
    closed = 0
    for index in sorted({*reference, *now}):
        before += reference.get(index, 0)
        current += now.get(index, 0)
        seen += reference.get(index, 0)
        # What lies above all of the reference falls into the last cell.
        if _CELLS * seen >= (closed + 1) * total and seen < total:
            cells.append((before, current))
            closed = _CELLS * seen // total
            before = current = 0
    return [*cells, (before, current)] if before or current else cells


def _category_cells(reference: Table, now: Table) -> list[tuple[int, int]]:
    seen, current = sum(reference.categories.values()), sum(now.categories.values())
    share = (current + now.other) / max(1, seen + reference.other)
    frequent = {
        name
        for name, count in reference.categories.items()
        if count >= _RARE and count * share >= _RARE
    }
    cells = [
        (reference.categories.get(name, 0), now.categories.get(name, 0))
        for name in sorted(frequent)
    ]
    known = {name for name in now.categories if name in reference.categories}
    rare = sum(count for name, count in reference.categories.items() if name not in frequent)
    rare_now = sum(now.categories[name] for name in known - frequent)
    new = sum(count for name, count in now.categories.items() if name not in known)
    return [*cells, (rare + reference.other, rare_now + now.other + new)]


def _chi_square(cells: Cells) -> float:
    before, now = sum(cells.reference), sum(cells.now)
    if not before or not now:
        return 0.0
    up, down = math.sqrt(before / now), math.sqrt(now / before)
    return math.fsum(
        (up * b - down * a) ** 2 / (a + b)
        for a, b in zip(cells.reference, cells.now, strict=True)
        if a + b
    )


def _stability_index(cells: Cells) -> float:
    size = len(cells.now)
    before = sum(cells.reference) + _SMOOTHING * size
    now = sum(cells.now) + _SMOOTHING * size
    index = 0.0
    for a, b in zip(cells.reference, cells.now, strict=True):
        p, q = (a + _SMOOTHING) / before, (b + _SMOOTHING) / now
        index += (q - p) * math.log(q / p)
    return index
