"""Nearest neighbours for numbers, none of which decides alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import Regressor

from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded
from streamal.core.learners.nearest import nearest

__all__ = ["NearestNeighbours"]


class NearestNeighbours(Regressor):  # type: ignore[misc]  # River is untyped to mypy
    """The mean of the nearest kept items' truths, with weights that stay finite.

    River's KNNRegressor answers with the truth of one neighbour when that lies at distance 0,
    whatever the others say. Labels are noisy, and columns are scaled by what was known when an item
    was learned: the very first item of a stream lies at the origin, where later every average item
    does.

    Source: Dudani (1976), "The Distance-Weighted k-Nearest-Neighbor Rule", IEEE Transactions on
    Systems, Man, and Cybernetics 6; weights are 1 / (distance + mean distance) here.

    Args:
        n_neighbors: how many are averaged, >= 1.
        window_size: latest items kept, >= 1.
        weighted: whether near ones count more than far ones.
    """

    def __init__(
        self, n_neighbors: int = 5, window_size: int = 200, *, weighted: bool = True
    ) -> None:
        self.n_neighbors = n_neighbors
        self.window_size = window_size
        self.weighted = weighted
        self._places: dict[str, int] = {}
        self._kept = np.zeros((0, 0))
        self._truths = np.zeros(0)

    def learn_one(self, x: dict[str, Any], y: float) -> None:
        """Keep an item; a column that it lacks counts as 0."""
        for name in x:
            self._places.setdefault(name, len(self._places))
        item = np.array([[x.get(name, 0.0) for name in self._places]], dtype=np.float64)
        before = self._wide(len(self._places))
        latest = slice(max(0, len(before) + 1 - self.window_size), None)
        self._kept = np.concatenate([before[latest], item])
        self._truths = np.append(self._truths[latest], y)

    def predict_one(self, x: dict[str, Any], **_: object) -> float:
        """The weighted mean of the neighbours' truths; 0 without any."""
        return float(self.predict_batch(Encoded.of_row(x))[0])

    def predict_batch(self, columns: Encoded) -> Vector:
        """The same for many items, shape (n,)."""
        if not len(self._truths):
            return np.zeros(len(columns))
        names = tuple(dict.fromkeys((*self._places, *columns.names)))
        items, places, distances = nearest(
            self._wide(len(names)), columns.chosen(names), self.n_neighbors
        )
        size, count = len(columns), min(len(self._truths), self.n_neighbors)
        truths = self._truths[places]
        if not self.weighted:
            return np.bincount(items, truths, minlength=size) / count
        typical = np.bincount(items, distances, minlength=size) / count
        alike = ~((typical > 0.0) & (typical < np.inf))
        with np.errstate(all="ignore"):
            weights = 1.0 / (distances + typical[items])
            weights[alike[items]] = 1.0
            sums = np.bincount(items, weights * truths, minlength=size)
            mean: Vector = sums / np.bincount(items, weights, minlength=size)
        return mean

    def _wide(self, columns: int) -> NDArray[np.float64]:
        more = columns - self._kept.shape[1]
        return np.pad(self._kept, ((0, 0), (0, more))) if more else self._kept
