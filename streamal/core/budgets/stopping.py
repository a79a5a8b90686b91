"""Stopping once quality is reached: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from streamal.core.budgets.base import BudgetPolicy
from streamal.core.budgets.wrapper import Wrapper
from streamal.core.parameters import Range
from streamal.core.types import Conditions, Offer, Reason

__all__ = ["Stopping", "TargetAccuracy"]

#: An accuracy to reach; 1 is never reached with confidence.
TargetAccuracy: TypeAlias = Annotated[float, Range(0, 1, open_low=True, open_high=True)]


class Stopping(Wrapper):
    """Slows another policy to its exploration floor while accuracy is high enough for sure.

    Labels that improve what is good already are better kept for later. Exploration goes on, so the
    estimate stays honest and notices when the accuracy is lost; then, or while a drift is being
    answered with a raised budget, the policy spends again. What is not spent is forfeited.

    Formula:
        propensity = min(inner propensity, floor) while accuracy_low >= stop_at_accuracy and the
        budget is not raised, else the inner one; accuracy_low is the lower end of the confidence
        sequence for the accuracy since the last drift, which holds however often one looks.

    Range:
        as the inner policy's.

    Args:
        inner: the policy that is limited.
        stop_at_accuracy: the accuracy that is enough. Without an estimate
            (`Conditions.accuracy_low` is None) nothing is limited.

    Examples:
        >>> from streamal.core.budgets.fixed_threshold import FixedThreshold
        >>> policy = Stopping(FixedThreshold(budget=0.1), stop_at_accuracy=0.9)
        >>> policy.preview(0.9, Conditions(now=0.0, accuracy_low=0.89)).propensity
        1.0
        >>> round(policy.preview(0.9, Conditions(now=0.0, accuracy_low=0.91)).propensity, 3)
        0.02

    References:
        Stopping at a confidence bound: Schohn, G., and Cohn, D. (2000). Less is more: active
        learning with support vector machines. ICML 2000, 839-846, section 4, stop where nothing is
        gained; a bound on a held-out estimate instead: Ishibashi, H., and Hino, H. (2020). Stopping
        criterion for active learning based on deterministic generalization bounds. AISTATS 2020,
        386-397.
    """

    name: ClassVar[str] = "stopping"
    zero_propensity: ClassVar[str] = "all items while the limit holds"

    def __init__(self, inner: BudgetPolicy, stop_at_accuracy: TargetAccuracy) -> None:
        super().__init__(inner)
        self.stop_at_accuracy = stop_at_accuracy

    def applies(self, conditions: Conditions) -> bool:
        """While the accuracy is reached and no drift is being answered."""
        low = conditions.accuracy_low
        return low is not None and low >= self.stop_at_accuracy and conditions.budget_factor <= 1.0

    def adjusted(self, offer: Offer, conditions: Conditions) -> Offer:
        """See the class."""
        if not self.applies(conditions) or offer.reason is Reason.RATE_LIMITED:
            return offer
        return Offer(min(offer.propensity, self.floor), offer.threshold, Reason.STOPPED)
