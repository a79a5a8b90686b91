"""Online bagging: a committee whose members disagree where the labels leave room to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from streamal.core.batch import Distributions
from streamal.core.chance import draw
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.learners.classifier import GuardedClassifier
from streamal.core.learners.preprocess import FrontEnd
from streamal.core.learners.river_learner import RiverLearner
from streamal.core.types import Features

__all__ = ["BaggingCommittee", "poisson_one"]

#: P(more) is below 1e-19, less than a draw can resolve; also ends the search when rounding keeps
#: the cumulated probability below the largest draw.
_MOST_COPIES = 20


def poisson_one(u: float) -> int:
    """The quantile of a Poisson(1) distribution: how often a bootstrap holds an item.

    Args:
        u: uniform draw in [0, 1).

    >>> [poisson_one(u) for u in (0.0, 0.36, 0.37, 0.74, 0.999)]
    [0, 0, 1, 2, 5]
    """
    copies, p = 0, math.exp(-1.0)
    cumulated = p
    while u >= cumulated and copies < _MOST_COPIES:
        copies += 1
        p /= copies
        cumulated += p
    return copies


class BaggingCommittee(Learner):
    """A serving classifier that learns everything, and members that each learn a bootstrap of it.

    Each member learns an item Poisson(1) times; the counts are hashes of (seed, event, member), so
    a replay resamples identically and no generator has to be kept. Predictions come from the
    serving classifier, because a member has seen only 63 % of the few labels there are. All share
    one front end, which learns each item once.

    Source: Oza and Russell (2001), "Online Bagging and Boosting", AISTATS.

    Args:
        front_end: turns features into columns.
        serving: gives `predict_proba`.
        members: give `committee_proba`; at least two, each with a state of its own.
        seed: another seed draws other bootstraps.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        serving: GuardedClassifier,
        members: Sequence[GuardedClassifier],
        *,
        seed: int,
    ) -> None:
        self._front_end = front_end
        self._serving = serving
        self._members = tuple(members)
        self._seed = seed

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """See `Learner`; the serving classifier's."""
        return self._serving.predict_proba(self._front_end.encode(features))

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:
        """See `Learner`; the serving classifier's."""
        return self._serving.boundary_distance(self._front_end.encode(features))

    def without_committee(self) -> Learner:
        """See `Learner`."""
        return RiverLearner(self._front_end, self._serving)

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        """See `Learner`; members that have drawn no label yet know nothing."""
        return GuardedClassifier.predict_all(self._members, self._front_end.encode(features))

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """See `Learner`."""
        item = FeatureColumns([features])
        self._front_end.learn(item)
        (columns,) = self._front_end.encode(item).rows
        self._serving.learn(columns, label, weight=weight)
        for index, member in enumerate(self._members):
            copies = poisson_one(draw(self._seed, event_id, f"bagging {index}"))
            if copies:
                member.learn(columns, label, weight=weight, copies=copies)
