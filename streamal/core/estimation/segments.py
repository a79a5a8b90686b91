"""Accuracy by segment: one tracker per value of a key, and each value against the main one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from streamal.core.estimation.comparison import Comparison, Difference
from streamal.core.estimation.measurement import Measurement
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import (
    Estimate,
    LabelledItems,
    Response,
    Responses,
    Target,
    WindowTotals,
)

__all__ = ["OTHER", "Cell", "SegmentTracker"]

#: All values of a key that have no name of their own.
OTHER = "other"
#: Windows without any event after which a value is forgotten: a week of hours.
_FORGET_AFTER = 168
#: Windows without any event after which the reference no longer serves.
_RETIRED_AFTER = 3
#: How many times the reference's events another value must have served to take its place. A new
#: reference starts all comparisons anew, so two of about the same size must not take turns.
_OVERTAKEN = 2.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One value's part of a window; see `AccuracyTracker.close`.

    Attributes:
        totals: sums over its reachable events; None when they are not known.
        items: its labelled items.
        responses: its matured and answered reviews by stratum.
    """

    totals: WindowTotals | None
    items: LabelledItems
    responses: Responses

    @property
    def events(self) -> int:
        """Its reachable events, as far as they are known."""
        return len(self.items) if self.totals is None else self.totals.events

    def plus(self, other: Cell) -> Cell:
        """Both parts as one."""
        totals = None
        if self.totals is not None and other.totals is not None:
            totals = WindowTotals(
                self.totals.events + other.totals.events,
                self.totals.sum_expected_correct + other.totals.sum_expected_correct,
            )
        strata = sorted(self.responses.keys() | other.responses.keys())
        nobody = Response(0, 0)
        pairs = [
            (name, self.responses.get(name, nobody), other.responses.get(name, nobody))
            for name in strata
        ]
        responses = {
            name: Response(one.matured + two.matured, one.answered + two.answered)
            for name, one, two in pairs
        }
        return Cell(totals, self.items.plus(other.items), responses)


@dataclass(slots=True)
class _Value:
    """What is known of one value of the key."""

    tracker: AccuracyTracker
    events: float = 0.0
    absent: int = 0
    against: dict[str, Comparison] = field(default_factory=dict)


class SegmentTracker:
    """Follows one key, such as the model version; O(values²) memory, in practice O(values).

    Args:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
        values: most values that are followed at a time, `other` besides; > 0.
    """

    def __init__(
        self, *, level: float = 0.95, least_propensity: float | None = None, values: int = 10
    ) -> None:
        if values <= 0:
            raise ValueError(f"values must be > 0, is {values}")
        self._level = level
        self._least_propensity = least_propensity
        self._most = values
        self._values: dict[str, _Value] = {}
        self._reference: str | None = None
        self._outcome_size = 1.0
        self._assumed_level = 0.5

    def measure_outcomes(self, size: float, assumed: float, factor: float = 1.0) -> None:
        """For outcomes that are measured, not counted; before each window.

        Args:
            size: how large an outcome is taken to be that was not drawn, in [0, 1].
            assumed: what the past takes an outcome to be that nothing predicts, in [0, 1].
            factor: everything so far counts times this from here on, > 0.
        """
        self._outcome_size, self._assumed_level = size, assumed
        for value in self._values.values():
            value.tracker.outcome_size, value.tracker.assumed_level = size, assumed
            for comparison in value.against.values():
                comparison.outcome_size = size
            if factor == 1.0:
                continue
            value.tracker.rescale(factor)
            for comparison in value.against.values():
                comparison.rescale(factor)

    def close(self, cells: Mapping[str, Cell]) -> None:
        """Take in the next window in time order: a cell for each value with an event in it."""
        measured: dict[str, Measurement] = {}
        for name, cell in sorted(self._bounded(cells).items()):
            value = self._value(name)
            taken = value.tracker.take(cell.totals, cell.items, cell.responses)
            value.events += taken.events
            measured[name] = taken
        self._age(measured)
        self._compare(measured)

    def estimates(self) -> dict[str, Estimate]:
        """Accuracy of each value over all windows, with intervals valid at all times together."""
        return {name: value.tracker.anytime() for name, value in sorted(self._values.items())}

    @property
    def reference(self) -> str | None:
        """The value that the others are compared with; None before the first window."""
        return self._reference

    def differences(self) -> dict[str, Difference]:
        """Accuracy of each value minus the reference's, over the windows where both served."""
        return {
            name: value.against[self._reference].difference()
            for name, value in sorted(self._values.items())
            if self._reference is not None and self._reference in value.against
        }

    def _bounded(self, cells: Mapping[str, Cell]) -> dict[str, Cell]:
        """At most so many values and `other`; those that are followed already go first.

        More come only while gates do not agree on the names.
        """
        ranked = sorted(
            cells.keys() - {OTHER},
            key=lambda name: (name not in self._values, -cells[name].events, name),
        )
        bounded = {name: cells[name] for name in ranked[: self._most]}
        rest = [cells[name] for name in (OTHER, *ranked[self._most :]) if name in cells]
        return {**bounded, OTHER: reduce(Cell.plus, rest)} if rest else bounded

    def _value(self, name: str) -> _Value:
        if name not in self._values:
            tracker = AccuracyTracker(
                level=self._level,
                least_propensity=self._least_propensity,
                target=Target.EXPECTED,
            )
            tracker.outcome_size = self._outcome_size
            tracker.assumed_level = self._assumed_level
            self._values[name] = _Value(tracker)
        return self._values[name]

    def _age(self, measured: Mapping[str, Measurement]) -> None:
        """Forget what has not been seen for long, and the longest unseen beyond the limit."""
        for name, value in self._values.items():
            value.absent = 0 if name in measured else value.absent + 1
        named = sorted(
            (name for name in self._values if name != OTHER),
            key=lambda name: (self._values[name].absent, -self._values[name].events, name),
        )
        kept = {OTHER, *named[: self._most]}
        self._values = {
            name: value
            for name, value in self._values.items()
            if name in kept and value.absent < _FORGET_AFTER
        }

    def _compare(self, measured: Mapping[str, Measurement]) -> None:
        present = [name for name in self._values if name in measured and name != OTHER]
        if not present:
            return
        self._reference = self._choose(present)
        for name in present:
            if name == self._reference or self._reference not in measured:
                continue
            against = self._values[name].against
            comparison = against.setdefault(self._reference, Comparison(self._level))
            comparison.outcome_size = self._outcome_size
            comparison.close(measured[name], measured[self._reference])
        for value in self._values.values():
            value.against = {
                other: comparison
                for other, comparison in value.against.items()
                if other in self._values
            }

    def _choose(self, present: list[str]) -> str:
        """The reference: who served most of those that still do; kept while that is about so."""
        most = min(present, key=lambda name: (-self._values[name].events, name))
        now = self._values.get(self._reference or "")
        if self._reference is None or now is None or now.absent >= _RETIRED_AFTER:
            return most
        overtaken = self._values[most].events > _OVERTAKEN * now.events
        return most if overtaken else self._reference
