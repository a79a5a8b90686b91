"""Different learners as a committee."""

from __future__ import annotations

from collections.abc import Sequence

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.types import Features

__all__ = ["HeterogeneousCommittee"]


class HeterogeneousCommittee(Learner):
    """A serving learner, and members of other kinds that learn the same labels.

    Members disagree where their assumptions differ: a line, a density, a tree, the neighbours. All
    learn every label, so with few labels they know more than bootstraps do.

    Source: query by committee with different model classes: Settles (2009), "Active Learning
    Literature Survey", University of Wisconsin-Madison, TR 1648; section 3.2.

    Args:
        serving: gives `predict_proba`.
        members: give `committee_proba`; at least two.
    """

    def __init__(self, serving: Learner, members: Sequence[Learner]) -> None:
        self._serving = serving
        self._members = tuple(members)

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """See `Learner`; the serving learner's."""
        return self._serving.predict_proba(features)

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:
        """See `Learner`; the serving learner's."""
        return self._serving.boundary_distance(features)

    def without_committee(self) -> Learner:
        """See `Learner`."""
        return self._serving.without_committee()

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        """See `Learner`."""
        return tuple(member.predict_proba(features) for member in self._members)

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """See `Learner`."""
        for learner in (self._serving, *self._members):
            learner.learn(features, label, event_id=event_id, weight=weight)
