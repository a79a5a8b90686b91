"""Balanced incremental quantile filter: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.budgets.base import (
    Budget,
    Exploration,
    mixture,
)
from streamal.core.budgets.ranking import RankingPolicy
from streamal.core.budgets.spend import Spend
from streamal.core.parameters import Range
from streamal.core.score_window import ScoreWindow, single
from streamal.core.types import Conditions, Offer

__all__ = ["BalancedIncrementalQuantileFilter"]


class BalancedIncrementalQuantileFilter(RankingPolicy):
    """Routes what is above a quantile of recent scores that moves with the balance of the account.

    Formula:
        propensity = f + (1 - f) * clip(1 + debt / 10, 0, 1) for score >= threshold, else f, with
        the floor f = exploration * budget. threshold = Q(1 - q) - R * debt / tolerance, where Q is
        the quantile function of the window, q = (budget - f) / (1 - f), and R is the largest minus
        the smallest score in the window. Debt, in labels, is what the budget granted so far minus
        what was routed. A score equal to all in the window is routed with the propensity
        budget * exp(debt / 10) for debt >= 0, budget * (1 + debt / 10) below, kept within [f, 1].

    Range:
        propensity in [exploration * budget, 1]. At any time the spend is above the budget by some
        10 labels at most, whatever the scores do, and below it by some `tolerance` and
        budget * `window` labels, plus chance of a few labels.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        window: how many of the latest scores the quantile is taken from; of a young
            stream, the later half of its scores.
        tolerance: labels of debt that lower the threshold by the whole spread of the window.

    Examples:
        >>> policy = BalancedIncrementalQuantileFilter(budget=0.1, exploration=0.2)
        >>> conditions = Conditions(now=0.0)
        >>> for number in range(100):
        ...     offer = policy.preview(number / 100, conditions)
        ...     policy.commit(number / 100, offer, query=number > 89, conditions=conditions)
        >>> [round(policy.preview(score, conditions).propensity, 2) for score in (0.9, 0.97)]
        [0.02, 1.0]

    References:
        Kottke, D., Krempl, G., and Spiliopoulou, M. (2015). Probabilistic active learning in
        datastreams. IDA 2015, LNCS 9385, 145-157. The fading propensity is ours, and the rule for
        equal scores: where the spread is 0, theirs routes everything.
    """

    name: ClassVar[str] = "balanced_incremental_quantile_filter"
    zero_propensity: ClassVar[str] = "items below the threshold"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        window: Annotated[int, Range(10, 100_000)] = 100,
        tolerance: Annotated[float, Range(1, 10_000)] = 50.0,
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.window = window
        self.tolerance = tolerance
        self.floor = exploration * budget
        self._above = (budget - self.floor) / (1.0 - self.floor)
        self._scores = ScoreWindow(window)
        super().__init__(Spend(budget, self.floor), self._scores)

    def preview(self, score: float, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits use it
        """See the class."""
        score = single(score)
        quantile, spread = self._scores.quantile(1.0 - self._above), self._scores.spread
        alike = spread == 0.0 and score == quantile
        if quantile is None or alike or self.budget >= 1.0:
            top = (self._spend.target - self.floor) / (1.0 - self.floor)
            return mixture(top, self.floor, score)
        threshold = quantile - spread * self._spend.debt / self.tolerance
        top = self._spend.credit if score >= threshold else 0.0
        return mixture(top, self.floor, min(1.0, max(0.0, threshold)))
