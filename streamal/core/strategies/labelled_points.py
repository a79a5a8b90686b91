"""Labelled items as points, for the strategies that measure how far an event is from them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features

__all__ = ["STEPS", "LabelledPoints", "nearest"]

#: Steps per standard deviation, as in `RecentEvents`: points are whole numbers, so that sums of
#: their squares are exact in any order and on any processor, and replicas agree which is nearer.
STEPS = 31


class LabelledPoints:
    """Numbers and booleans of labelled items, standardised by the mean and deviation of these.

    The scale is that of the labelled items rather than of the stream, so that all that is derived
    here is a function of them, and may be kept until there is another label.

    Args:
        items: their features.

    Attributes:
        scale: the features that count, at most `RunningScale.FEATURES`, and their scale.
        points: one row per item: standard deviations from the mean times `STEPS`, rounded, within
            `RunningScale.LIMIT` deviations; 0 where a feature is missing or no number.
    """

    def __init__(self, items: Sequence[Features]) -> None:
        self.scale = RunningScale()
        for features in items:
            self.scale.update(features)
        shape = len(items), len(self.scale.names)
        self.points = np.array([self.point(each) for each in items], np.float32).reshape(shape)

    def point(self, features: Features) -> NDArray[np.float32]:
        """An event on the same scale, shape (names,)."""
        point: NDArray[np.float32] = np.array(self.scale.standardised(features), np.float32)
        point *= STEPS
        return np.rint(point, out=point)


def nearest(point: NDArray[np.float32], points: NDArray[np.float32]) -> tuple[int, float]:
    """Which row of `points` is nearest, the first of equals, and how far it is.

    Args:
        point: shape (n,), whole numbers.
        points: shape (m, n) with m and n >= 1, whole numbers.

    Returns:
        The row, and the root mean square difference per feature, in deviations.
    """
    difference = points - point
    squares = np.einsum("ij,ij->i", difference, difference)
    row = int(squares.argmin())
    return row, sqrt(float(squares[row]) / len(point)) / STEPS
