"""Expected gradient length: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from math import fsum, sqrt
from typing import ClassVar

from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Context, JsonState

__all__ = ["ExpectedGradientLength"]


class ExpectedGradientLength(Strategy):
    """How far a label is expected to move a softmax regression (expected model change).

    The gradient of the log loss at class y is (p - e_y) x, so its length has a closed form in the
    online model's probabilities and the features' norm. For other learners it is a heuristic:
    uncertain items with unusual features first. It needs no copy of the model.

    Formula:
        L / (1 + L) with L = sum over y of p_y * ||p - e_y|| / sqrt(1 - 1 / K) * ||(1, z)|| /
        sqrt(1 + d), where p are the K class probabilities, e_y the unit vector of class y and z the
        d numeric features, standardised by their running mean and variance and clipped at 4
        deviations. The first quotient is at most 1, the second is 1 for a typical item. L / (1 + L)
        bounds the length and keeps its order.

    Range:
        0 when one class is certain, about 0.5 for the typical item with even probabilities, below
        0.8 for any; 1 when fewer than two classes are known.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> even, clear = {"cat": 0.5, "dog": 0.5}, {"cat": 0.9, "dog": 0.1}
        >>> strategy = ExpectedGradientLength()
        >>> round(strategy.score(Context("e1", {}, Production(), even)), 3)
        0.5
        >>> round(strategy.score(Context("e2", {}, Production(), clear)), 3)
        0.265

    References:
        Settles, B., Craven, M., and Ray, S. (2008). Multiple-instance active learning. Advances in
        Neural Information Processing Systems 20, 1289-1296.
    """

    name: ClassVar[str] = "expected_gradient_length"

    def __init__(self) -> None:
        self._scale = RunningScale()

    def score(self, context: Context) -> float:
        """See the class."""
        p = context.model.values()
        if len(p) < 2:
            return MAXIMUM
        # fsum rounds once, so that replicas agree whatever order the classes come in.
        squares = fsum([q * q for q in p])
        residual = fsum([q * sqrt(max(0.0, 1.0 + squares - 2.0 * q)) for q in p])
        values = self._scale.standardised(context.features)
        norm = (1.0 + sum([z * z for z in values])) / (1.0 + len(values))
        length = residual * sqrt(norm / (1.0 - 1.0 / len(p)))
        return within_unit(length / (1.0 + length))

    def commit(self, context: Context) -> None:
        """Take note of the features' scale."""
        self._scale.update(context.features)

    def state(self) -> JsonState:
        """The features' scale."""
        return self._scale.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._scale.restore(state)
