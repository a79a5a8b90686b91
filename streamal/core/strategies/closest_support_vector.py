"""Closest support vector: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.keyed_window import NO_KEY, KeyedWindow
from streamal.core.strategies.support_vectors import SupportVectors
from streamal.core.types import NONE_LABELLED, Context, JsonState, Labelled

__all__ = ["ClosestSupportVector"]


class ClosestSupportVector(Strategy):
    """Near the boundary, and not where the last question near the boundary was (MS-cSV).

    Margin sampling asks about many items of the same stretch of the boundary one after the other.
    Here an item counts in full only when it is closer to the boundary than all recent items that
    have the same support vector as their closest; each one that is as close halves it. Support
    vectors are the labelled items that pin the boundary down: of each class the few with the
    smallest margin, those on the wrong side first, as in a soft-margin machine. Needs a linear
    learner, as `hyperplane_distance` does. Which support vector is closest goes by numbers and
    booleans only, and is looked up for the half of the items that is nearer to the boundary: the
    others would hardly be chosen, and count as if evenly spread over the support vectors. A new
    model costs some milliseconds once.

    Formula:
        2^-r / (1 + d), where d is the distance to the nearest class boundary (as in
        `hyperplane_distance`) and r is how many of the remembered items have the same closest
        support vector and a distance of at most d; where more than half of them are nearer, r is
        their number divided by that of the support vectors.

    Range:
        1 on the boundary for the first of a support vector's items, towards 0 far from it; 1 too
        when the online model is not linear, knows fewer than two classes or no numbers that differ.

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
        self._support: SupportVectors | None = None
        #: What was found last, and for whom: an item is scored, then committed.
        self._found: tuple[Context, int] | None = None

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
        distance, support = context.boundary_distance, self._support_of(context.labelled)
        if distance is None or support is None:
            return MAXIMUM
        recent, key = self._recent, self._group(context, distance, support)
        if key == NO_KEY:
            rivals = recent.below(distance) / len(support)
        else:
            rivals = recent.at_most(key, distance)[0]
        return within_unit(0.5**rivals / (1.0 + distance))

    def commit(self, context: Context) -> None:
        """Remember how close the item was to the boundary, and its closest support vector."""
        distance, support = context.boundary_distance, self._support_of(context.labelled)
        if distance is not None and support is not None:
            self._recent.add(self._group(context, distance, support), distance)

    def state(self) -> JsonState:
        """The remembered items: support vectors and distances, in order of arrival."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _group(self, context: Context, distance: float, support: SupportVectors) -> int:
        """Key of the item's closest support vector; `NO_KEY` in the farther half."""
        if self._found is None or self._found[0] is not context:
            recent = self._recent
            near = 2 * recent.below(distance) <= len(recent)
            self._found = context, support.closest(context.features) if near else NO_KEY
        return self._found[1]

    def _support_of(self, labelled: Labelled) -> SupportVectors | None:
        """Looked for once for each model; None where there are none."""
        if labelled is not self._labelled:
            self._labelled, self._found = labelled, None
            self._support = SupportVectors.of(labelled, self.support_vectors)
        return self._support
