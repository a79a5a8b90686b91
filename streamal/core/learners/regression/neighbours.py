"""Nearest neighbours for numbers, none of which decides alone."""

from __future__ import annotations

import math
from typing import Any

from river.neighbors import KNNRegressor, LazySearch

__all__ = ["NearestNeighbours"]


class NearestNeighbours(KNNRegressor):  # type: ignore[misc]  # River is untyped to mypy
    """River's KNNRegressor, with weights that stay finite.

    River answers with the truth of one neighbour when that lies at distance 0, whatever the others
    say. Labels are noisy, and columns are scaled by what was known when an item was learned: the
    very first item of a stream lies at the origin, where later every average item does.

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
        engine = LazySearch(window_size=window_size, dist_func=None)
        super().__init__(n_neighbors=n_neighbors, engine=engine)
        self.window_size = window_size
        self.weighted = weighted

    def predict_one(self, x: dict[str, Any], **_: object) -> float:
        """The weighted mean of the neighbours' truths; 0 without any."""
        neighbours, distances = self._nn.search((x, None), n_neighbors=self.n_neighbors)
        if not neighbours:
            return 0.0
        truths = [truth for _, truth in neighbours]
        typical = math.fsum(distances) / len(distances)
        if not self.weighted or not 0.0 < typical < math.inf:
            return math.fsum(truths) / len(truths)
        weights = [1.0 / (distance + typical) for distance in distances]
        total = math.fsum([weight * truth for weight, truth in zip(weights, truths, strict=True)])
        return total / math.fsum(weights)
