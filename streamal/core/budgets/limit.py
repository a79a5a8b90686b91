"""What the limits share that are put around a policy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from streamal.core.budgets.base import BudgetPolicy
from streamal.core.types import Candidate, Conditions, DecisionWindow, JsonState, Offer

__all__ = ["Limit"]


class Limit(BudgetPolicy):
    """Cuts down another policy's offers.

    Args:
        inner: the policy that is limited; may itself be inside a limit.
    """

    def __init__(self, inner: BudgetPolicy) -> None:
        self.inner = inner
        self.budget = inner.budget
        self.floor = inner.floor

    @property
    def decision_window(self) -> DecisionWindow | None:
        """The inner policy's."""
        return self.inner.decision_window

    def preview(self, score: float, conditions: Conditions) -> Offer:
        """The inner policy's offer, cut down."""
        return self.cut(self.inner.preview(score, conditions), conditions)

    def offers(self, candidates: Sequence[Candidate], conditions: Conditions) -> list[Offer]:
        """The inner policy's, not yet cut down: earlier items of a window may use up the limit."""
        return self.inner.offers(candidates, conditions)

    def limited(self, offer: Offer, conditions: Conditions) -> Offer:
        """See `BudgetPolicy.limited`; the innermost limit cuts first."""
        return self.cut(self.inner.limited(offer, conditions), conditions)

    @abstractmethod
    def cut(self, offer: Offer, conditions: Conditions) -> Offer:
        """What this limit leaves of an offer. Changes no state."""

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """See `BudgetPolicy.commit`."""
        self.inner.commit(score, offer, query=query, conditions=conditions)

    def state(self) -> JsonState:
        """The inner policy's."""
        return self.inner.state()

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`."""
        self.inner.restore(state)
