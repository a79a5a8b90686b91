"""Items that nobody has seen, between labelled items of different classes."""

from __future__ import annotations

from math import fsum, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamal.core.chance import draw
from streamal.core.strategies.keyed_window import key_of
from streamal.core.strategies.labelled_points import STEPS, LabelledPoints
from streamal.core.types import Labelled, LabelledItem

__all__ = ["MadeUpItems"]

#: Directions are drawn for a purpose of their own, so no seed need be mixed in.
_SEED: Final = 0


class MadeUpItems:
    """Halfway between the nearest labelled items of different classes, or to the side of them.

    Args:
        labelled: the labelled items.
        pairs: how many pairs are bisected at most, each item in one of them.
        step: how near a pair is near enough, and how far it is then left; standard deviations, root
            mean square per feature.

    Attributes:
        scale: that of the labelled items.
        points: one row per made-up item, on that scale; none while there is no pair.
        keys: one for each, the same for as long as it is made of the same two.
    """

    def __init__(self, labelled: Labelled, pairs: int, step: float) -> None:
        items = labelled.items
        self.scale = LabelledPoints([item.features for item in items])
        self._varying = [inverse < float("inf") for _, inverse in self.scale.scale.columns.values()]
        self._step = step
        made: list[list[float]] = []
        keys: list[int] = []
        for first, second in _nearest_pairs(self.scale.points, items, pairs):
            point = self._between(items, first, second)
            if point is not None:
                made.append(point)
                keys.append(key_of(items[first].event_id, items[second].event_id))
        self.keys = tuple(keys)
        self.points: NDArray[np.float32] = np.rint(
            np.array(made, np.float64).reshape(len(made), len(self._varying))
        ).astype(np.float32)

    def _between(
        self, items: tuple[LabelledItem, ...], first: int, second: int
    ) -> list[float] | None:
        """The middle of a pair, or where it is close enough, a step to the side of it."""
        one, other = (self.scale.points[row].tolist() for row in (first, second))
        middle = [(a + b) / 2.0 for a, b in zip(one, other, strict=True)]
        along = [b - a for a, b in zip(one, other, strict=True)]
        length = sqrt(fsum([d * d for d in along]))
        size = self._step * STEPS * sqrt(len(middle))
        if length >= size:
            return middle
        side = self._sideways(along, length, f"{items[first].event_id}\n{items[second].event_id}")
        if side is None:
            return middle if length else None
        return [m + size * u for m, u in zip(middle, side, strict=True)]

    def _sideways(self, along: list[float], length: float, pair: str) -> list[float] | None:
        """A direction of length 1 across `along`, a hash of the pair; None if there is none."""
        side = [
            2.0 * draw(_SEED, pair, f"sideways {number}") - 1.0 if varies else 0.0
            for number, varies in enumerate(self._varying)
        ]
        if length:
            part = fsum([u * d for u, d in zip(side, along, strict=True)]) / length**2
            side = [u - part * d for u, d in zip(side, along, strict=True)]
        norm = sqrt(fsum([u * u for u in side]))
        return [u / norm for u in side] if norm > _LEAST_NORM else None


#: Shorter is what rounding leaves of a direction that has no part across.
_LEAST_NORM: Final = 1e-9


def _nearest_pairs(
    points: NDArray[np.float32], items: tuple[LabelledItem, ...], most: int
) -> list[tuple[int, int]]:
    """Rows of the nearest items with different labels, nearest first, each row once."""
    if not points.size:
        return []
    exact = points.astype(np.float64)
    lengths = np.einsum("ij,ij->i", exact, exact)
    # Whole numbers far below 2^53: exact however the product is summed up.
    squares = lengths[:, None] + lengths[None, :] - 2.0 * (exact @ exact.T)
    names: dict[str, int] = {}
    codes = np.array([names.setdefault(item.label, len(names)) for item in items])
    squares[codes[:, None] == codes[None, :]] = np.inf
    pairs: list[tuple[int, int]] = []
    while len(pairs) < most:
        first, second = divmod(int(squares.argmin()), len(items))
        if squares[first, second] == np.inf:
            break
        pairs.append((first, second))
        for row in (first, second):
            squares[row, :] = squares[:, row] = np.inf
    return pairs
