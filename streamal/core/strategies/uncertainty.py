"""How undecided class probabilities are."""

from __future__ import annotations

from math import log
from typing import ClassVar

import numpy as np

from streamal.core.batch import Matrix
from streamal.core.features import Vector
from streamal.core.strategies.base import MAXIMUM, ProbabilityStrategy


class LeastConfidence(ProbabilityStrategy):
    """How far the most probable class is from certainty.

    Formula:
        (1 - p1) * K / (K - 1), where p1 is the largest of K class probabilities.

    Range:
        0 when one class is certain, 1 when all classes are equally probable or fewer than two are
        known. With two classes it ranks items as margin and entropy do.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> batch = Batch.of([Context("e1", {}, Production(), model)])
        >>> LeastConfidence().score(batch).round(3)
        array([0.45])

    References:
        Lewis, D. D., and Gale, W. A. (1994). A sequential algorithm for training text classifiers.
        SIGIR '94, 3-12.
    """

    name: ClassVar[str] = "least_confidence"

    def uncertainty(self, p: Matrix) -> Vector:
        """See the class."""
        return least_confidence_of(p)


class Margin(ProbabilityStrategy):
    """How close the two most probable classes are.

    Formula:
        1 - (p1 - p2), where p1 and p2 are the two largest class probabilities.

    Range:
        0 when one class is certain, 1 when the two best are equally probable, whatever the others
        are, or when fewer than two are known.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> batch = Batch.of([Context("e1", {}, Production(), model)])
        >>> Margin().score(batch).round(3)
        array([0.5])

    References:
        Scheffer, T., Decomain, C., and Wrobel, S. (2001). Active hidden Markov models for
        information extraction. IDA 2001, 309-318.
    """

    name: ClassVar[str] = "margin"

    def uncertainty(self, p: Matrix) -> Vector:
        """See the class."""
        return margin_of(p)


class Ratio(ProbabilityStrategy):
    """How probable the second class is, compared to the first.

    Formula:
        p2 / p1, where p1 and p2 are the two largest class probabilities.

    Range:
        0 when one class is certain, 1 when the two best are equally probable or fewer than two are
        known. With two classes it ranks items as margin does; with more it does not look at how
        much probability the others take: 0.10 against 0.05 is as clear as 0.6 against 0.3.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> batch = Batch.of([Context("e1", {}, Production(), model)])
        >>> Ratio().score(batch).round(3)
        array([0.286])

    References:
        Monarch, R. M. (2021). Human-in-the-loop machine learning. Manning; chapter 3, ratio of
        confidence sampling.
    """

    name: ClassVar[str] = "ratio"

    def uncertainty(self, p: Matrix) -> Vector:
        """See the class."""
        second, first = _two_largest(p)
        unknown = np.full(len(p), MAXIMUM)
        np.divide(second, first, out=unknown, where=first > 0.0)
        return unknown


class Entropy(ProbabilityStrategy):
    """How spread out the class probabilities are.

    Formula:
        -sum(p * log(p)) / log(K) over the K class probabilities p, with 0 * log(0) = 0.

    Range:
        0 when one class is certain, 1 when all classes are equally probable or fewer than two are
        known.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> batch = Batch.of([Context("e1", {}, Production(), model)])
        >>> Entropy().score(batch).round(3)
        array([0.73])

    References:
        Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical
        Journal 27, 379-423. As a query strategy: Settles, B. (2009). Active learning literature
        survey. University of Wisconsin-Madison, TR 1648.
    """

    name: ClassVar[str] = "entropy"

    def uncertainty(self, p: Matrix) -> Vector:
        """See the class."""
        return entropy_of(p)


def least_confidence_of(p: Matrix) -> Vector:
    """The measure of `LeastConfidence`: shape (m, K) to (m,)."""
    classes = p.shape[1]
    doubt: Vector = (1.0 - p.max(axis=1)) * classes / (classes - 1)
    return doubt


def margin_of(p: Matrix) -> Vector:
    """One minus the margin, the measure of `Margin`: shape (m, K) to (m,)."""
    second, first = _two_largest(p)
    doubt: Vector = 1.0 - (first - second)
    return doubt


def entropy_of(p: Matrix) -> Vector:
    """The measure of `Entropy`: shape (m, K) to (m,)."""
    terms = p * np.log(np.where(p > 0.0, p, 1.0))
    if p.shape[1] > 2:  # sums depend on the order, which classes do not come in always
        terms.sort(axis=1)
    entropy: Vector = terms.sum(axis=1) / -log(p.shape[1])
    return entropy


def _two_largest(p: Matrix) -> tuple[Vector, Vector]:
    """The second largest of each row, and the largest."""
    if p.shape[1] == 2:
        one, other = p[:, 0], p[:, 1]
        return np.minimum(one, other), np.maximum(one, other)
    ordered = np.partition(p, p.shape[1] - 2, axis=1)
    return ordered[:, -2], ordered[:, -1]
