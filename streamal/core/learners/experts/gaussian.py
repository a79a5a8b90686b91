"""Naive Bayes with a normal distribution per class and column."""

from __future__ import annotations

import numpy as np

from streamal.core.learners.encoded import Table
from streamal.core.learners.experts.expert import Expert, Lesson, View, grown
from streamal.core.learners.gaussian import gaussian_shares

__all__ = ["GaussianBayes"]

#: Least variance of a column within a class, where 1 is its variance over all: a column that never
#: varied within a class would otherwise rule that class out, or in, on its own.
_VARIANCE_FLOOR = 0.1


class GaussianBayes(Expert):
    """Each class has a mean and a variance per column; columns count as independent.

    A class's variances start from one virtual item at the variance over all classes. Often wrong
    about the shape of a class, but the first to have a useful opinion: it needs a few labels of
    each class, whatever the number of columns.

    Source: John and Langley (1995), "Estimating Continuous Distributions in Bayesian Classifiers",
    UAI.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(0)
        self._means = self._squares = np.zeros((0, 0))
        # What `predict` needs, from the above, in today's scale.
        self._centres = self._precisions = np.zeros((0, 0))
        self._constants = np.zeros(0)

    def learn(self, lesson: Lesson) -> None:
        """See `Expert`."""
        shape = (lesson.classes, len(lesson.raw))
        self._counts = grown(self._counts, lesson.classes).copy()
        self._means = grown(self._means, *shape).copy()
        self._squares = grown(self._squares, *shape).copy()
        code = lesson.code
        self._counts[code] += lesson.weight
        off = lesson.raw - self._means[code]
        self._means[code] += off * lesson.weight / self._counts[code]
        self._squares[code] += lesson.weight * off * (lesson.raw - self._means[code])
        self._prepare(lesson)

    def _prepare(self, lesson: Lesson) -> None:
        squares = self._squares * lesson.scale**2
        variances = np.maximum(_VARIANCE_FLOOR, (squares + 1.0) / (self._counts[:, None] + 1.0))
        self._centres = (self._means - lesson.mean) * lesson.scale
        self._precisions = 1.0 / variances
        priors = np.log(self._counts / self._counts.sum())
        self._constants = priors - 0.5 * np.log(variances).sum(axis=1)

    def predict(self, view: View) -> Table:
        """See `Expert`; the most probable class has 1."""
        return gaussian_shares(self._constants, self._centres, self._precisions, view.plain[1:])
