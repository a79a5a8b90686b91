"""Labelled items as points, for the strategies that measure how far an event is from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features

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
        self.points = self.placed(items)

    def placed(self, items: Sequence[Features]) -> NDArray[np.float32]:
        """Events on the same scale, shape (items, names)."""
        shape = len(items), len(self.scale.names)
        rows = [self.scale.standardised(features) for features in items]
        points: NDArray[np.float32] = np.array(rows, np.float32).reshape(shape)
        points *= STEPS
        return np.rint(points, out=points)
