"""Windowed top-k: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from streamal.core.budgets.base import (
    THROTTLED,
    Budget,
    BudgetPolicy,
    Exploration,
    mixture,
    own_state,
)
from streamal.core.budgets.diversity import diverse_order
from streamal.core.budgets.spend import RESPONSE_LABELS, Spend
from streamal.core.parameters import Range
from streamal.core.types import Candidate, Conditions, DecisionWindow, JsonState, Offer

__all__ = ["WindowedTopK"]


class WindowedTopK(BudgetPolicy):
    """Collects a window of items and routes the best of them, unlike one another.

    Pool-based sampling on a stream. Seeing the others before deciding makes the choice better and
    keeps a batch from being the same item ten times; the price is latency: an item waits until its
    window is full or its time is up. Partitions have windows of their own.

    Formula:
        propensity 1 for the best m items of n, f + (1 - f) * r for the next, f for all others, with
        the floor f = exploration * budget and m + r = n * (q - f) / (1 - f). q is the target share
        budget * (1 + debt / max(10, n * budget)), kept within [f, 1]; debt, in labels, is what the
        budget granted so far minus what was routed. The best are picked one by one, each time the
        largest score * (1 - diversity * c), where c is the largest 1 / (1 + d) with the distance d
        (root mean square per feature, in standard deviations of the window) to an item already
        picked. Among equals, the event's hash decides.

    Range:
        propensity in [exploration * budget, 1]. The spend is off the budget by some 10 labels and
        by one window's share at most, plus chance of a few labels, whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        window: items that are decided together; 1 decides each at once, by the share alone.
        seconds: longest time that an item waits for its window to fill.
        diversity: how much less an item counts that equals one already picked; 0 looks at scores
            only.

    Examples:
        >>> policy = WindowedTopK(budget=0.5, exploration=0.2, diversity=0.8)
        >>> alike = [Candidate(str(n), s, {"x": 1.0}) for n, s in enumerate((0.8, 0.9, 0.1))]
        >>> other = Candidate("3", 0.5, {"x": 9.0})
        >>> offers = policy.offers([*alike, other], Conditions(now=0.0))
        >>> [round(offer.propensity, 2) for offer in offers]
        [0.1, 1.0, 0.1, 0.8]

    References:
        Batches that are informative and diverse: Brinker, K. (2003). Incorporating diversity in
        active learning with support vector machines. ICML 2003, 59-66; the greedy trade-off is the
        maximal marginal relevance of Carbonell, J., and Goldstein, J. (1998). SIGIR '98, 335-336.
        Propensities and floor are ours.
    """

    name: ClassVar[str] = "windowed_top_k"
    zero_propensity: ClassVar[str] = "items that are not among the best of their window"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        window: Annotated[int, Range(1, 2000)] = 200,
        seconds: Annotated[float, Range(0, 86_400, open_low=True)] = 60.0,
        diversity: Annotated[float, Range(0, 1)] = 0.5,
    ) -> None:
        self.budget = budget
        self.exploration = exploration
        self.window = window
        self.seconds = seconds
        self.diversity = diversity
        self.floor = exploration * budget
        self._spend = Spend(budget, self.floor)

    @property
    def decision_window(self) -> DecisionWindow:
        """See `BudgetPolicy.decision_window`."""
        return DecisionWindow(self.window, self.seconds)

    def preview(self, score: float, conditions: Conditions) -> Offer:
        """The offer to an item that is a window of its own."""
        return self.offers([Candidate("", score, {})], conditions)[0]

    def offers(self, candidates: Sequence[Candidate], conditions: Conditions) -> list[Offer]:  # noqa: ARG002 - limits use them
        """See the class."""
        count = len(candidates)
        places = count * (self._share(count) - self.floor) / (1.0 - self.floor)
        order = diverse_order(candidates, min(count, int(places) + 1), self.diversity)
        threshold = candidates[order[max(0, min(int(places), count) - 1)]].score if order else 0.0
        tops = [0.0] * count
        for place, number in enumerate(order):
            tops[number] = min(1.0, max(0.0, places - place))
        return [mixture(top, self.floor, threshold) for top in tops]

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:  # noqa: ARG002 - nothing is ranked later
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
        """See `BudgetPolicy.state`; a window that is not decided is no state, but unread."""
        return {self.name: self._spend.state()}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`."""
        self._spend.restore(own_state(state, self.name))

    def _share(self, count: int) -> float:
        """The share of a window to route: large ones pay all debt at once, more would swing."""
        response = max(RESPONSE_LABELS, count * self._spend.rate)
        share = self._spend.rate * (1.0 + self._spend.debt / response)
        return min(1.0, max(self.floor, share))
