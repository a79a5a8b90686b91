"""Where production's errors are: the parts of the data that err more than their share.

Each labelled review stands for `weight` events, so sums of weights estimate numbers of events, and
sums over the wrong ones numbers of errors (Horvitz and Thompson 1952).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from streamal.operations.weighting import Weighted

__all__ = ["Part", "Totals", "WeakSpots"]

#: A key with more values than this is no segment but an identifier; it is left out.
_MOST_VALUES: Final = 50
#: Fewer labelled reviews of a part say nothing about it.
_LEAST_LABELLED: Final = 10


@dataclass(slots=True)
class Totals:
    """Sums over labelled reviews.

    Attributes:
        labelled: their number.
        events: how many events they stand for.
        errors: on how many of these production was wrong.
    """

    labelled: int = 0
    events: float = 0.0
    errors: float = 0.0

    def add(self, weighted: Weighted) -> None:
        """Take one in."""
        self.labelled += 1
        self.events += weighted.weight
        self.errors += 0.0 if weighted.production_correct else weighted.weight

    @property
    def error_rate(self) -> float:
        """Estimated share of errors, in [0, 1]."""
        return self.errors / self.events if self.events else 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the data.

    Attributes:
        key: what it is a part by, such as `feature country`.
        value: which part.
        totals: its sums.
        excess: errors beyond those that a part of its size would have, were they spread evenly.
    """

    key: str
    value: str
    totals: Totals
    excess: float


class WeakSpots:
    """Collects what is wrong where; memory grows with the number of keys only."""

    def __init__(self) -> None:
        self.all = Totals()
        self._parts: dict[str, dict[str, Totals] | None] = {}

    def add(self, weighted: Weighted) -> None:
        """Take in a labelled review."""
        self.all.add(weighted)
        for key, value in _parts_of(weighted):
            parts = self._parts.setdefault(key, {})
            if parts is None:
                continue
            parts.setdefault(value, Totals()).add(weighted)
            if len(parts) > _MOST_VALUES:
                self._parts[key] = None

    def worst(self, most: int) -> list[Part]:
        """The parts with most errors beyond their share, worst first."""
        rate = self.all.error_rate
        found = [
            Part(key, value, totals, totals.errors - totals.events * rate)
            for key, parts in self._parts.items()
            if parts is not None and len(parts) > 1
            for value, totals in parts.items()
            if totals.labelled >= _LEAST_LABELLED
        ]
        worse = [part for part in found if part.excess > 0]
        return sorted(worse, key=lambda part: (-part.excess, part.key, part.value))[:most]


def _parts_of(weighted: Weighted) -> Iterator[tuple[str, str]]:
    """By what production said, by its version, and by whatever has few values."""
    review = weighted.labelled.review
    if review.prediction.label is not None:
        yield "production says", review.prediction.label
    yield "production version", review.produced_by.version
    yield from _named("metadata", review.metadata.items())
    yield from _named("feature", review.features.items())


def _named(kind: str, items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    for name, value in items:
        if isinstance(value, bool | str):
            yield f"{kind} {name}", str(value)
