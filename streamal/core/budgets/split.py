"""Split: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.budgets.base import Budget, Exploration
from streamal.core.budgets.moving_threshold import MovingThreshold, Step

__all__ = ["Split"]


class Split(MovingThreshold):
    """Splits the stream: one part is sampled uniformly, the other by a variable threshold.

    Which part an item falls into is a part of the same draw. So no item is routed for sure, and the
    threshold lies lower than that of `variable_threshold`: it is the budget's quantile of all
    scores, of which a share is let go.

    Formula:
        propensity = e * budget + (1 - e) * clip(1 + debt / 10, 0, 1) for score >= threshold, else
        e * budget, with e = exploration. After an item, threshold += step * (1 - q) when the score
        reached it, else threshold -= step * q, with q set so that the mean propensity
        e * budget + (1 - e) * q is the target: budget * exp(debt / 10) for debt >= 0,
        budget * (1 + debt / 10) below, kept within [e * budget, 1]. Debt, in labels, is what the
        budget granted so far minus what was routed. The threshold starts at 0.

    Range:
        propensity in [e * budget, e * budget + 1 - e]. At any time the spend is above the budget by
        some 10 labels at most, and below it by some 10 * log(1 / budget) + budget / step, plus
        chance of a few labels, whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the stream that is sampled uniformly, and of the budget that this
            costs; 0 makes unbiased estimates impossible, and this policy a `variable_threshold`.
        step: how far the threshold moves.

    Examples:
        >>> from streamal.core.types import Conditions
        >>> policy = Split(budget=0.1, exploration=0.5)
        >>> policy.preview(0.9, Conditions(now=0.0)).propensity
        0.55

    References:
        Split strategy in Zliobaite, I., Bifet, A., Pfahringer, B., and Holmes, G. (2014). Active
        learning with drifting streaming data. IEEE TNNLS 25 (1), 27-39. There the uniform part also
        feeds a detector of change; here the trainer does that, from all labels.
    """

    name: ClassVar[str] = "split"
    zero_propensity: ClassVar[str] = "items below the threshold"

    def __init__(self, budget: Budget, exploration: Exploration = 0.2, step: Step = 0.01) -> None:
        super().__init__(budget, exploration, step, sure=exploration * budget + (1.0 - exploration))

    def crossing(self, score: float, threshold: float) -> float:
        """See `MovingThreshold.crossing`."""
        return float(score >= threshold)
