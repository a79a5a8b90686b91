"""Ratio: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.base import MAXIMUM, ProbabilityStrategy
from streamal.core.types import Probabilities

__all__ = ["Ratio"]


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
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> round(Ratio().score(Context("e1", {}, Production(), model)), 3)
        0.286

    References:
        Monarch, R. M. (2021). Human-in-the-loop machine learning. Manning; chapter 3, ratio of
        confidence sampling.
    """

    name: ClassVar[str] = "ratio"

    def uncertainty(self, probabilities: Probabilities) -> float:
        """See the class."""
        second, first = sorted(probabilities.values())[-2:]
        return second / first if first > 0.0 else MAXIMUM
