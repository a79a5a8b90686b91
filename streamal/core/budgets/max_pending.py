"""The limit on unanswered reviews: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from streamal.core.budgets.base import BudgetPolicy
from streamal.core.budgets.wrapper import Wrapper
from streamal.core.parameters import Range
from streamal.core.types import Conditions, Offer, Reason

__all__ = ["MaxPending", "PendingLimit"]

#: Unanswered reviews.
PendingLimit: TypeAlias = Annotated[int, Range(low=1)]


class MaxPending(Wrapper):
    """Slows another policy to its exploration floor while too many reviews are unanswered.

    A soft limit: exploration goes on, so that estimates stay unbiased while reviewers are away.

    Formula:
        propensity = min(inner propensity, floor) while pending >= max_pending, else the inner one.

    Range:
        as the inner policy's.

    Args:
        inner: the policy that is limited.
        max_pending: unanswered reviews from which on only exploration goes on. Without a count
            (`Conditions.pending` is None) nothing is limited.

    Examples:
        >>> from streamal.core.budgets.fixed_threshold import FixedThreshold
        >>> policy = MaxPending(FixedThreshold(budget=0.1), max_pending=50)
        >>> policy.preview(0.9, Conditions(now=0.0, pending=49)).propensity
        1.0
        >>> round(policy.preview(0.9, Conditions(now=0.0, pending=50)).propensity, 3)
        0.02
    """

    name: ClassVar[str] = "max_pending"
    zero_propensity: ClassVar[str] = "all items while the limit holds"

    def __init__(self, inner: BudgetPolicy, max_pending: PendingLimit) -> None:
        super().__init__(inner)
        self.max_pending = max_pending

    def applies(self, conditions: Conditions) -> bool:
        """While as many reviews are pending."""
        return conditions.pending is not None and conditions.pending >= self.max_pending

    def adjusted(self, offer: Offer, conditions: Conditions) -> Offer:
        """See the class."""
        if not self.applies(conditions) or offer.reason is Reason.RATE_LIMITED:
            return offer
        return Offer(min(offer.propensity, self.floor), offer.threshold, Reason.MAX_PENDING)
