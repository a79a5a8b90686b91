"""Vote entropy: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum, log2
from operator import gt
from typing import ClassVar

from streamal.core.strategies.base import CommitteeStrategy

__all__ = ["VoteEntropy"]


class VoteEntropy(CommitteeStrategy):
    """How much the members of the committee disagree about the class.

    Formula:
        -sum(v / M * log(v / M)) / log(min(M, K)) over the vote counts v of the classes, where each
        of M members votes for its most probable class out of K. A member that knows fewer than two
        classes has no choice and does not vote.

    Range:
        0 when all agree, 1 when the votes are spread as evenly as M votes over K classes can be, or
        when fewer than two members can vote.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.4, "dog": 0.6}
        >>> context = Context("e1", {}, Production(), committee=(cat, cat, cat, dog))
        >>> round(VoteEntropy().score(context), 3)
        0.811

    References:
        Dagan, I., and Engelson, S. P. (1995). Committee-based sampling for training probabilistic
        classifiers. ICML 1995, 150-157.
    """

    name: ClassVar[str] = "vote_entropy"

    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """See the class."""
        members = len(opinions[0])
        if len(opinions) == 2:
            others = sum(map(gt, opinions[1], opinions[0]))
            counts = [members - others, others]
        else:
            rows = zip(*opinions, strict=True)
            counts = list(Counter([row.index(max(row)) for row in rows]).values())
        if members in counts:
            return 0.0
        terms = fsum([count / members * log2(count / members) for count in counts])
        return -terms / log2(min(members, len(opinions)))
