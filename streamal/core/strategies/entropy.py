"""Entropy: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from math import fsum, log
from typing import ClassVar

from streamal.core.strategies.base import ProbabilityStrategy
from streamal.core.types import Probabilities

__all__ = ["Entropy"]


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
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> round(Entropy().score(Context("e1", {}, Production(), model)), 3)
        0.73

    References:
        Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical
        Journal 27, 379-423. As a query strategy: Settles, B. (2009). Active learning literature
        survey. University of Wisconsin-Madison, TR 1648.
    """

    name: ClassVar[str] = "entropy"

    def uncertainty(self, probabilities: Probabilities) -> float:
        """See the class."""
        # fsum rounds once, so that replicas agree whatever order the classes come in.
        terms = fsum([p * log(p) for p in probabilities.values() if p > 0.0])
        return -terms / log(len(probabilities))
