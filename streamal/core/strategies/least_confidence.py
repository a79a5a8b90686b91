"""Least confidence: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.base import ProbabilityStrategy
from streamal.core.types import Probabilities

__all__ = ["LeastConfidence"]


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
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> round(LeastConfidence().score(Context("e1", {}, Production(), model)), 3)
        0.45

    References:
        Lewis, D. D., and Gale, W. A. (1994). A sequential algorithm for training text classifiers.
        SIGIR '94, 3-12.
    """

    name: ClassVar[str] = "least_confidence"

    def uncertainty(self, probabilities: Probabilities) -> float:
        """See the class."""
        classes = len(probabilities)
        return (1.0 - max(probabilities.values())) * classes / (classes - 1)
