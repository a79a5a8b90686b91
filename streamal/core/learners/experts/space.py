"""Columns by name become vectors: scaled, and beside that relative to the latest labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streamal.core.features import Vector
from streamal.core.learners.encoded import LEAST_ITEMS, Encoded, Table
from streamal.core.learners.experts.expert import View, grown

__all__ = ["Moments", "VectorSpace"]

#: Scaled values are clipped here, in standard deviations: one wild value would otherwise throw the
#: weights of a linear model off for thousands of items.
_CLIP = 8.0


class Moments:
    """Running mean and variance of each column; a column that comes later counts from then on.

    Source: Welford (1962), "Note on a Method for Calculating Corrected Sums of Squares and
    Products", Technometrics 4.
    """

    def __init__(self) -> None:
        self._counts = self.mean = self._squares = np.zeros(0)
        #: 1 / standard deviation, 0 for a column that never varied.
        self.scale = np.zeros(0)

    def learn(self, values: Vector) -> None:
        """Take in one value per column."""
        size = len(values)
        self._counts = grown(self._counts, size) + 1.0
        mean = grown(self.mean, size)
        off = values - mean
        self.mean = mean + off / self._counts
        self._squares = grown(self._squares, size) + off * (values - self.mean)
        varies = self._squares > 0.0
        variances = np.where(varies, self._squares / self._counts, 1.0)
        self.scale = np.where(varies, 1.0 / np.sqrt(variances), 0.0)

    def scaled(self, table: Table) -> Table:
        """Items, shape (columns, n), with zero mean and unit variance, clipped."""
        scaled = table - self.mean[:, None]
        scaled *= self.scale[:, None]
        np.maximum(scaled, -_CLIP, out=scaled)
        return np.minimum(scaled, _CLIP, out=scaled)


class VectorSpace:
    """Names, moments and the recent level of all columns, from labelled items only.

    The level of a column is its exponentially weighted mean over the labelled items. Where a stream
    wanders (prices, loads, temperatures), how far an item is off the level tells more than where it
    is, and a weight on that difference stays right when the level has moved on.

    Args:
        half_life: labels after which an item counts half in the level, > 0.
    """

    def __init__(self, half_life: float) -> None:
        self._gain = 1.0 - 0.5 ** (1.0 / half_life)
        self._places: dict[str, int] = {}
        self._level = np.zeros(0)
        self._moments = Moments()
        self._shifts = Moments()

    @property
    def mean(self) -> Vector:
        """Of each column."""
        return self._moments.mean

    @property
    def scale(self) -> Vector:
        """Of each column; see `Moments.scale`."""
        return self._moments.scale

    def view(self, columns: Encoded) -> View:
        """Items to predict; columns that were never learned are left out. Changes no state.

        A single item is there twice, for sums that need two.
        """
        raw = columns.chosen(tuple(self._places))
        return self._view(
            raw if len(columns) >= LEAST_ITEMS else np.repeat(raw, LEAST_ITEMS, axis=1)
        )

    def view_of(self, columns: Mapping[str, float]) -> View:
        """The view of a single item."""
        return self._view(np.repeat(self._vector(columns)[:, None], LEAST_ITEMS, axis=1))

    def learn(self, columns: Mapping[str, float]) -> tuple[Vector, View]:
        """Take in a labelled item's columns, in their order; its unscaled vector and its view.

        The level stays as it was when the item was predicted until `move_level`.
        """
        for name in columns:
            self._places.setdefault(name, len(self._places))
        raw = self._vector(columns)
        known = len(self._level)
        self._level = np.concatenate([self._level, raw[known:]])
        self._moments.learn(raw)
        self._shifts.learn(raw - self._level)
        return raw, self._view(raw[:, None])

    def move_level(self, raw: Vector) -> None:
        """Let the level follow the item that was learned last."""
        self._level = self._level + self._gain * (raw - self._level)

    def _vector(self, columns: Mapping[str, float]) -> Vector:
        return np.array([columns.get(name, 0.0) for name in self._places], dtype=np.float64)

    def _view(self, raw: Table) -> View:
        count, size = raw.shape
        plain, shifted = np.ones((count + 1, size)), np.ones((2 * count + 1, size))
        plain[1:] = shifted[1::2] = self._moments.scaled(raw)
        shifted[2::2] = self._shifts.scaled(raw - self._level[:, None])
        return View(plain, shifted)
