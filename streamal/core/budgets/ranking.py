"""What the policies share that rank a score among the latest ones."""

from __future__ import annotations

from streamal.core.budgets.base import THROTTLED, BudgetPolicy, own_state, read_number
from streamal.core.budgets.spend import Spend
from streamal.core.score_window import ScoreWindow
from streamal.core.types import Conditions, JsonState, Offer

__all__ = ["RankingPolicy"]


class RankingPolicy(BudgetPolicy):
    """Keeps an account of the spend and a window of scores; `preview` is left to the policy."""

    _spend: Spend
    _scores: ScoreWindow

    def commit(
        self,
        score: float,
        offer: Offer,
        *,
        query: bool,
        conditions: Conditions,
    ) -> None:
        """See `BudgetPolicy.commit`."""
        self._spend.book(
            query=query,
            throttled=offer.reason in THROTTLED,
            factor=conditions.budget_factor,
        )
        self._scores.add(score)

    def state(self) -> JsonState:
        """See `BudgetPolicy.state`."""
        return {
            self.name: {
                **self._spend.state(),
                "items": self._scores.added,
                "scores": self._scores.encode(),
            }
        }

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`; another window size keeps the newest scores."""
        own = own_state(state, self.name)
        self._spend.restore(own)
        scores = own.get("scores")
        self._scores.decode(
            scores if isinstance(scores, str) else "", int(read_number(own, "items", 0))
        )
