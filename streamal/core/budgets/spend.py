"""The account of what a policy may still spend; shared by all policies."""

from __future__ import annotations

from math import exp, inf
from typing import Final

from streamal.core.budgets.base import read_number
from streamal.core.types import JsonState

__all__ = ["REPAID", "RESPONSE_LABELS", "Spend"]

#: Share of the budget that pays back a loan: a budget that is doubled for an hour is saved again
#: over four, with three quarters of it going on meanwhile.
REPAID: Final = 0.25


#: Labels of overspend that stop all but exploration, and of debt that multiply the spend by e.
#:
#: The account is an integrating controller: one item changes the debt by b minus its draw, whose
#: mean is near b * (1 + debt / H). So debt is an AR(1) process with rate b / H per item and step
#: variance b * (1 - b); its standard deviation is sqrt(H * (1 - b) / 2), about 2 labels for H = 10
#: whatever the budget, and the relative error of the spend after n items is 2 / (b * n). Scores
#: that only ever rise hold the account H labels in overspend, no further. A smaller H is tighter
#: but swings the threshold more from item to item: the target's relative deviation is
#: 1 / sqrt(2 * H), 22 % here. Without the feedback errors add up as the square root of n.
RESPONSE_LABELS: Final = 10.0

#: Keeps exp() finite; e**50 times any budget that a stream could ever show is above 1.
_SATURATED: Final = 50.0


class Spend:
    """Debt in labels: what the budget granted so far minus what was routed.

    A raised budget is a loan: while a factor above 1 is in force, each item is granted that many
    times the budget, and the loan grows by what is more than the budget. Afterwards each item is
    granted a part less, until the loan is paid back. So at any time grants are the budget of all
    items plus the loan, and the spend over the whole is what it would have been.

    Args:
        budget: labels granted per item, in (0, 1].
        floor: share of items that is routed whatever the debt, in [0, budget).
        carry_over_labels: largest debt that is kept. Infinite for a policy that routes everything
            once `target` is 1: its debt stays within `response_labels` * log(1 / budget) labels and
            a few. A policy that may refuse for ever needs a cap (anti-windup), or an endless debt
            would come back as a flood of requests.
        response_labels: H above, > 0; the default suits all but a policy that needs steady
            propensities more than a tight account.
    """

    __slots__ = ("_carry_over", "_response", "budget", "debt", "floor", "loan", "rate")

    def __init__(
        self,
        budget: float,
        floor: float,
        carry_over_labels: float = inf,
        response_labels: float = RESPONSE_LABELS,
    ) -> None:
        self.budget = budget
        self.floor = floor
        self._carry_over = carry_over_labels
        self._response = response_labels
        self.debt = 0.0
        #: Labels granted ahead of time, >= 0.
        self.loan = 0.0
        #: Labels granted for the next item, as of the last one; the budget unless there is a loan.
        self.rate = budget

    @property
    def target(self) -> float:
        """The share of items to route now so that the debt goes away, in [floor, 1].

        Overspend brakes linearly, to reach the floor. Debt accelerates exponentially: scores that
        only ever fall rank last in any window, and are routed at all only when the target nears 1;
        a linear answer would need 1 / budget times H to get there.
        """
        deviation = self.debt / self._response
        if deviation < 0.0:
            return max(self.floor, self.rate * (1.0 + deviation))
        return min(1.0, self.rate * exp(min(deviation, _SATURATED)))

    @property
    def credit(self) -> float:
        """1 while nothing is overspent, falling to 0 at H labels of overspend."""
        return min(1.0, max(0.0, 1.0 + self.debt / self._response))

    def is_plain(self, factor: float) -> bool:
        """Whether booking an item grants it the budget and does nothing else.

        Args:
            factor: by what the budget is raised now, >= 1.
        """
        return (
            factor <= 1.0 and not self.loan and self.rate == self.budget and self._carry_over == inf
        )

    def book(self, *, query: bool, throttled: bool, factor: float = 1.0) -> None:
        """Grant one item's budget and charge it when it was routed.

        Overspend is never forgiven. Debt does not grow while a limit throttles: what the limit
        withholds is forfeited, or reviewers who just asked for less would get it all at once later.

        Args:
            query: whether the item was routed.
            throttled: whether a limit cut its offer down; then nothing is lent or paid back.
            factor: by what the budget is raised now, >= 1.
        """
        if throttled:
            self.rate, cap = self.budget, max(self.debt, 0.0)
        else:
            lends = factor > 1.0 or self.loan
            self.rate, cap = self._lend(factor) if lends else self.budget, self._carry_over
        self.debt = min(self.debt + self.rate - query, cap)

    def charge(self) -> None:
        """Charge a question that was about none of the items; later items make up for it."""
        self.debt -= 1.0

    def _lend(self, factor: float) -> float:
        """What one item is granted; the loan grows or shrinks by its distance from the budget."""
        if factor > 1.0:
            rate = min(1.0, self.budget * factor)
        else:
            rate = max(self.floor, self.budget - min(self.loan, REPAID * self.budget))
        self.loan = max(0.0, self.loan + rate - self.budget)
        return rate

    def state(self) -> JsonState:
        """The account as JSON values; without a loan the debt is all there is."""
        if self.rate == self.budget and not self.loan:
            return {"debt": self.debt}
        return {"debt": self.debt, "loan": self.loan, "rate": self.rate}

    def restore(self, state: JsonState) -> None:
        """Return to an earlier account; of its debt, to as much as may be carried."""
        self.debt = min(read_number(state, "debt", 0.0), self._carry_over)
        self.loan = max(0.0, read_number(state, "loan", 0.0))
        self.rate = min(1.0, max(self.floor, read_number(state, "rate", self.budget)))
