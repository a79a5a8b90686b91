"""Margin: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.base import ProbabilityStrategy
from streamal.core.types import Probabilities

__all__ = ["Margin"]


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
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> round(Margin().score(Context("e1", {}, Production(), model)), 3)
        0.5

    References:
        Scheffer, T., Decomain, C., and Wrobel, S. (2001). Active hidden Markov models for
        information extraction. IDA 2001, 309-318.
    """

    name: ClassVar[str] = "margin"

    def uncertainty(self, probabilities: Probabilities) -> float:
        """See the class."""
        if len(probabilities) == 2:
            one, other = probabilities.values()
            return 1.0 - abs(one - other)
        second, first = sorted(probabilities.values())[-2:]
        return 1.0 - (first - second)
