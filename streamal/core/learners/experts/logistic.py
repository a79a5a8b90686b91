"""Two ways to learn a logistic regression per class: by small steps, and by Bayes' rule."""

from __future__ import annotations

from math import pi

import numpy as np

from streamal.core.features import Vector
from streamal.core.learners.encoded import Table, paired_sums, weighted_sums
from streamal.core.learners.experts.expert import Expert, Lesson, View, grown

__all__ = ["BayesianLogistic", "StochasticLogistic"]

#: Beyond this a sigmoid is 0 or 1 to 13 digits.
_LARGEST_LOGIT = 30.0
#: Variance of every weight before the first label; weights are per standard deviation of a column.
_PRIOR_VARIANCE = 1.0
#: Entries of all covariances together, 800 kB in a snapshot. Beyond it only variances are kept.
_MOST_COVARIANCES = 100_000


def _sigmoid(logits: Vector) -> Vector:
    bounded = np.minimum(np.maximum(-logits, -_LARGEST_LOGIT), _LARGEST_LOGIT)
    share: Vector = 1.0 / (1.0 + np.exp(bounded))
    return share


def _targets(lesson: Lesson) -> Vector:
    targets = np.zeros(lesson.classes)
    targets[lesson.code] = 1.0
    return targets


class StochasticLogistic(Expert):
    """One-vs-rest logistic regression by stochastic gradient descent, on the plain vector.

    Never settles: with a constant step it forgets, which on a drifting stream is what keeps it
    right.

    Source: Bottou (2010), "Large-Scale Machine Learning with Stochastic Gradient Descent".

    Args:
        rate: step size, > 0.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._weights = np.zeros((0, 0))

    def learn(self, lesson: Lesson) -> None:
        """See `Expert`."""
        x = lesson.view.plain[:, 0]
        weights = grown(self._weights, lesson.classes, len(x))
        errors = _targets(lesson) - _sigmoid(weights @ x)
        self._weights = weights + self._rate * lesson.weight * np.outer(errors, x)

    def predict(self, view: View) -> Table:
        """See `Expert`."""
        return _sigmoid(weighted_sums(self._weights, view.plain))


class BayesianLogistic(Expert):
    """One-vs-rest logistic regression that knows how sure it is of each weight.

    The weights have a normal distribution, updated by each label as in an extended Kalman filter.
    Directions with little evidence move far, settled ones hardly: with few labels it gets more out
    of each than gradient steps do. Past evidence fades by `memory` per label, never below what was
    assumed at the start, so the weights keep following a stream that drifts. Predictions average
    over what the weights may be, which keeps them from being overconfident.

    While all classes' covariances fit into 100,000 numbers they are kept whole, from then on only
    their diagonals.

    Sources: Spiegelhalter and Lauritzen (1990), "Sequential Updating of Conditional Probabilities
    on Directed Graphical Structures", Networks 20 (the update); MacKay (1992), "The Evidence
    Framework Applied to Classification Networks", Neural Computation 4 (the average over weights).

    Args:
        memory: share of the evidence that one label leaves, in (0, 1].
        shifted: look at the shifted vector instead of the plain one.
    """

    def __init__(self, memory: float, *, shifted: bool) -> None:
        self._memory = memory
        self._shifted = shifted
        self._weights = np.zeros((0, 0))
        #: (classes, n, n), or (classes, n) once it is diagonal.
        self._covariances = np.zeros((0, 0, 0))

    def learn(self, lesson: Lesson) -> None:
        """See `Expert`."""
        x = self._table(lesson.view)[:, 0]
        self._grow(lesson.classes, len(x))
        self._fade()
        spread = self._spread(x)  # (classes, n)
        variances = spread @ x
        logits = self._weights @ x
        p = _sigmoid(logits)
        evidence = lesson.weight * p * (1.0 - p)
        gain = evidence / (1.0 + evidence * variances)
        if self._covariances.ndim == 3:
            outer = spread[:, :, None] * spread[:, None, :]
            self._covariances = self._covariances - gain[:, None, None] * outer
        else:
            # Each weight on its own: 1 / variance grows by its share of the evidence.
            shares = evidence[:, None] * x**2
            self._covariances = self._covariances / (1.0 + self._covariances * shares)
        errors = _targets(lesson) - _tempered(logits, variances)
        self._weights = self._weights + self._spread(x) * (lesson.weight * errors)[:, None]

    def predict(self, view: View) -> Table:
        """See `Expert`."""
        x = self._table(view)
        return _tempered(weighted_sums(self._weights, x), self._variances(x))

    def _variances(self, x: Table) -> Table:
        """Of what is predicted for each item, shape (classes, n)."""
        if self._covariances.ndim == 2:
            return weighted_sums(self._covariances, x * x)
        classes, size, _ = self._covariances.shape
        spread = weighted_sums(self._covariances.reshape(classes * size, size), x)
        return paired_sums(spread.reshape(classes, size, -1), x)

    def _table(self, view: View) -> Table:
        return view.shifted if self._shifted else view.plain

    def _spread(self, x: Vector) -> Vector:
        """Covariance times `x`, per class."""
        if self._covariances.ndim == 3:
            return self._covariances @ x
        return self._covariances * x

    def _fade(self) -> None:
        covariances = self._covariances / self._memory
        if covariances.ndim == 3:
            mean = np.trace(covariances, axis1=1, axis2=2) / covariances.shape[1]
            self._covariances = covariances / np.maximum(1.0, mean / _PRIOR_VARIANCE)[:, None, None]
        else:
            self._covariances = np.minimum(covariances, _PRIOR_VARIANCE)

    def _grow(self, classes: int, size: int) -> None:
        """Make room for new classes and columns, about which only the prior is known."""
        before = self._weights.shape
        if before == (classes, size):
            return
        self._weights = grown(self._weights, classes, size)
        if self._covariances.ndim == 3 and classes * size * size > _MOST_COVARIANCES:
            self._covariances = np.diagonal(self._covariances, axis1=1, axis2=2)
        diagonal = self._covariances.ndim == 2
        shape = (classes, size) if diagonal else (classes, size, size)
        covariances = grown(self._covariances, *shape).copy()
        known = np.zeros((classes, size), dtype=bool)
        known[: before[0], : before[1]] = True
        which, place = np.nonzero(~known)
        covariances[(which, place) if diagonal else (which, place, place)] = _PRIOR_VARIANCE
        self._covariances = covariances


def _tempered(logits: Vector, variances: Vector) -> Vector:
    """The mean of a sigmoid over a normal distribution, by MacKay's approximation."""
    return _sigmoid(logits / np.sqrt(1.0 + pi * np.maximum(variances, 0.0) / 8.0))
