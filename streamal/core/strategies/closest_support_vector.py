"""Closest support vector: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.keyed_window import KeyedWindow, key_of
from streamal.core.strategies.labelled_points import LabelledPoints, nearest
from streamal.core.types import NONE_LABELLED, Context, JsonState, Labelled, LabelledItem

__all__ = ["ClosestSupportVector"]


@dataclass(frozen=True, slots=True)
class _Support:
    """The support vectors of one model: their scale, a row each, and a key each."""

    scale: LabelledPoints
    points: NDArray[np.float32]
    keys: tuple[int, ...]


class ClosestSupportVector(Strategy):
    """Near the boundary, and not where the last question near the boundary was (MS-cSV).

    Margin sampling asks about many items of the same stretch of the boundary one after the other.
    Here an item counts in full only when it is closer to the boundary than all recent items that
    have the same support vector as their closest; each one that is as close halves it. Support
    vectors are the labelled items that pin the boundary down: of each class the few with the
    smallest margin, those on the wrong side first, as in a soft-margin machine. Needs a linear
    learner, as `hyperplane_distance` does. Which support vector is closest goes by numbers and
    booleans only. Its cost grows with the support vectors: tens of microseconds per item at the
    default, and some milliseconds after each new model.

    Formula:
        2^-r / (1 + d), where d is the distance to the nearest class boundary (as in
        `hyperplane_distance`) and r is how many of the remembered items have the same closest
        support vector and a distance of at most d.

    Range:
        1 on the boundary for the first of a support vector's items, towards 0 far from it; 1 too
        when the online model is not linear, knows fewer than two classes or no numbers.

    Args:
        support_vectors: how many labelled items of each class count as support vectors.
        window: how many of the latest items are compared with.

    Examples:
        >>> from streamal.core.types import Context, Labelled, LabelledItem, Production
        >>> west, east = {"x": -1.0, "y": 0.0}, {"x": 1.0, "y": 0.0}
        >>> pair = LabelledItem("e1", west, "cat", 0.9), LabelledItem("e2", east, "dog", 1.1)
        >>> labelled, strategy = Labelled(pair), ClosestSupportVector()
        >>> def item(x):
        ...     return Context("e", {"x": x}, Production(), boundary_distance=0.25,
        ...                    labelled=labelled)
        >>> strategy.commit(item(-0.5))
        >>> strategy.score(item(-0.4)), strategy.score(item(0.4))
        (0.4, 0.8)

    References:
        Tuia, D., Ratle, F., Pacifici, F., Kanevski, M. F., and Emery, W. J. (2009). Active learning
        methods for remote sensing image classification. IEEE Transactions on Geoscience and Remote
        Sensing 47 (7), 2218-2232. Theirs takes the best item of each support vector from a pool.
    """

    name: ClassVar[str] = "closest_support_vector"

    def __init__(
        self,
        support_vectors: Annotated[int, Range(1, 50)] = 10,
        window: Annotated[int, Range(10, 1000)] = 100,
    ) -> None:
        self.support_vectors = support_vectors
        self.window = window
        self._recent = KeyedWindow(window)
        self._labelled: Labelled = NONE_LABELLED
        self._support: _Support | None = None
        #: What was found last, and for whom: an item is scored, then committed.
        self._found: tuple[Context, int | None] | None = None

    @property
    def asks_boundary(self) -> bool:
        """Always."""
        return True

    @property
    def asks_labelled(self) -> bool:
        """Always."""
        return True

    def score(self, context: Context) -> float:
        """See the class."""
        distance, key = context.boundary_distance, self._closest(context)
        if distance is None or key is None:
            return MAXIMUM
        rivals, _ = self._recent.at_most(key, distance)
        return within_unit(0.5**rivals / (1.0 + distance))

    def commit(self, context: Context) -> None:
        """Remember how close the item was to the boundary, and its closest support vector."""
        distance, key = context.boundary_distance, self._closest(context)
        if distance is not None and key is not None:
            self._recent.add(key, distance)

    def state(self) -> JsonState:
        """The remembered items: support vectors and distances, in order of arrival."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _closest(self, context: Context) -> int | None:
        """Key of the item's closest support vector; None without any, or without numbers."""
        if self._found is None or self._found[0] is not context:
            self._found = context, self._search(context)
        return self._found[1]

    def _search(self, context: Context) -> int | None:
        if context.labelled is not self._labelled:
            self._labelled = context.labelled
            self._support = self._support_of(context.labelled)
        support = self._support
        if support is None:
            return None
        return support.keys[nearest(support.scale.point(context.features), support.points)[0]]

    def _support_of(self, labelled: Labelled) -> _Support | None:
        """Of each class those with the smallest margin, older ones first among equals."""
        classes: dict[str, list[tuple[float, LabelledItem]]] = {}
        for item in labelled.items:
            if item.margin is not None:
                classes.setdefault(item.label, []).append((item.margin, item))
        if len(classes) < 2:
            return None
        chosen = [
            item
            for of_class in classes.values()
            for _, item in sorted(of_class, key=lambda pair: pair[0])[: self.support_vectors]
        ]
        scale = LabelledPoints([item.features for item in labelled.items])
        if not scale.scale.names:
            return None
        points = np.stack([scale.point(item.features) for item in chosen])
        return _Support(scale, points, tuple(key_of(item.event_id) for item in chosen))
