"""What the strategies of regression share: a measure in the truth's unit, brought into [0, 1]."""

from __future__ import annotations

from abc import abstractmethod
from math import fsum, isfinite
from typing import ClassVar, Final, cast

from streamal.core.strategies.base import MAXIMUM, VALUES_ONLY, Strategy, within_unit
from streamal.core.types import Context, JsonState, Task

__all__ = ["CommitteeValueStrategy", "ValueStrategy", "variance_of"]

#: Larger measures do not move the scale: one would drown it for thousands of items.
_LARGEST: Final = 1e150


class ValueStrategy(Strategy):
    """A measure u >= 0 as the score u / (u + s), with s its running mean.

    Numbers have no natural largest uncertainty as class probabilities do. Divided by the mean of
    the recent past, an item of ordinary uncertainty scores one half whatever the unit; the order of
    items is that of the measure. The mean is exact for the first `MEMORY` items and forgets
    exponentially from then on.
    """

    #: Items after which an old one has lost 63 % of its weight: a mean known to a few per cent.
    MEMORY: ClassVar[int] = 1000

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0

    @property
    def tasks(self) -> frozenset[Task]:
        """Regression."""
        return VALUES_ONLY

    def score(self, context: Context) -> float:
        """The measure against its mean; 1 when nothing is known, one half for the first item."""
        measure = self.measure(context)
        if measure is None:
            return MAXIMUM
        if measure == 0.0:
            return 0.0
        return within_unit(1.0 / (1.0 + (self._mean if self._count else measure) / measure))

    def commit(self, context: Context) -> None:
        """Take the item's measure into the mean."""
        measure = self.measure(context)
        if measure is None or not measure < _LARGEST:
            return
        self._count = min(self._count + 1, self.MEMORY)
        self._mean += (measure - self._mean) / self._count

    def state(self) -> JsonState:
        """How many items the mean is of, up to `MEMORY`, and the mean."""
        return {"count": self._count, "mean": self._mean}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._count = cast("int", state.get("count", 0))
        self._mean = cast("float", state.get("mean", 0.0))

    @abstractmethod
    def measure(self, context: Context) -> float | None:
        """The measure, >= 0; None when nothing is known."""


class CommitteeValueStrategy(ValueStrategy):
    """A measure of how much the numbers of the committee's members disagree."""

    @property
    def asks_committee(self) -> bool:
        """Always."""
        return True

    def measure(self, context: Context) -> float | None:
        """The disagreement; None with fewer than two members, or when it is no finite number."""
        values = context.committee_values
        if len(values) < 2:
            return None
        try:
            measure = self.disagreement(values)
        except OverflowError:
            return None
        return measure if isfinite(measure) else None

    @abstractmethod
    def disagreement(self, values: tuple[float, ...]) -> float:
        """The measure over two or more numbers; must not depend on their order."""


def variance_of(values: tuple[float, ...]) -> float:
    """Population variance; exact sums, so that no order of members changes a bit of it."""
    mean = fsum(values) / len(values)
    return fsum([(value - mean) ** 2 for value in values]) / len(values)
