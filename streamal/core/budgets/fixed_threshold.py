"""Fixed threshold: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from streamal.core.budgets.base import (
    THROTTLED,
    Budget,
    BudgetPolicy,
    Exploration,
    mixture,
    own_state,
)
from streamal.core.budgets.spend import Spend
from streamal.core.parameters import Range
from streamal.core.types import Conditions, JsonState, Offer

__all__ = ["FixedThreshold"]

#: What a quiet spell may leave for a busy one: a day's handful of reviews, not a flood.
CARRY_OVER_LABELS: Final = 50.0


class FixedThreshold(BudgetPolicy):
    """Routes what scores at least the threshold, while the budget lasts.

    For reviewers who agreed on what is worth a look. The budget is an upper limit: when few scores
    reach the threshold, less is spent.

    Formula:
        propensity = f + (1 - f) * clip(1 + debt / 10 labels, 0, 1) for score >= threshold, else f,
        with the floor f = exploration * budget. Debt is what the budget granted so far minus what
        was routed, capped at 50 labels; below zero it is overspend.

    Range:
        propensity in [exploration * budget, 1]. The long-run spend is at most the budget and some
        10 labels.

    Args:
        budget: largest share of all items that is routed in the long run.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        threshold: score from which an item is routed.

    Examples:
        >>> policy = FixedThreshold(budget=0.1, exploration=0.2, threshold=0.8)
        >>> policy.preview(0.8, Conditions(now=0.0)).propensity
        1.0
        >>> round(policy.preview(0.79, Conditions(now=0.0)).propensity, 3)
        0.02

    References:
        Fixed uncertainty strategy in Zliobaite, I., Bifet, A., Pfahringer, B., and Holmes, G.
        (2014). Active learning with drifting streaming data. IEEE TNNLS 25 (1), 27-39. The fading
        propensity is ours: theirs stops dead when the budget is spent.
    """

    name: ClassVar[str] = "fixed_threshold"
    zero_propensity: ClassVar[str] = "items below the threshold"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        threshold: Annotated[float, Range(0, 1)] = 0.5,
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.threshold = threshold
        self.floor = exploration * budget
        self._spend = Spend(budget, self.floor, CARRY_OVER_LABELS)

    def preview(self, score: float, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits use it
        """See the class."""
        top = self._spend.credit if score >= self.threshold else 0.0
        return mixture(top, self.floor, self.threshold)

    def commit(
        self,
        score: float,  # noqa: ARG002 - the threshold does not follow the scores
        offer: Offer,
        *,
        query: bool,
        conditions: Conditions,
    ) -> None:
        """See the class."""
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
        return {self.name: self._spend.state()}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`."""
        self._spend.restore(own_state(state, self.name))
