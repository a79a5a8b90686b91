"""Hyperplane distance: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.types import Context

__all__ = ["HyperplaneDistance"]


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
        >>> from streamal.core.types import Context, Production
        >>> near = Context("e1", {}, Production(), boundary_distance=0.25)
        >>> far = Context("e2", {}, Production(), boundary_distance=3.0)
        >>> HyperplaneDistance().score(near), HyperplaneDistance().score(far)
        (0.8, 0.25)

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

    def score(self, context: Context) -> float:
        """See the class."""
        distance = context.boundary_distance
        return MAXIMUM if distance is None else within_unit(1.0 / (1.0 + distance))
