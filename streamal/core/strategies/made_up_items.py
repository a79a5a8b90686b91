"""Items that nobody has seen, between labelled items of different classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, inf, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamal.core.batch import Rows
from streamal.core.chance import draw
from streamal.core.features import Vector
from streamal.core.strategies.keyed_window import key_of
from streamal.core.strategies.labelled_points import STEPS, LabelledPoints
from streamal.core.types import Features, FeatureValue, Labelled, LabelledItem, MadeUpItem

#: Directions are drawn for a purpose of their own, so no seed need be mixed in.
_SEED: Final = 0
#: Larger numbers, of which there may be no half, are not on the scale either.
_LARGEST: Final = 1e150
#: Shorter is what rounding leaves of a direction that has no part across.
_LEAST_NORM: Final = 1e-9


def is_numeric(features: Features) -> bool:
    """Whether all are numbers or booleans, and there is any: what items can be made up of.

    >>> is_numeric({"x": 1.5, "new": True}), is_numeric({"x": 1.5, "colour": "red"})
    (True, False)
    """
    return bool(features) and all(isinstance(value, int | float) for value in features.values())


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two labelled items, and the item made up of them.

    Attributes:
        first: a labelled item.
        second: one of another class.
        point: the item made up, on the scale of the labelled items times `STEPS`.
        aside: what of `point` is a step off the middle; zeros where there is none.
    """

    first: LabelledItem
    second: LabelledItem
    point: list[float]
    aside: list[float]


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
        self._items = labelled.items
        self.scale = LabelledPoints([item.features for item in self._items])
        self._columns = self.scale.scale.columns
        self._step = step
        self._pairs = [
            pair
            for first, second in _nearest_pairs(self.scale.points, self._items, pairs)
            if (pair := self._pair(first, second)) is not None
        ]
        self.keys = tuple(key_of(pair.first.event_id, pair.second.event_id) for pair in self._pairs)
        rows = [pair.point for pair in self._pairs]
        shape = len(rows), len(self._columns)
        self.points: NDArray[np.float32] = np.rint(np.array(rows, np.float32).reshape(shape))
        self._squares = np.einsum("ij,ij->i", self.points, self.points)

    def nearest(self, items: Sequence[Features]) -> tuple[Rows, Vector]:
        """Which made-up item is nearest to each event, the first of equals, and how far it is.

        Returns:
            Rows of `points`, and root mean square differences per feature, in deviations.
        """
        placed = self.scale.placed(items)
        # Whole numbers below 2^24: exact however the products are summed up.
        squares = self._squares - 2.0 * (placed @ self.points.T)
        rows = squares.argmin(axis=1)
        own = np.einsum("ij,ij->i", placed, placed)
        least: Vector = (own + squares[np.arange(len(items)), rows]).astype(np.float64)
        return rows, np.sqrt(least / self.points.shape[1]) / STEPS

    def like(self, features: Features) -> Iterator[MadeUpItem]:
        """The made-up items as events of the shape of this one, nearest to it first.

        Only those whose values are all known: where the event has anything but numbers and
        booleans, or a feature that a labelled item of the pair has not, none is made up of it. Nor
        is one that comes out as a labelled item itself: whole numbers and booleans are rounded, and
        all values stay between the least and the largest that was labelled.
        """
        if not is_numeric(features) or not self.keys:
            return
        difference = self.points - self.scale.placed([features])
        for row in np.argsort(np.einsum("ij,ij->i", difference, difference), kind="stable"):
            made = self._values(self._pairs[row], features)
            if made is not None:
                yield MadeUpItem(self.keys[row], made)

    def _pair(self, first: int, second: int) -> _Pair | None:
        """The middle of a pair, or where it is close enough, a step to the side of it."""
        ends = self._items[first], self._items[second]
        one, other = (self.scale.points[row].tolist() for row in (first, second))
        middle = [(a + b) / 2.0 for a, b in zip(one, other, strict=True)]
        along = [b - a for a, b in zip(one, other, strict=True)]
        length = sqrt(fsum([d * d for d in along]))
        size = self._step * STEPS * sqrt(len(middle))
        if length >= size:
            return _Pair(*ends, middle, [0.0] * len(middle))
        side = self._sideways(along, length, f"{ends[0].event_id}\n{ends[1].event_id}")
        if side is None:
            return _Pair(*ends, middle, [0.0] * len(middle)) if length else None
        aside = [size * u for u in side]
        return _Pair(*ends, [m + a for m, a in zip(middle, aside, strict=True)], aside)

    def _sideways(self, along: list[float], length: float, pair: str) -> list[float] | None:
        """A direction of length 1 across `along`, a hash of the pair; None if there is none."""
        side = [
            2.0 * draw(_SEED, pair, f"sideways {number}") - 1.0 if inverse < inf else 0.0
            for number, (_, inverse) in enumerate(self._columns.values())
        ]
        if length:
            part = fsum([u * d for u, d in zip(side, along, strict=True)]) / length**2
            side = [u - part * d for u, d in zip(side, along, strict=True)]
        norm = sqrt(fsum([u * u for u in side]))
        return [u / norm for u in side] if norm > _LEAST_NORM else None

    def _values(self, pair: _Pair, like: Features) -> Features | None:
        """The features of an item made up of a pair; None where one cannot be known."""
        aside = dict(zip(self._columns, pair.aside, strict=True))
        made: dict[str, FeatureValue] = {}
        for name, value in like.items():
            ends = pair.first.features.get(name), pair.second.features.get(name)
            known = self._known(name)
            if name not in aside or None in ends or not known:
                return None
            middle = (float(ends[0]) + float(ends[1])) / 2.0  # type: ignore[arg-type]  # in `known`
            off = aside[name] / STEPS / self._columns[name][1]
            number = min(max(middle + off, min(known)), max(known))
            made[name] = _as_known(number, value, known)
        if any(_agree(made, end.features) for end in (pair.first, pair.second)):
            return None
        return made

    def _known(self, name: str) -> list[float]:
        """All labelled values of a feature; none where one of them is no ordinary number."""
        values = [item.features[name] for item in self._items if name in item.features]
        numbers = [
            value
            for value in values
            if isinstance(value, int | float) and -_LARGEST < value < _LARGEST
        ]
        return numbers if len(numbers) == len(values) else []


def _as_known(number: float, like: FeatureValue, known: list[float]) -> FeatureValue:
    """A number of the kind that the event's and all labelled ones are."""
    if isinstance(like, bool):
        return number >= 0.5
    if isinstance(like, int) and all(isinstance(value, int) for value in known):
        return round(number)
    return number


def _agree(made: Features, features: Features) -> bool:
    return all(features.get(name) == value for name, value in made.items())


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
