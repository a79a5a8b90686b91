"""What the limits and the advance share, which are put around a policy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from streamal.core.budgets.base import BudgetPolicy
from streamal.core.types import Candidate, Conditions, DecisionWindow, JsonState, Offer

__all__ = ["Wrapper"]


class Wrapper(BudgetPolicy):
    """Changes another policy's offers.

    Args:
        inner: the policy whose offers are changed; may itself be a wrapper.
    """

    def __init__(self, inner: BudgetPolicy) -> None:
        self.inner = inner
        self.budget = inner.budget
        self.floor = inner.floor

    @property
    def decision_window(self) -> DecisionWindow | None:
        """The inner policy's."""
        return self.inner.decision_window

    def applies(self, conditions: Conditions) -> bool:  # noqa: ARG002 - some only at times
        """Whether it may change an offer, or takes note of any, under these conditions."""
        return True

    def in_force(self, conditions: Conditions) -> BudgetPolicy:
        """See `BudgetPolicy.in_force`."""
        return self if self.applies(conditions) else self.inner.in_force(conditions)

    def preview(self, score: float, conditions: Conditions) -> Offer:
        """The inner policy's offer, changed."""
        return self.adjusted(self.inner.preview(score, conditions), conditions)

    def offers(self, candidates: Sequence[Candidate], conditions: Conditions) -> list[Offer]:
        """The inner policy's, not yet changed: earlier items of a window may use up a limit."""
        return self.inner.offers(candidates, conditions)

    def limited(self, offer: Offer, conditions: Conditions) -> Offer:
        """See `BudgetPolicy.limited`; the innermost wrapper changes first."""
        return self.adjusted(self.inner.limited(offer, conditions), conditions)

    @abstractmethod
    def adjusted(self, offer: Offer, conditions: Conditions) -> Offer:
        """What this wrapper makes of an offer. Changes no state."""

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """See `BudgetPolicy.commit`."""
        self.inner.commit(score, offer, query=query, conditions=conditions)

    def charge(self, conditions: Conditions) -> None:
        """See `BudgetPolicy.charge`."""
        self.inner.charge(conditions)

    def affords(self, conditions: Conditions) -> bool:
        """See `BudgetPolicy.affords`; every limit has to."""
        return self.inner.affords(conditions)

    def state(self) -> JsonState:
        """The inner policy's."""
        return self.inner.state()

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`."""
        self.inner.restore(state)
