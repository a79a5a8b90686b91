"""Consensus entropy: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log2
from typing import ClassVar

from streamal.core.strategies.base import CommitteeStrategy

__all__ = ["ConsensusEntropy"]


class ConsensusEntropy(CommitteeStrategy):
    """How spread out the committee's mean distribution is.

    High when the members disagree, and also when they agree that the item is undecidable; the
    Jensen-Shannon divergence is the part of it that is disagreement.

    Formula:
        -sum(q * log(q)) / log(K), where q is the mean of the members' distributions over K classes
        and a class that a member does not know has probability 0 with it. Members that know fewer
        than two classes are left out.

    Range:
        0 when all members are certain of the same class, 1 when the mean is even or fewer than two
        members know two classes.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> context = Context("e1", {}, Production(), committee=(cat, dog))
        >>> round(ConsensusEntropy().score(context), 3)
        0.971

    References:
        The soft vote entropy of Settles, B. (2009). Active learning literature survey. University
        of Wisconsin-Madison, TR 1648; on query by committee.
    """

    name: ClassVar[str] = "consensus_entropy"

    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """See the class."""
        consensus = [fsum(column) / len(column) for column in opinions]
        terms = fsum([q * log2(q) for q in consensus if q > 0.0])
        return -terms / log2(len(consensus))
