"""Losses as outcomes in [0, 1]: their unit, which grows with them, and their typical size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np

from streamal.core.estimation.values import Estimate, Interval, LabelledItems, WindowTotals
from streamal.core.types import JsonState

__all__ = ["LabelledLosses", "LossScale", "LossTotals"]

#: The unit lies at least this far above the largest loss, so that intervals fit under it.
_HEADROOM: Final = 4.0
#: Labels below which no interval is called reliable.
_FEW_LABELS: Final = 30
#: Of these, in effective labels, as many as make up the sum of losses. With fewer, a much larger
#: loss is likely yet to come: 95 % intervals for log-normal losses cover 89 to 92 %.
_FEW_OUTCOMES: Final = 20.0


@dataclass(frozen=True, slots=True)
class LossTotals:
    """Sums over all reachable events of one window.

    Attributes:
        events: accepted events that had a chance to be routed.
        sum_expected_loss: sum of g, the predicted loss of each event; 0 when nothing predicts it.
    """

    events: int
    sum_expected_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelledLosses:
    """The routed items of one window that a human has answered; sequences of one length.

    Attributes:
        loss: |prediction - truth|, >= 0.
        expected_loss: g >= 0, computed before the truth was known; 0 where nothing predicted it.
        propensity: P(routed) in (0, 1], as recorded in the decision.
        stratum: name of the response stratum of each item.
    """

    loss: Sequence[float]
    expected_loss: Sequence[float]
    propensity: Sequence[float]
    stratum: Sequence[str] = ()


class LossScale:
    """A power of two well above the largest loss so far, and of what size losses count.

    Args:
        bound: the largest loss that is possible, > 0; None when nobody knows.
    """

    def __init__(self, bound: float | None = None) -> None:
        self.bound = bound
        #: The unit; 0 before the first window.
        self.unit = 0.0
        #: Weighted sums over the labelled items of the losses' squares and cubes, in the unit.
        self._squares = self._cubes = 0.0

    @property
    def most(self) -> float:
        """The largest loss that is possible, as far as anybody knows."""
        return math.inf if self.bound is None else self.bound

    @property
    def typical(self) -> float:
        """Of what size the losses are that the variance is made of, in their own unit; >= 0.

        The size of every error for the outcomes of accuracy, and three times the mean for
        exponentially distributed losses: a window that happened to draw no such loss reports too
        little of both, mean and variance.
        """
        return self.typical_share * self.unit

    @property
    def typical_share(self) -> float:
        """`typical` in the unit, in [0, 1]."""
        return self._cubes / self._squares if self._squares else 0.0

    @property
    def assumed_share(self) -> float:
        """What a loss is taken to be that nothing predicts, in the unit: half a typical one."""
        return self.typical_share / 2.0 or 0.5

    def make_room(
        self, totals: Iterable[LossTotals | None], items: Iterable[LabelledLosses]
    ) -> float:
        """Have a unit that nothing in these parts of a window exceeds.

        Returns:
            The old unit over the new one: by what everything so far is to be multiplied; 1 for
            nothing to do.

        Raises:
            ValueError: a loss is negative or not finite.
        """
        found = [loss for each in items for loss in (*each.loss, *each.expected_loss)]
        found += [each.sum_expected_loss / each.events for each in totals if each and each.events]
        smallest, largest = min(found, default=0.0), max(found, default=0.0)
        if not 0.0 <= smallest <= largest < math.inf:
            raise ValueError(
                f"losses must be finite and at least 0; found {smallest} and {largest}"
            )
        if self.unit and largest <= self.unit:
            return 1.0
        grown = 2.0 ** math.ceil(math.log2(_HEADROOM * largest)) if largest else 1.0
        factor = self.unit / grown if self.unit else 1.0
        self._squares *= factor**2
        self._cubes *= factor**3
        self.unit = grown
        return factor

    def outcomes(self, items: LabelledLosses) -> LabelledItems:
        """Labelled losses as outcomes; their size is learned."""
        loss = np.asarray(items.loss, dtype=np.float64) / self.unit
        weight = 1.0 / np.asarray(items.propensity, dtype=np.float64)
        self._squares += float(np.sum(weight * loss**2))
        self._cubes += float(np.sum(weight * loss**3))
        return LabelledItems.of(
            loss,
            np.asarray(items.expected_loss, dtype=np.float64) / self.unit,
            items.propensity,
            tuple(items.stratum),
        )

    def sums(self, totals: LossTotals | None) -> WindowTotals | None:
        """Totals in the unit."""
        if totals is None:
            return None
        return WindowTotals(totals.events, totals.sum_expected_loss / self.unit)

    def in_unit(self, estimate: Estimate) -> Estimate:
        """An estimate of outcomes in the losses' own unit, and within the bound."""
        unit, interval = self.unit, estimate.interval
        high = min(self.most, interval.high * unit)
        return replace(
            estimate,
            value=min(estimate.value * unit, self.most),
            interval=Interval(min(high, interval.low * unit), high, interval.level),
            raw=estimate.raw * unit,
            standard_error=estimate.standard_error * unit,
            naive=estimate.naive * unit,
        )

    def anytime(self, scaled: Estimate) -> Estimate:
        """A running estimate of outcomes in the losses' own unit.

        Up to the bound, or to infinity without one, before there are labels enough.
        """
        found = self.trusted(self.in_unit(scaled))
        if scaled.interval.high < 1.0 and self.unit:
            return found
        return replace(found, interval=replace(found.interval, high=self.most))

    def trusted(self, estimate: Estimate) -> Estimate:
        """With a verdict of its own: enough labels, as many as make up the sum of losses."""
        typical = self.typical
        rarer = estimate.effective_labels * estimate.value / typical if typical else 0.0
        enough = estimate.labelled >= _FEW_LABELS and rarer >= _FEW_OUTCOMES
        return replace(estimate, reliable=enough)

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values."""
        return {"unit": self.unit, "squares": self._squares, "cubes": self._cubes}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self.unit = float(cast(float, state["unit"]))
        self._squares = float(cast(float, state["squares"]))
        self._cubes = float(cast(float, state["cubes"]))
