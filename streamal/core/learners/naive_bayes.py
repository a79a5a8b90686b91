"""Gaussian naive Bayes that stands columns without variance, such as rare categories."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from river.naive_bayes import GaussianNB

__all__ = ["FlooredGaussianNB"]


class FlooredGaussianNB(GaussianNB):  # type: ignore[misc]  # River is untyped to mypy
    """River's GaussianNB with a floor under each variance.

    River gives density 0 to a column that never varied within a class, even where the item agrees
    with it: a class in which some category never occurred then loses to all others.

    Source: John and Langley (1995), "Estimating Continuous Distributions in Bayesian Classifiers",
    UAI; the floor is the usual variance smoothing.

    Args:
        variance_floor: least variance of a column within a class, > 0, in units of the column.
    """

    def __init__(self, variance_floor: float = 0.1) -> None:
        super().__init__()
        self.variance_floor = variance_floor

    def joint_log_likelihood(self, x: dict[str, Any]) -> dict[Hashable, float]:
        """Per class, the logarithm of P(class) times the density of `x`, up to a common factor."""
        return {
            label: math.log(self.p_class(label)) + self._log_density(label, x)
            for label in self.class_counts
        }

    def predict_proba_one(self, x: dict[str, Any]) -> dict[Hashable, float]:
        """Probabilities up to a common factor, the most probable class having 1.

        River calls scipy's logsumexp, which on this few numbers costs more than all the rest.
        """
        likelihoods = self.joint_log_likelihood(x)
        most = max(likelihoods.values(), default=0.0)
        return {label: math.exp(value - most) for label, value in likelihoods.items()}

    def _log_density(self, label: Hashable, x: dict[str, Any]) -> float:
        """Columns that the class has not seen yet speak neither for nor against it."""
        total = 0.0
        gaussians = self.gaussians.get(label, {})
        for name, value in x.items():
            gaussian = gaussians.get(name)
            if gaussian is not None:
                variance = max(self.variance_floor, gaussian.sigma**2)
                total -= math.log(variance) + (value - gaussian.mu) ** 2 / variance
        return total / 2.0
