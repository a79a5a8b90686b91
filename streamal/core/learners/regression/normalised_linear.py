"""Linear regression whose steps cannot run away, and its like for the leaves of trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from river.base import Regressor
from river.linear_model import LinearRegression
from river.optim import SGD

from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded, weighted_sums

__all__ = ["LeafRegression", "LinearValues", "NormalisedLinearRegression"]

_HEAVIEST: Final = 0.5


class NormalisedLinearRegression(LinearRegression):  # type: ignore[misc]  # River is untyped to mypy
    """River's linear regression, with the step divided by the squared length of the input.

    A plain step on squared error diverges once rate times squared length passes 2: with 50 columns
    at a rate of 0.05. Divided, any rate below 2 converges whatever the number of columns.

    Source: Nagumo and Noda (1967), "A Learning Method for System Identification", IEEE
    Transactions on Automatic Control 12: normalised least mean squares.

    Args:
        learning_rate: share of an item's error that its step removes, in (0, 2).
        l2: strength of the penalty on squared weights, >= 0.
    """

    def __init__(self, learning_rate: float = 0.4, l2: float = 0.0) -> None:
        half = learning_rate / 2.0  # the gradient of River's squared loss is twice the error
        super().__init__(optimizer=SGD(half), intercept_lr=half, l2=l2)
        self.learning_rate = learning_rate

    def learn_one(self, x: dict[str, Any], y: float, w: float = 1.0) -> None:
        """Take one step; a heavy weight removes at most half of the item's error.

        Beyond, the step would follow the item's noise rather than the past.
        """
        weight = min(w, max(1.0, _HEAVIEST / self.learning_rate))
        super().learn_one(x, y, w=weight / (1.0 + sum(value * value for value in x.values())))

    def values(self, names: tuple[str, ...]) -> LinearValues:
        """How it predicts many items at once.

        Args:
            names: of the columns to come.
        """
        return LinearValues(self, names)


class LinearValues:
    """What a linear regression predicts for many items.

    Args:
        model: the regression; what it learns later does not count.
        names: of the columns to come.
    """

    def __init__(self, model: LinearRegression, names: Sequence[str]) -> None:
        weights = model.weights
        self._weights = np.array([[weights.get(name, 0.0) for name in names]])
        self._intercept = float(model.intercept)

    def __call__(self, columns: Encoded) -> Vector:
        """Shape (n,)."""
        values: Vector = weighted_sums(self._weights, columns.table)[0] + self._intercept
        return values


class LeafRegression(Regressor):  # type: ignore[misc]  # River is untyped to mypy
    """`NormalisedLinearRegression` over the numeric columns only, for the leaves of trees.

    Categories reach a tree as codes in 1-tuples, which a linear model cannot multiply.

    Args:
        learning_rate: see `NormalisedLinearRegression`.
    """

    def __init__(self, learning_rate: float = 0.4) -> None:
        self.learning_rate = learning_rate
        self._model = NormalisedLinearRegression(learning_rate)

    def learn_one(self, x: dict[str, Any], y: float, w: float = 1.0) -> None:
        """Learn from the numbers."""
        self._model.learn_one(_numbers(x), y, w=w)

    def predict_one(self, x: dict[str, Any]) -> float:
        """Predict from the numbers."""
        return float(self._model.predict_one(_numbers(x)))


def _numbers(columns: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in columns.items() if isinstance(value, float)}
