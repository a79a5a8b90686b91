"""Quantile: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from streamal.core.budgets.base import (
    Budget,
    Exploration,
    mixture,
)
from streamal.core.budgets.ranking import RankingPolicy
from streamal.core.budgets.spend import Spend
from streamal.core.parameters import Range
from streamal.core.score_window import ScoreWindow
from streamal.core.types import Conditions, Offer

__all__ = ["Quantile"]


class Quantile(RankingPolicy):
    """Routes the top share of recent scores; the default policy.

    An item is compared with a sliding window of scores, itself counted in. Equal scores share what
    is left of the budget at the threshold by a randomised test, so a stream of equal scores is
    sampled uniformly instead of all or not at all. What was really spent feeds back into the share
    that is routed, so the long-run spend stays at the budget when scores drift or jump.

    Formula:
        propensity = f + (1 - f) * clip((hi - (1 - q)) / (hi - lo), 0, 1), with the floor
        f = exploration * budget, lo = P(S < score) and hi = P(S <= score) over the window, and q
        set so that the mean propensity f + (1 - f) * q is the target: budget * exp(debt / 10) for
        debt >= 0, budget * (1 + debt / 10) below, kept within [f, 1]. Debt, in labels, is what the
        budget granted so far minus what was routed.

    Range:
        propensity in [exploration * budget, 1]. At any time the spend is above the budget by some
        10 labels at most and below it by some 10 * log(1 / budget), plus chance of a few labels,
        whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        window: how many of the latest scores the threshold is taken from; of a young
            stream, the later half of its scores.

    Examples:
        >>> policy, conditions = Quantile(budget=0.1, exploration=0.2), Conditions(now=0.0)
        >>> round(policy.preview(0.5, conditions).propensity, 3)
        0.1
        >>> for score in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        ...     offer = policy.preview(score, conditions)
        ...     policy.commit(score, offer, query=score == 0.9, conditions=conditions)
        >>> [round(policy.preview(score, conditions).propensity, 3) for score in (0.05, 0.95)]
        [0.02, 0.81]

    References:
        The randomised test at the threshold: Neyman, J., and Pearson, E. S. (1933). On the problem
        of the most efficient tests of statistical hypotheses. Phil. Trans. R. Soc. A 231, 289-337.
        Budgets on streams with drift: Zliobaite, I., Bifet, A., Pfahringer, B., and Holmes, G.
        (2014). Active learning with drifting streaming data. IEEE TNNLS 25 (1), 27-39.
    """

    name: ClassVar[str] = "quantile"
    zero_propensity: ClassVar[str] = "items below the threshold"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        window: Annotated[int, Range(10, 100_000)] = 300,
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.window = window
        self.floor = exploration * budget
        self._scores = ScoreWindow(window)
        super().__init__(Spend(budget, self.floor), self._scores)

    def preview(self, score: float, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits use it
        """See the class."""
        rest = self._rest(self._spend.target)
        lo, hi = self._scores.rank(score)
        threshold = self._scores.quantile(rest)
        top = (hi - rest) / (hi - lo)
        return mixture(top, self.floor, score if threshold is None else threshold)

    def decide(
        self,
        scores: Sequence[float],
        drawn: Sequence[float],
        conditions: Conditions,
        *,
        until_query: bool = False,
    ) -> tuple[list[Offer], list[bool]]:
        """See `BudgetPolicy.decide`.

        Nearly every event of nearly every pipeline comes through here, so what `preview` and
        `commit` do is done with one look-up in the window. A loan or more exploration is left to
        them.
        """
        if conditions.exploration is not None or not self._spend.is_plain(conditions.budget_factor):
            return super().decide(scores, drawn, conditions, until_query=until_query)
        spend, note, floor = self._spend, self._scores.note, self.floor
        offers: list[Offer] = []
        queries: list[bool] = []
        for score, draw in zip(scores, drawn, strict=True):
            rest = self._rest(spend.target)
            lo, hi, threshold = note(score, rest)
            top = (hi - rest) / (hi - lo)
            offer = mixture(top, floor, score if threshold is None else threshold)
            query = draw < offer.propensity
            spend.debt = (
                spend.debt + spend.budget - query
            )  # in the order of `Spend.book`, to the last bit
            offers.append(offer)
            queries.append(query)
            if query and until_query:
                break
        return offers, queries

    def _rest(self, target: float) -> float:
        """Share of the items that rank below those that are routed for their score."""
        return 1.0 - (target - self.floor) / (1.0 - self.floor)
