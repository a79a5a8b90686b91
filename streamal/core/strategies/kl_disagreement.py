"""KL disagreement: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log2
from typing import ClassVar

from streamal.core.strategies.base import CommitteeStrategy

__all__ = ["KlDisagreement"]


class KlDisagreement(CommitteeStrategy):
    """How far the most dissenting member of the committee is from the consensus.

    One dissenter is enough for a high score, so it is the measure to take when the members see
    different things, and the wrong one when a single member is known to be poor.

    Formula:
        max over members m of sum(p * log(p / q)) / log(M), where p is the member's distribution, q
        the mean of all M and 0 * log(0) = 0. A member's p is at most M * q, so no divergence
        exceeds log(M). Members that know fewer than two classes are left out.

    Range:
        0 when all members say the same, 1 when one is certain of a class that all others rule out,
        or when fewer than two members know two classes.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> context = Context("e1", {}, Production(), committee=(cat, cat, dog))
        >>> round(KlDisagreement().score(context), 3)
        0.308

    References:
        Kullback-Leibler divergence to the mean: McCallum, A., and Nigam, K. (1998). Employing EM
        and pool-based active learning for text classification. ICML 1998, 350-358. They average
        over the members; the maximum is here so that one dissenter is heard in a large committee.
    """

    name: ClassVar[str] = "kl_disagreement"

    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """See the class."""
        scale = log2(len(opinions[0]))
        # Not the mean's logarithm: of the smallest numbers, the mean is 0.
        totals = map(fsum, opinions)
        means = [log2(total) - scale if total > 0.0 else 0.0 for total in totals]
        if len(opinions) == 2:
            # The divergence is convex, so of two classes one of the extremes has the largest.
            one, other = opinions
            low, high = min(one), max(one)
            extremes = (low, other[one.index(low)]), (high, other[one.index(high)])
            return max(_divergence(extremes[0], means), _divergence(extremes[1], means)) / scale
        members = zip(*opinions, strict=True)
        return max([_divergence(member, means) for member in members]) / scale


def _divergence(member: Sequence[float], means: Sequence[float]) -> float:
    if len(means) == 2 and 0.0 not in member:
        (p, q), (one, other) = member, means
        return p * (log2(p) - one) + q * (log2(q) - other)
    return fsum([p * (log2(p) - mean) for p, mean in zip(member, means, strict=True) if p])
