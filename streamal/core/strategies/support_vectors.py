"""The labelled items that pin a class boundary down, and which of them an event is closest to."""

from __future__ import annotations

from array import array
from math import inf
from operator import itemgetter
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from streamal.core.strategies.keyed_window import key_of
from streamal.core.strategies.labelled_points import STEPS
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, FeatureValue, Labelled, LabelledItem

__all__ = ["SupportVectors"]

#: What a lookup takes that finds no number where there should be one.
_NO_NUMBER: Final = (KeyError, TypeError, OverflowError)


class SupportVectors:
    """Answers which one is closest, in a few microseconds; not safe to share between threads.

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
        self._point = np.empty(len(columns))
        self._points = np.stack([self._placed(item.features).copy() for item in chosen])
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

    def closest(self, features: Features) -> int:
        """Key of the support vector at the least Euclidean distance, the first of equals."""
        point = self._placed(features)
        # Half of the squared distance, less what is the same for all.
        gaps: NDArray[np.float64] = self._half_squares - self._points.dot(point)
        return self._keys[gaps.argmin()]

    def _placed(self, features: Features) -> NDArray[np.float64]:
        """Where an event lies, shape (names,); overwritten by the next."""
        try:
            numbers = array("d", cast("tuple[float, ...]", self._look_up(features)))
        except _NO_NUMBER:
            numbers = array("d", self._one_by_one(features))
        point = self._point
        np.minimum(np.frombuffer(numbers), self._highest, out=point)
        np.maximum(point, self._lowest, out=point)
        np.subtract(point, self._mean, out=point)
        np.multiply(point, self._steps, out=point)
        return np.rint(point, out=point)

    def _one_by_one(self, features: Features) -> tuple[float, ...]:
        """The numbers of an event; the mean where there is none."""
        return tuple(map(_number, map(features.get, self._names), self._mean.tolist()))


def _number(value: FeatureValue, mean: float) -> float:
    try:
        return float(value) if isinstance(value, (int, float)) else mean
    except OverflowError:
        return mean
