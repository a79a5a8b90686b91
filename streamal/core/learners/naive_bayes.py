"""Gaussian naive Bayes that stands columns without variance, such as rare categories."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from river.naive_bayes import GaussianNB

from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded, Table
from streamal.core.learners.gaussian import gaussian_shares

__all__ = ["FlooredGaussianNB", "GaussianVotes"]


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

    def votes(self, codes: Sequence[Hashable], names: Sequence[str]) -> GaussianVotes:
        """How it predicts many items at once; see `GaussianVotes.of`."""
        return GaussianVotes.of(self, codes, names)

    def predict_proba_one(self, x: dict[str, Any]) -> dict[Hashable, float]:
        """Probabilities up to a common factor, the most probable class having 1.

        Columns that a class has not seen yet speak neither for nor against it.
        """
        codes = list(self.class_counts)
        if not codes:
            return {}
        item = Encoded.of_row(x)
        votes = GaussianVotes.of(self, codes, item.names)(item)
        return dict(zip(codes, votes[:, 0].tolist(), strict=True))


class GaussianVotes:
    """What a `FlooredGaussianNB` predicts for many items.

    Args:
        priors: logarithm of each class's share, less half the log variances of its columns.
        means: shape (classes, columns).
        precisions: 1 / variance, 0 for a column that the class has not seen; as `means`.
    """

    def __init__(self, priors: Vector, means: Table, precisions: Table) -> None:
        self._priors = priors
        self._means = means
        self._precisions = precisions

    @classmethod
    def of(
        cls, model: FlooredGaussianNB, codes: Sequence[Hashable], names: Sequence[str]
    ) -> GaussianVotes:
        """Those of a classifier.

        Args:
            model: the classifier.
            codes: classes as River knows them.
            names: of the columns to come, of which no item may lack any.
        """
        counts = np.array([model.class_counts[code] for code in codes], dtype=np.float64)
        known = [[model.gaussians.get(code, {}).get(name) for name in names] for code in codes]
        shape = (len(codes), len(names))
        means = np.array([[g.mu if g else 0.0 for g in row] for row in known]).reshape(shape)
        squares = [[g.sigma**2 if g else np.inf for g in row] for row in known]
        variances = np.maximum(model.variance_floor, np.array(squares).reshape(shape))
        logs = np.where(np.isinf(variances), 0.0, np.log(variances))
        priors = np.log(counts / model.class_counts.total()) - 0.5 * np.add.reduce(logs, axis=1)
        return cls(priors, means, 1.0 / variances)

    def __call__(self, columns: Encoded) -> Table:
        """Shares of the classes, shape (classes, n); the largest of an item is 1."""
        return gaussian_shares(self._priors, self._means, self._precisions, columns.table)
