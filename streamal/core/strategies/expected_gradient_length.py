"""How far a label is expected to move a softmax regression."""

from __future__ import annotations

from math import sqrt
from typing import ClassVar

import numpy as np

from streamal.core.batch import Batch, Matrix
from streamal.core.features import Vector
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, JsonState


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> even = Context("e1", {}, Production(), {"cat": 0.5, "dog": 0.5})
        >>> clear = Context("e2", {}, Production(), {"cat": 0.9, "dog": 0.1})
        >>> ExpectedGradientLength().score(Batch.of([even, clear])).round(3)
        array([0.5  , 0.265])

    References:
        Settles, B., Craven, M., and Ray, S. (2008). Multiple-instance active learning. Advances in
        Neural Information Processing Systems 20, 1289-1296.
    """

    name: ClassVar[str] = "expected_gradient_length"

    def __init__(self) -> None:
        self._scale = RunningScale()

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        norms = np.array([self._noted(features) for features in batch.features.rows])
        scores = np.full(len(batch), MAXIMUM)
        for rows, classes, p in batch.model.blocks:
            if len(classes) > 1:
                lengths = _residual(p) * np.sqrt(norms[rows])
                scores[rows] = within_unit(lengths / (1.0 + lengths))
        return scores

    def _noted(self, features: Features) -> float:
        """The squared norm of an item per feature, whose scale is then taken note of."""
        values = self._scale.standardised(features)
        self._scale.update(features)
        return (1.0 + sum([z * z for z in values])) / (1.0 + len(values))

    def state(self) -> JsonState:
        """The features' scale."""
        return self._scale.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._scale.restore(state)


def _residual(p: Matrix) -> Vector:
    """Expected length of p - e_y, shape (m, K) to (m,); at most 1."""
    classes = p.shape[1]
    if classes > 2:  # sums depend on the order, which classes do not come in always
        p = np.sort(p, axis=1)
    squares = (p * p).sum(axis=1)
    lengths = np.sqrt(np.maximum(1.0 + squares[:, None] - 2.0 * p, 0.0))
    residual: Vector = (p * lengths).sum(axis=1) / sqrt(1.0 - 1.0 / classes)
    return residual
