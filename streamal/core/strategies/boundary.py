"""How close items are to the boundary between classes of a linear model."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.keyed_window import NO_KEY, KeyedWindow
from streamal.core.strategies.support_vectors import SupportVectors
from streamal.core.types import NONE_LABELLED, JsonState, Labelled


class HyperplaneDistance(Strategy):
    """How close the item is to the boundary between classes of a linear model (margin sampling).

    For large-margin learners, whose probabilities are not calibrated: the distance needs none. With
    other linear learners it differs from `margin` in that it counts in units of the features: a
    model that grew sure of itself because its weights grew is asked as before.

    Formula:
        1 / (1 + d), where d is the distance to the nearest boundary of the region of the predicted
        class, min over the other classes j of (f_t - f_j) / ||w_t - w_j||, with the linear
        functions f of weights w and the largest of them f_t; in standard deviations, since the
        features that learners see are scaled.

    Range:
        1 on the boundary, towards 0 far from it; 1 too when the online model is not linear or knows
        fewer than two classes.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> near = Context("e1", {}, Production(), boundary_distance=0.25)
        >>> far = Context("e2", {}, Production(), boundary_distance=3.0)
        >>> HyperplaneDistance().score(Batch.of([near, far]))
        array([0.8 , 0.25])

    References:
        Tong, S., and Koller, D. (2001). Support vector machine active learning with applications to
        text classification. Journal of Machine Learning Research 2, 45-66: simple margin. Campbell,
        C., Cristianini, N., and Smola, A. (2000). Query learning with large margin classifiers.
        ICML 2000, 111-118.
    """

    name: ClassVar[str] = "hyperplane_distance"

    @property
    def asks_boundary(self) -> bool:
        """Always."""
        return True

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        distances = batch.boundary_distance
        if distances is None:
            return np.full(len(batch), MAXIMUM)
        return within_unit(1.0 / (1.0 + distances))


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Labelled, LabelledItem, Production
        >>> west, east = {"x": -1.0, "y": 0.0}, {"x": 1.0, "y": 0.0}
        >>> pair = LabelledItem("e1", west, "cat", 0.9), LabelledItem("e2", east, "dog", 1.1)
        >>> labelled, strategy = Labelled(pair), ClosestSupportVector()
        >>> def item(x):
        ...     return Context("e", {"x": x}, Production(), boundary_distance=0.25,
        ...                    labelled=labelled)
        >>> strategy.score(Batch.of([item(-0.5), item(-0.4), item(0.4)]))
        array([0.8, 0.4, 0.8])

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

    @property
    def asks_boundary(self) -> bool:
        """Always."""
        return True

    @property
    def asks_labelled(self) -> bool:
        """Always."""
        return True

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        distances, support = batch.boundary_distance, self._support_of(batch.labelled)
        if distances is None or support is None:
            return np.full(len(batch), MAXIMUM)
        keys: list[int] = []
        scores = []
        for number, distance in enumerate(distances.tolist()):
            if distance != distance:
                scores.append(MAXIMUM)
                continue
            nearer = self._recent.below(distance)
            near = 2 * nearer <= len(self._recent)
            if near and not keys:  # together, they take a fraction of the time
                keys = support.closest(batch.features.rows)
            key = keys[number] if near else NO_KEY
            rivals = self._recent.at_most(key, distance)[0] if near else nearer / len(support)
            scores.append(0.5**rivals / (1.0 + distance))
            self._recent.add(key, distance)
        return np.array(scores)

    def state(self) -> JsonState:
        """The remembered items: support vectors and distances, in order of arrival."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _support_of(self, labelled: Labelled) -> SupportVectors | None:
        """Looked for once for each model; None where there are none."""
        if labelled is not self._labelled:
            self._labelled = labelled
            self._support = SupportVectors.of(labelled, self.support_vectors)
        return self._support
