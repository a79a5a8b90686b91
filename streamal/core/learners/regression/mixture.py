"""Expert advice for numbers: follows whichever regressor predicts best lately."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from river.base import Regressor

from streamal.core.features import Vector

__all__ = ["FixedShareRegressor"]

#: Least likelihood that an expert is charged with: one wild prediction must not silence it for
#: hundreds of labels.
_LEAST: Final = 1e-3
#: Share of the newest squared error in the running one; remembers about fifty labels.
_RECENT: Final = 0.02


class FixedShareRegressor(Regressor):  # type: ignore[misc]  # River is untyped to mypy
    """Predicts the weighted mean of its experts' predictions.

    Before a label is learned, every expert predicts it, and its weight is multiplied by the
    likelihood of its error under a normal distribution with the mixture's recent squared error as
    variance. Then all experts get back an equal share of the total, so that one that was bad in the
    past can take over after a drift. Every expert learns every label.

    River's EWARegressor never gives weight back, and its learning rate is in the truth's unit.

    Source: Herbster and Warmuth (1998), "Tracking the Best Expert", Machine Learning 32, with
    log loss and learning rate 1, which makes it a Bayesian mixture.

    Args:
        experts: at least one regressor.
        share: part of the total weight that is spread evenly after each label, in [0, 1].
    """

    def __init__(self, experts: Sequence[Regressor], share: float = 0.01) -> None:
        self.experts = experts
        self.share = share
        self._weights = [1.0 / len(experts)] * len(experts)
        # Truths arrive standardised: before anything is known, the error is the truth's deviation.
        self._squared_error = 1.0

    def learn_one(self, x: dict[str, Any], y: float) -> None:
        """Weigh the experts by what each predicts for `x`, then let each learn it."""
        predictions = [expert.predict_one(x) for expert in self.experts]
        error = y - _mean(self._weights, predictions)
        self._squared_error += _RECENT * (error * error - self._squared_error)
        gains = [
            weight * self._likelihood(y - prediction)
            for weight, prediction in zip(self._weights, predictions, strict=True)
        ]
        total = math.fsum(gains)
        even = self.share / len(gains)
        self._weights = [(1.0 - self.share) * gain / total + even for gain in gains]
        for expert in self.experts:
            expert.learn_one(x, y)

    def predict_one(self, x: dict[str, Any]) -> float:
        """The weighted mean over the experts."""
        return _mean(self._weights, [expert.predict_one(x) for expert in self.experts])

    def mean(self, predictions: Sequence[Vector]) -> Vector:
        """The weighted mean of what the experts predict for many items.

        Args:
            predictions: of each expert, shape (n,).
        """
        mean = self._weights[0] * predictions[0]
        for weight, values in zip(self._weights[1:], predictions[1:], strict=True):
            mean += weight * values
        return mean

    def _likelihood(self, error: float) -> float:
        if self._squared_error <= 0.0:
            return 1.0 if error == 0.0 else _LEAST
        return max(_LEAST, math.exp(-0.5 * error * error / self._squared_error))


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum([weight * value for weight, value in zip(weights, values, strict=True)])
