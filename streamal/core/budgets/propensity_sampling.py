"""Propensity sampling: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.budgets.base import Budget, Exploration, mixture
from streamal.core.budgets.ranking import RankingPolicy
from streamal.core.budgets.size_window import SizeWindow
from streamal.core.budgets.spend import RESPONSE_LABELS, Spend
from streamal.core.parameters import Range
from streamal.core.types import Conditions, Offer

__all__ = ["PropensitySampling"]


class PropensitySampling(RankingPolicy):
    """Routes with a probability in proportion to a power of the score; best for estimation.

    No score is a threshold: a low one has less of a chance, not next to none. So every routed item
    speaks for a moderate number of others, and estimates vary less than behind a policy that takes
    the top for sure, at the price of fewer labels at the very top.

    Formula:
        propensity = f + (1 - f) * min(1, k * score^power), with the floor f = exploration * budget.
        k is such that the mean propensity over the window is the target:
        budget * exp(debt / account_labels) for debt >= 0, budget * (1 + debt / account_labels)
        below, kept within [f, 1]. Debt, in labels, is what the budget granted so far minus what was
        routed.

    Range:
        propensity in [exploration * budget, 1]. At any time the spend is above the budget by some
        account_labels at most and below it by some account_labels * log(1 / budget), plus chance of
        a few labels, whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible where scores are 0, and bad where they are small.
        window: how many of the latest scores the factor is taken from; of a young
            stream, the later half of its scores.
        power: how steeply the propensity rises with the score; 0 samples uniformly. If the score is
            the probability of an error, 0.5 suits estimation best: its variance is least with
            propensities in proportion to the root of the expected squared error.
        account_labels: how many labels the spend may stray from the budget. Correcting it moves
            all propensities up and down, by 1 / sqrt(2 * account_labels) of their size, 22 % at 10
            and 7 % at 100, and uneven propensities cost precision. Raise it for estimation.

    Examples:
        >>> policy = PropensitySampling(budget=0.1, exploration=0.2)
        >>> conditions = Conditions(now=0.0)
        >>> round(policy.preview(0.5, conditions).propensity, 3)
        0.1
        >>> for number in range(100):
        ...     score = 0.04 if number % 2 else 0.64
        ...     offer = policy.preview(score, conditions)
        ...     policy.commit(score, offer, query=number % 10 == 0, conditions=conditions)
        >>> [round(policy.preview(score, conditions).propensity, 2) for score in (0.04, 0.64)]
        [0.05, 0.15]

    References:
        Zrnic, T., and Candes, E. J. (2024). Active statistical inference. ICML 2024, PMLR 235.
        Certain items among probabilities proportional to size: Sarndal, C.-E., Swensson, B., and
        Wretman, J. (1992). Model assisted survey sampling. Springer; section 3.6.
    """

    name: ClassVar[str] = "propensity_sampling"
    zero_propensity: ClassVar[str] = "items with a score of nearly 0, if `power` is large"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        window: Annotated[int, Range(10, 100_000)] = 1000,
        power: Annotated[float, Range(0, 4)] = 0.5,
        account_labels: Annotated[float, Range(1, 10_000)] = RESPONSE_LABELS,
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.window = window
        self.power = power
        self.floor = exploration * budget
        self.account_labels = account_labels
        self._sizes = SizeWindow(window, power)
        super().__init__(Spend(budget, self.floor, response_labels=account_labels), self._sizes)

    def preview(self, score: float, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits use it
        """See the class."""
        share = (self._spend.target - self.floor) / (1.0 - self.floor)
        if share >= 1.0:
            return mixture(1.0, self.floor, 0.0)
        factor = self._sizes.factor(share, score)
        threshold = self._sizes.score_of(1.0 / factor) if factor > 0.0 else 1.0
        return mixture(factor * self._sizes.size_of(score), self.floor, threshold)
