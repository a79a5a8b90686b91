"""How much the members of a committee disagree about the class."""

from __future__ import annotations

from math import log2
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from streamal.core.features import Vector
from streamal.core.strategies.base import CommitteeStrategy


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.4, "dog": 0.6}
        >>> context = Context("e1", {}, Production(), committee=(cat, cat, cat, dog))
        >>> VoteEntropy().score(Batch.of([context])).round(3)
        array([0.811])

    References:
        Dagan, I., and Engelson, S. P. (1995). Committee-based sampling for training probabilistic
        classifiers. ICML 1995, 150-157.
    """

    name: ClassVar[str] = "vote_entropy"

    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """See the class."""
        items, members, classes = p.shape
        places = p.argmax(axis=2) + np.arange(0, items * classes, classes)[:, None]
        votes = np.bincount(places.ravel(), minlength=items * classes).reshape(items, classes)
        shares = np.arange(members + 1) / members
        # A unanimous committee's single term is 0 exactly.
        spread: Vector = _times_log2(shares)[votes].sum(axis=1) / -log2(min(members, classes))
        return spread


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> context = Context("e1", {}, Production(), committee=(cat, dog))
        >>> ConsensusEntropy().score(Batch.of([context])).round(3)
        array([0.971])

    References:
        The soft vote entropy of Settles, B. (2009). Active learning literature survey. University
        of Wisconsin-Madison, TR 1648; on query by committee.
    """

    name: ClassVar[str] = "consensus_entropy"

    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """See the class."""
        consensus = p.sum(axis=1) / p.shape[1]
        spread: Vector = _times_log2(consensus).sum(axis=1) / -log2(p.shape[2])
        return spread


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> context = Context("e1", {}, Production(), committee=(cat, cat, dog))
        >>> KlDisagreement().score(Batch.of([context])).round(3)
        array([0.308])

    References:
        Kullback-Leibler divergence to the mean: McCallum, A., and Nigam, K. (1998). Employing EM
        and pool-based active learning for text classification. ICML 1998, 350-358. They average
        over the members; the maximum is here so that one dissenter is heard in a large committee.
    """

    name: ClassVar[str] = "kl_disagreement"

    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """See the class."""
        scale = log2(p.shape[1])
        # Not the mean's logarithm: of the smallest numbers, the mean is 0.
        means = _log2(p.sum(axis=1)) - scale
        divergences: Vector = (p * (_log2(p) - means[:, None, :])).sum(axis=2).max(axis=1)
        return divergences / scale


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> cat, dog = {"cat": 0.9, "dog": 0.1}, {"cat": 0.3, "dog": 0.7}
        >>> doubt = {"cat": 0.5, "dog": 0.5}
        >>> disagreeing = Context("e1", {}, Production(), committee=(cat, dog))
        >>> undecidable = Context("e2", {}, Production(), committee=(doubt, doubt))
        >>> JensenShannon().score(Batch.of([disagreeing, undecidable])).round(3)
        array([0.296, 0.   ])

    References:
        Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on
        Information Theory 37 (1), 145-151. As a query strategy (BALD): Houlsby, N., Huszar, F.,
        Ghahramani, Z., and Lengyel, M. (2011). Bayesian active learning for classification and
        preference learning. arXiv:1112.5745.
    """

    name: ClassVar[str] = "jensen_shannon"

    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """See the class."""
        _, members, classes = p.shape
        certainty: Vector = _times_log2(p).sum(axis=2).sum(axis=1) / members
        total = _times_log2(p.sum(axis=1) / members).sum(axis=1)
        divergence: Vector = (certainty - total) / log2(min(members, classes))
        return divergence


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> committee = ({"cat": 0.78, "dog": 0.22}, {"cat": 0.91, "dog": 0.09})
        >>> context = Context("e1", {}, Production(), committee=committee)
        >>> TopClassSpread().score(Batch.of([context])).round(3)
        array([0.13])

    References:
        Nobody's paper: the range is the plainest measure of dispersion. For what committees can
        disagree about: Settles, B. (2009). Active learning literature survey. University of
        Wisconsin-Madison, TR 1648; on query by committee.
    """

    name: ClassVar[str] = "top_class_spread"

    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """See the class."""
        favourites = p.sum(axis=1).argmax(axis=1)
        opinions = p[np.arange(len(p)), :, favourites]
        spread: Vector = opinions.max(axis=1) - opinions.min(axis=1)
        return spread


def _log2(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm; 0 where p is 0, whose terms count nothing."""
    return np.log2(np.where(p > 0.0, p, 1.0))


def _times_log2(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return p * _log2(p)
