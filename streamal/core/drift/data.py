"""Data drift without labels: each closed window's tables against a reference's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streamal.core.drift.base import as_float, as_list, as_state
from streamal.core.drift.comparison import (
    Cells,
    Comparison,
    adjusted,
    cells_of,
    compare,
    dispersion,
    median,
)
from streamal.core.drift.table import Summary, Table
from streamal.core.types import JsonState

__all__ = ["DataDrift", "DataDriftOptions", "Measured", "VariableShift"]

#: New categories that a cause names.
_NAMED: Final = 3
#: Events of a new category that are worth to be named.
_NOTABLE: Final = 5


@dataclass(frozen=True, slots=True)
class DataDriftOptions:
    """How windows are compared.

    Attributes:
        sliding: whether the reference is always the latest windows; else it is the first ones, for
            good.
        reference_windows: windows that make the reference, >= 2.
        false_alarm_rate: chance of any alarm per window while nothing changes, in (0, 1).
        least_shift: population stability index below which a difference, however certain, is too
            small to matter, >= 0.
        limit: see `Table`.
        most_features: see `Summary`.
    """

    sliding: bool
    reference_windows: int
    false_alarm_rate: float
    least_shift: float
    limit: int
    most_features: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One variable of one window.

    Attributes:
        stability_index: see `Comparison`.
        p_value: adjusted for all variables of the window.
    """

    stability_index: float
    p_value: float


@dataclass(frozen=True, slots=True)
class VariableShift:
    """A variable that looks different from its reference, for the first time in a row.

    Attributes:
        variable: its name.
        stability_index: how different.
        p_value: how surely, adjusted for all variables of the window.
        detail: what is different, for people.
    """

    variable: str
    stability_index: float
    p_value: float
    detail: str


@dataclass(frozen=True, slots=True)
class _Reference:
    """Pooled windows, and how much they differ from one another."""

    windows: int
    pooled: Summary
    inflation: dict[str, float]

    @classmethod
    def of(cls, windows: Sequence[Summary], options: DataDriftOptions) -> _Reference:
        pooled = Summary(options.limit, options.most_features)
        for window in windows:
            pooled.merge(window)
        inflation = {
            name: dispersion([_cells(pooled, window, name) for window in windows])
            for name in pooled.tables
        }
        return cls(len(windows), pooled, inflation)

    def json(self) -> JsonState:
        return {
            "windows": self.windows,
            "pooled": self.pooled.json(),
            "inflation": dict(sorted(self.inflation.items())),
        }

    def compare(self, window: Summary, name: str) -> Comparison:
        cells = _cells(self.pooled, window, name)
        return compare(cells, self.inflation.get(name, 1.0), self.windows)


class DataDrift:
    """Compares closed windows with the reference, variable by variable.

    A difference is an alarm when it is certain and large: the test is adjusted for the number of
    variables and for how much the reference's windows differ among themselves, and the stability
    index is at least `least_shift`. It is raised once and again only after the variable has looked
    normal in between.
    """

    def __init__(self, options: DataDriftOptions) -> None:
        self._options = options
        self._frozen: _Reference | None = None
        self._shifted: set[str] = set()
        #: Every variable of the last window that was compared.
        self.measured: dict[str, Measured] = {}

    @property
    def needs_windows(self) -> bool:
        """Whether `close` uses the windows before; a frozen reference does without."""
        return self._frozen is None

    def close(self, window: Summary, before: Sequence[Summary]) -> list[VariableShift]:
        """Compare a window.

        Args:
            window: complete.
            before: the latest `reference_windows` windows before it, or fewer if there are no more.

        Returns:
            The variables that have begun to differ, most different first; none while there are too
            few windows to make a reference.
        """
        reference = self._frozen or self._made(before)
        if reference is None:
            return []
        compared = {
            name: reference.compare(window, name)
            for name in sorted({*reference.pooled.tables, *window.tables})
        }
        p_values = adjusted({name: each.p_value for name, each in compared.items()})
        self.measured = {
            name: Measured(each.stability_index, p_values[name]) for name, each in compared.items()
        }
        certain = {n for n in compared if p_values[n] <= self._options.false_alarm_rate}
        shifted = {n for n in certain if self._is_large(compared[n])}
        fresh = shifted - self._shifted
        self._shifted = shifted
        found = [
            VariableShift(
                variable=name,
                stability_index=compared[name].stability_index,
                p_value=p_values[name],
                detail=_detail(reference.pooled, window, name),
            )
            for name in fresh
        ]
        return sorted(found, key=lambda shift: (-shift.stability_index, shift.variable))

    def _is_large(self, comparison: Comparison) -> bool:
        return comparison.stability_index >= self._options.least_shift

    def _made(self, before: Sequence[Summary]) -> _Reference | None:
        if len(before) < self._options.reference_windows:
            return None
        reference = _Reference.of(before[-self._options.reference_windows :], self._options)
        if not self._options.sliding:
            self._frozen = reference
        return reference

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; bounded by variables times bins."""
        return {
            "shifted": [*sorted(self._shifted)],
            "frozen": None if self._frozen is None else self._frozen.json(),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        self._shifted = {str(name) for name in as_list(state.get("shifted"))}
        frozen = as_state(state.get("frozen"))
        self._frozen = None
        if frozen and not self._options.sliding:
            self._frozen = _Reference(
                int(as_float(frozen.get("windows"))),
                Summary.read(
                    as_state(frozen.get("pooled")),
                    self._options.limit,
                    self._options.most_features,
                ),
                {n: as_float(v) for n, v in as_state(frozen.get("inflation")).items()},
            )


def _cells(reference: Summary, window: Summary, name: str) -> Cells:
    nothing = Table(reference.limit)
    return cells_of(
        reference.tables.get(name, nothing),
        reference.missing(name),
        window.tables.get(name, nothing),
        window.missing(name),
    )


def _detail(reference: Summary, window: Summary, name: str) -> str:
    """What changed: missing values, new categories, the middle of the numbers, as far as any."""
    nothing = Table(reference.limit)
    before, now = reference.tables.get(name, nothing), window.tables.get(name, nothing)
    parts = []
    missing = (reference.missing(name) / reference.events, window.missing(name) / window.events)
    if abs(missing[1] - missing[0]) >= 0.01:
        parts.append(f"missing {missing[0]:.1%} -> {missing[1]:.1%}")
    new = [
        category
        for category, count in sorted(now.categories.items(), key=lambda item: -item[1])
        if category not in before.categories and count >= _NOTABLE
    ]
    if new:
        parts.append(f"new: {', '.join(map(repr, new[:_NAMED]))}")
    middles = (median(before), median(now))
    if None not in middles and middles[0] != middles[1]:
        parts.append(f"median {middles[0]:g} -> {middles[1]:g}")
    return "; ".join(parts) or "the shares of its values"
