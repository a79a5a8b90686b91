"""Jensen-Shannon divergence: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import fsum, log2
from typing import ClassVar

from streamal.core.strategies.base import CommitteeStrategy

__all__ = ["JensenShannon"]


class JensenShannon(CommitteeStrategy):
    """How much of the committee's uncertainty is disagreement rather than doubt (BALD).

    The mutual information of the class and the member: what a label is expected to tell about
    which member is right. An item on which every member says 50:50 scores 0, whereas measures of
    uncertainty would ask about such noise for ever.

    Formula:
        (H(q) - mean of H(p)) / log(min(M, K)), where H is the entropy, p the distribution of each
        of M members over K classes and q their mean. Members that know fewer than two classes are
        left out.

    Range:
        0 when all members say the same, at most 1: when each is certain and the classes are named
        equally often. 1 too when fewer than two members know two classes.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> doubt = {"cat": 0.5, "dog": 0.5}
        >>> disagreeing = Context("e1", {}, Production(), committee=(cat, dog))
        >>> undecidable = Context("e2", {}, Production(), committee=(doubt, doubt))
        >>> round(JensenShannon().score(disagreeing), 3), JensenShannon().score(undecidable)
        (0.296, 0.0)

    References:
        Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on
        Information Theory 37 (1), 145-151. As a query strategy (BALD): Houlsby, N., Huszar, F.,
        Ghahramani, Z., and Lengyel, M. (2011). Bayesian active learning for classification and
        preference learning. arXiv:1112.5745.
    """

    name: ClassVar[str] = "jensen_shannon"

    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """See the class."""
        count = len(opinions[0])
        if len(opinions) == 2:  # half the steps; who rules a class out is certain of the other
            one, other = opinions
            pairs = zip(one, other, strict=True)
            certainty = fsum([p * log2(p) + q * log2(q) for p, q in pairs if p and q])
            p, q = fsum(one) / count, fsum(other) / count
            return certainty / count - (p * log2(p) + q * log2(q) if p and q else 0.0)
        certainty = fsum([p * log2(p) for p in chain.from_iterable(opinions) if p])
        consensus = [fsum(column) / count for column in opinions]
        total = fsum([q * log2(q) for q in consensus if q])
        return (certainty / count - total) / log2(min(count, len(opinions)))
