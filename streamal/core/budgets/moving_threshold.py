"""What policies share whose threshold moves by a step after every item."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, TypeAlias

from streamal.core.budgets.base import (
    THROTTLED,
    Budget,
    BudgetPolicy,
    Exploration,
    mixture,
    own_state,
    read_number,
)
from streamal.core.budgets.spend import Spend
from streamal.core.parameters import Range
from streamal.core.types import Conditions, JsonState, Offer

__all__ = ["MovingThreshold", "Step"]

#: How far an item moves a threshold on scores in [0, 1].
Step: TypeAlias = Annotated[float, Range(0, 0.2, open_low=True)]


class MovingThreshold(BudgetPolicy):
    """A threshold that items which reach it push up, and all others let down.

    The threshold starts at 0: while nothing is known, everything is worth asking, and rising is
    what it does fast.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items.
        step: how far an item that reaches the threshold pushes it up, to first order.
        sure: propensity of an item that reaches the threshold while nothing is overspent, in
            (exploration * budget, 1].
    """

    def __init__(
        self, budget: Budget, exploration: Exploration, step: Step, *, sure: float = 1.0
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.step = step
        self.floor = exploration * budget
        self._sure = sure
        self._spend = Spend(budget, self.floor)
        self._threshold = 0.0

    @abstractmethod
    def crossing(self, score: float, threshold: float) -> float:
        """The probability that a score reaches the threshold, in [0, 1]; rises with the score.

        Args:
            score: informativeness in [0, 1].
            threshold: at least -step; at or below 0 every score reaches it, and far enough above 1
                none does, so it needs no other bounds.
        """

    def preview(self, score: float, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits use it
        """See the class."""
        top = self._spend.credit * self.crossing(score, self._threshold)
        return mixture(top, self.floor, min(1.0, max(0.0, self._threshold)), self._sure)

    def commit(
        self,
        score: float,
        offer: Offer,
        *,
        query: bool,
        conditions: Conditions,
    ) -> None:
        """See the class."""
        share = min(1.0, (self._spend.target - self.floor) / (self._sure - self.floor))
        self._threshold += self.step * (self.crossing(score, self._threshold) - share)
        self._spend.book(
            query=query,
            throttled=offer.reason in THROTTLED,
            factor=conditions.budget_factor,
        )

    def charge(self, conditions: Conditions) -> None:  # noqa: ARG002 - limits use it
        """See `BudgetPolicy.charge`."""
        self._spend.charge()

    def state(self) -> JsonState:
        """See `BudgetPolicy.state`."""
        return {self.name: {**self._spend.state(), "threshold": self._threshold}}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`."""
        own = own_state(state, self.name)
        self._spend.restore(own)
        self._threshold = read_number(own, "threshold", 0.0)
