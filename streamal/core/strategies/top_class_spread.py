"""Top-class spread: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import ClassVar

from streamal.core.strategies.base import CommitteeStrategy

__all__ = ["TopClassSpread"]


class TopClassSpread(CommitteeStrategy):
    """How far apart the members are about the class that the committee as a whole favours.

    The cheapest measure of disagreement and the easiest to explain to a reviewer: one member says
    91 %, another 78 %, the spread is 13 points.

    Formula:
        max(p) - min(p) over the members' probabilities p of the class that is most probable in
        their mean. Members that know fewer than two classes are left out; one that does not know
        the class gives it 0.

    Range:
        0 when all members agree about the class's probability, 1 when one is certain of it and
        another rules it out, or when fewer than two members know two classes.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> committee = ({"cat": 0.78, "dog": 0.22}, {"cat": 0.91, "dog": 0.09})
        >>> context = Context("e1", {}, Production(), committee=committee)
        >>> round(TopClassSpread().score(context), 3)
        0.13

    References:
        Nobody's paper: the range is the plainest measure of dispersion. For what committees can
        disagree about: Settles, B. (2009). Active learning literature survey. University of
        Wisconsin-Madison, TR 1648; on query by committee.
    """

    name: ClassVar[str] = "top_class_spread"

    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """See the class."""
        totals = list(map(fsum, opinions))
        favourite = opinions[totals.index(max(totals))]
        return max(favourite) - min(favourite)
