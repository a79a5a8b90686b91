"""Random feature subspaces: a committee whose members see different parts of each item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streamal.core.batch import Distributions
from streamal.core.chance import draw
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.types import Features

__all__ = ["SHARE", "SubspaceCommittee"]

#: Part of the features that a member sees: where members differ most and still know something.
SHARE: Final = 0.5


class SubspaceCommittee(Learner):
    """A serving learner that sees everything, and members that each see half of the features.

    Members disagree where the features tell different stories, however many labels there are,
    whereas bootstraps agree once labels abound. Which features a member sees is a hash of (seed,
    feature, member), so features may appear over time, and a replay draws the same subspaces. A
    member that would see nothing of an item sees all of it.

    Source: Ho (1998), "The Random Subspace Method for Constructing Decision Forests", IEEE TPAMI
    20 (8). As views for active learning (adaptive maximum disagreement): Di and Crawford (2012),
    "View Generation for Multiview Maximum Disagreement Based Active Learning for Hyperspectral
    Image Classification", IEEE TGRS 50 (5).

    Args:
        serving: gives `predict_proba`.
        members: give `committee_proba`; at least two.
        seed: another seed draws other subspaces.
    """

    def __init__(self, serving: Learner, members: Sequence[Learner], *, seed: int) -> None:
        self._serving = serving
        self._members = tuple(members)
        self._seed = seed

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
        return tuple(
            member.predict_proba(self._view(features, number))
            for number, member in enumerate(self._members)
        )

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """See `Learner`."""
        self._serving.learn(features, label, event_id=event_id, weight=weight)
        for number, member in enumerate(self._members):
            (view,) = self._view(FeatureColumns([features]), number).rows
            member.learn(view, label, event_id=event_id, weight=weight)

    def _view(self, features: FeatureColumns, number: int) -> FeatureColumns:
        """What one member sees of some items."""
        purpose = f"subspace {number}"
        seen = {name for name in features.names if draw(self._seed, name, purpose) < SHARE}
        return FeatureColumns(
            [
                {name: value for name, value in row.items() if name in seen} or row
                for row in features.rows
            ]
        )
