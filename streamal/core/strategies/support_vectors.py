"""The labelled items that pin a class boundary down, and which of them an event is closest to."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import inf
from operator import itemgetter
from typing import Final, cast

import numpy as np

from streamal.core.batch import Matrix
from streamal.core.strategies.keyed_window import key_of
from streamal.core.strategies.labelled_points import STEPS
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, FeatureValue, Labelled, LabelledItem

#: What a lookup takes that finds no number where there should be one.
_NO_NUMBER: Final = (KeyError, TypeError, OverflowError)


class SupportVectors:
    """Answers which one is closest, in a few microseconds.

    Points are in standard deviations from the mean of the labelled items, times `STEPS` and
    rounded, within `RunningScale.LIMIT` deviations. Whole numbers, so that sums of their products
    are exact in any order and on any processor, and replicas agree which is closer.

    Args:
        scale: of the labelled items.
        chosen: the support vectors among them, not empty.
    """

    def __init__(self, scale: RunningScale, chosen: list[LabelledItem]) -> None:
        # To a feature that never differed all support vectors are as close.
        columns = {name: each for name, each in scale.columns.items() if each[1] != inf}
        self._names = tuple(columns)
        self._look_up = itemgetter(*columns) if len(columns) > 1 else self._one_by_one
        self._mean, inverse = np.array(list(columns.values())).T.copy()
        self._steps = inverse * STEPS
        reach = RunningScale.LIMIT / inverse
        self._lowest, self._highest = self._mean - reach, self._mean + reach
        self._points = self._placed([item.features for item in chosen])
        self._half_squares = np.einsum("ij,ij->i", self._points, self._points) / 2.0
        self._keys = tuple(key_of(item.event_id) for item in chosen)

    @classmethod
    def of(cls, labelled: Labelled, most: int) -> SupportVectors | None:
        """Of each class those with the smallest margin, older ones first among equals.

        Args:
            labelled: what a model remembers.
            most: how many of each class.

        Returns:
            None where there are fewer than two classes with margins, or no numbers that differ.
        """
        classes: dict[str, list[tuple[float, LabelledItem]]] = {}
        for item in labelled.items:
            if item.margin is not None:
                classes.setdefault(item.label, []).append((item.margin, item))
        scale = RunningScale()
        for item in labelled.items:
            scale.update(item.features)
        if len(classes) < 2 or all(inverse == inf for _, inverse in scale.columns.values()):
            return None
        chosen = [
            item
            for of_class in classes.values()
            for _, item in sorted(of_class, key=lambda pair: pair[0])[:most]
        ]
        return cls(scale, chosen)

    def __len__(self) -> int:
        return len(self._keys)

    def closest(self, items: Sequence[Features]) -> list[int]:
        """Keys of the support vectors at the least Euclidean distance, the first of equals."""
        # Half of the squared distances, less what is the same for all.
        gaps = self._half_squares - self._placed(items) @ self._points.T
        return [self._keys[row] for row in gaps.argmin(axis=1).tolist()]

    def _placed(self, items: Sequence[Features]) -> Matrix:
        """Where events lie, shape (items, names)."""
        numbers = array("d")
        for features in items:
            numbers += self._numbers(features)
        points: Matrix = np.frombuffer(numbers).reshape(len(items), -1)
        points = np.maximum(np.minimum(points, self._highest), self._lowest)
        points -= self._mean
        points *= self._steps
        np.rint(points, out=points)
        return points

    def _numbers(self, features: Features) -> array[float]:
        try:
            return array("d", cast("tuple[float, ...]", self._look_up(features)))
        except _NO_NUMBER:
            return array("d", self._one_by_one(features))

    def _one_by_one(self, features: Features) -> tuple[float, ...]:
        """The numbers of an event; the mean where there is none."""
        return tuple(map(_number, map(features.get, self._names), self._mean.tolist()))


def _number(value: FeatureValue, mean: float) -> float:
    try:
        return float(value) if isinstance(value, (int, float)) else mean
    except OverflowError:
        return mean
