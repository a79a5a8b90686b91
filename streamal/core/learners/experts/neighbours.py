"""Nearest neighbours among the latest labels."""

from __future__ import annotations

import numpy as np

from streamal.core.learners.encoded import Table
from streamal.core.learners.experts.expert import Expert, Lesson, View, grown
from streamal.core.learners.nearest import nearest

__all__ = ["Neighbours"]

#: Added to every distance: an item seen before outvotes all others, finitely.
_NEAREST = 1e-9


class Neighbours(Expert):
    """The latest labelled items vote, nearer ones more; distances are in today's scale.

    Items are kept unscaled and scaled anew with each label, so that the first ones, taken in when
    no mean was known, are worth as much as the rest.

    Source: Cover and Hart (1967), "Nearest Neighbor Pattern Classification", IEEE Transactions on
    Information Theory 13.

    Args:
        neighbours: how many vote, >= 1.
        window: how many labelled items are kept, >= 1.
    """

    def __init__(self, neighbours: int, window: int) -> None:
        self._neighbours = neighbours
        self._window = window
        self._raw = np.zeros((0, 0))
        self._codes = np.zeros(0, dtype=np.intp)
        self._votes = np.zeros(0)
        self._classes = 0
        self._scaled = np.zeros((0, 0))

    def learn(self, lesson: Lesson) -> None:
        """See `Expert`."""
        kept = slice(-self._window + 1, None) if self._window > 1 else slice(0, 0)
        raw = grown(self._raw, len(self._raw), len(lesson.raw))[kept]
        self._raw = np.vstack([raw, lesson.raw])
        self._codes = np.append(self._codes[kept], lesson.code)
        self._votes = np.append(self._votes[kept], lesson.weight)
        self._classes = lesson.classes
        self._scaled = (self._raw - lesson.mean) * lesson.scale

    def predict(self, view: View) -> Table:
        """See `Expert`."""
        items, places, distances = nearest(self._scaled, view.plain[1:], self._neighbours)
        votes = self._votes[places] / (distances + _NEAREST)
        shape = (view.plain.shape[1], self._classes)
        slots = items * self._classes + self._codes[places]
        counts = np.bincount(slots, votes, minlength=shape[0] * shape[1])
        return np.ascontiguousarray(counts.reshape(shape).T)
