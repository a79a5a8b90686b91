"""What the policies share that compare a score with the latest ones."""

from __future__ import annotations

from typing import Protocol

from streamal.core.budgets.base import THROTTLED, BudgetPolicy, own_state
from streamal.core.budgets.spend import Spend
from streamal.core.types import Conditions, JsonState, Offer

__all__ = ["RankingPolicy"]


class _Window(Protocol):
    """The latest scores."""

    def add(self, score: float) -> None: ...

    def state(self) -> JsonState: ...

    def restore(self, state: JsonState) -> None: ...


class RankingPolicy(BudgetPolicy):
    """Keeps an account of the spend and a window of scores; `preview` is left to the policy.

    Args:
        spend: the account.
        window: the latest scores.
    """

    def __init__(self, spend: Spend, window: _Window) -> None:
        self._spend = spend
        self._latest = window

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """See `BudgetPolicy.commit`."""
        self._spend.book(
            query=query,
            throttled=offer.reason in THROTTLED,
            factor=conditions.budget_factor,
        )
        self._latest.add(score)

    def charge(self, conditions: Conditions) -> None:  # noqa: ARG002 - limits use it
        """See `BudgetPolicy.charge`."""
        self._spend.charge()

    def state(self) -> JsonState:
        """See `BudgetPolicy.state`."""
        return {self.name: {**self._spend.state(), **self._latest.state()}}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`; another window size keeps the newest scores."""
        own = own_state(state, self.name)
        self._spend.restore(own)
        self._latest.restore(own)
