"""Variable threshold: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.budgets.base import Budget, Exploration
from streamal.core.budgets.moving_threshold import MovingThreshold, Step

__all__ = ["VariableThreshold"]


class VariableThreshold(MovingThreshold):
    """Routes what reaches a threshold that moves by a step after every item.

    Remembers one number, and no scores. Where scores differ by less than the step, the threshold
    does not tell them apart: they are then routed one in so many.

    Formula:
        propensity = f + (1 - f) * clip(1 + debt / 10, 0, 1) for score >= threshold, else f, with
        the floor f = exploration * budget. After an item, threshold += step * (1 - q) when the
        score reached it, else threshold -= step * q, with q set so that the mean propensity
        f + (1 - f) * q is the target: budget * exp(debt / 10) for debt >= 0,
        budget * (1 + debt / 10) below, kept within [f, 1]. Debt, in labels, is what the budget
        granted so far minus what was routed. The threshold starts at 0.

    Range:
        propensity in [exploration * budget, 1]. At any time the spend is above the budget by some
        10 labels at most, and below it by some 10 * log(1 / budget) + budget / step, plus chance of
        a few labels, whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        step: how far the threshold moves. It rises over the whole range in 1 / step items that
            reach it, and falls by as much in 1 / step items for every one that the budget pays.

    Examples:
        >>> from streamal.core.types import Conditions
        >>> policy = VariableThreshold(budget=0.1, exploration=0.2, step=0.05)
        >>> conditions = Conditions(now=0.0)
        >>> for score in (0.3, 0.9, 0.3, 0.9):
        ...     offer = policy.preview(score, conditions)
        ...     policy.commit(score, offer, query=score > 0.5, conditions=conditions)
        >>> round(policy.preview(0.0, conditions).threshold, 2)
        0.18
        >>> [round(policy.preview(score, conditions).propensity, 2) for score in (0.1, 0.9)]
        [0.02, 0.84]

    References:
        Zliobaite, I., Bifet, A., Pfahringer, B., and Holmes, G. (2014). Active learning with
        drifting streaming data. IEEE TNNLS 25 (1), 27-39. There both steps are equal and multiply a
        threshold on the confidence: left alone it would route half of all items, so a check of the
        budget decides. Here the steps are in the ratio at which the threshold rests at the budget.
    """

    name: ClassVar[str] = "variable_threshold"
    zero_propensity: ClassVar[str] = "items below the threshold"

    def __init__(self, budget: Budget, exploration: Exploration = 0.2, step: Step = 0.01) -> None:
        super().__init__(budget, exploration, step)

    def crossing(self, score: float, threshold: float) -> float:
        """See `MovingThreshold.crossing`."""
        return float(score >= threshold)
