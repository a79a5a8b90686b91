"""Randomised variable threshold: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from math import erfc, sqrt
from typing import Annotated, ClassVar, Final

from streamal.core.budgets.base import Budget, Exploration
from streamal.core.budgets.moving_threshold import MovingThreshold, Step
from streamal.core.parameters import Range

__all__ = ["RandomisedVariableThreshold"]

#: Standard deviations from which on the normal distribution is cut off. The propensity of an item
#: that far below the threshold is the floor then, not a hair more that its label would be weighted
#: with; and a threshold that nothing reaches stops rising.
_FARTHEST: Final = 3.0


class RandomisedVariableThreshold(MovingThreshold):
    """Routes what reaches a variable threshold that is multiplied with a normal number each time.

    Around the threshold the propensity rises smoothly instead of jumping. No normal number is
    drawn: the probability that the score reaches the random threshold is known in closed form, and
    the gate's one draw decides.

    Formula:
        propensity = f + (1 - f) * clip(1 + debt / 10, 0, 1) * P, with the floor
        f = exploration * budget and P = P(score >= threshold * N(1, deviation^2))
        = Phi((score / threshold - 1) / deviation), 0 or 1 beyond 3 deviations, and 1 for a
        threshold of 0 or less. After an item, threshold += step * (P - q), with q set so that the
        mean propensity f + (1 - f) * q is the target: budget * exp(debt / 10) for debt >= 0,
        budget * (1 + debt / 10) below, kept within [f, 1]. Debt, in labels, is what the budget
        granted so far minus what was routed. The threshold starts at 0.

    Range:
        propensity in [exploration * budget, 1]. At any time the spend is above the budget by some
        10 labels at most, and below it by some 10 * log(1 / budget) + 2 * budget / step, plus
        chance of a few labels, whatever the scores do.

    Args:
        budget: share of all items that is routed.
        exploration: share of the budget that is spent uniformly over all items; 0 makes unbiased
            estimates impossible.
        step: how far the threshold moves.
        deviation: standard deviation of the number that the threshold is multiplied with. The
            larger, the less the score decides.

    Examples:
        >>> from streamal.core.types import Conditions
        >>> policy = RandomisedVariableThreshold(budget=0.1, exploration=0.2, step=0.05)
        >>> conditions = Conditions(now=0.0)
        >>> for score in (0.3, 0.9, 0.3, 0.9):
        ...     offer = policy.preview(score, conditions)
        ...     policy.commit(score, offer, query=score > 0.5, conditions=conditions)
        >>> round(policy.preview(0.0, conditions).threshold, 2)
        0.18
        >>> scores = (0.05, 0.15, 0.2, 0.9)
        >>> [round(policy.preview(score, conditions).propensity, 2) for score in scores]
        [0.02, 0.16, 0.57, 0.84]

    References:
        Variable uncertainty strategy with randomisation in Zliobaite, I., Bifet, A., Pfahringer,
        B., and Holmes, G. (2014). Active learning with drifting streaming data. IEEE TNNLS 25 (1),
        27-39. There the deviation is 1 and multiplies a threshold on the confidence. On a score it
        has to be smaller: 16 % of such numbers are negative, and let everything pass.
    """

    name: ClassVar[str] = "randomised_variable_threshold"
    zero_propensity: ClassVar[str] = "items far below the threshold"

    def __init__(
        self,
        budget: Budget,
        exploration: Exploration = 0.2,
        step: Step = 0.01,
        deviation: Annotated[float, Range(0, 0.3, open_low=True)] = 0.2,
    ) -> None:
        super().__init__(budget, exploration, step)
        self.deviation = deviation

    def crossing(self, score: float, threshold: float) -> float:
        """See `MovingThreshold.crossing`."""
        if threshold <= 0.0:
            return 1.0
        distance = (score - threshold) / (threshold * self.deviation)
        if distance >= _FARTHEST:
            return 1.0
        return 0.5 * erfc(-distance / sqrt(2.0)) if distance > -_FARTHEST else 0.0
