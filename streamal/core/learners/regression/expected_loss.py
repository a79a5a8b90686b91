"""From the distance between production and the online model to production's expected error."""

from __future__ import annotations

from typing import Final

from streamal.core.features import Vector

__all__ = ["ExpectedLoss"]

#: Kept share of the past per label: a label from 500 labels ago counts half.
_KEPT: Final = 0.5 ** (1 / 500)
#: Labels that the assumption weighs that a distance is an error in full (slope 1): with fewer, a
#: handful of lucky agreements would hide what the model says.
_PRIOR_LABELS: Final = 3.0


class ExpectedLoss:
    """E|production - truth| given |production - model|, learned from labels as they come.

    The distance to the model is not production's error: it contains the model's own. Least squares
    of the error on the distance finds how much is whose; slope in [0, 1], intercept >= 0, so that a
    larger distance never means a smaller error. Every pair is taken before the model has learned
    the label, as it would have been at the decision.
    """

    def __init__(self) -> None:
        self._count = 0.0
        self._sums = (0.0, 0.0, 0.0, 0.0)

    def learn(self, distance: float, loss: float, weight: float = 1.0) -> None:
        """Take in one labelled item.

        Args:
            distance: |production - model|, >= 0.
            loss: |production - truth|, >= 0.
            weight: importance, > 0.
        """
        new = (distance, loss, distance * distance, distance * loss)
        self._count = _KEPT * self._count + weight
        self._sums = tuple(  # type: ignore[assignment]  # four of them
            _KEPT * old + weight * each for old, each in zip(self._sums, new, strict=True)
        )

    def of(self, distances: Vector) -> Vector:
        """The expected errors at distances, both >= 0; the distances before any label."""
        if not self._count:
            return distances
        d, e, dd, de = (each / self._count for each in self._sums)
        prior = dd * _PRIOR_LABELS / (_PRIOR_LABELS + self._count)
        variance, covariance = max(0.0, dd - d * d) + prior, de - d * e + prior
        slope = min(1.0, max(0.0, covariance / variance)) if variance > 0.0 else 1.0
        errors: Vector = max(0.0, e - slope * d) + slope * distances
        return errors
