"""The one interface that every online learner implements."""

from __future__ import annotations

from abc import ABC, abstractmethod

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.types import Features

__all__ = ["Learner"]


class Learner(ABC):
    """An incremental classifier over mixed features.

    Instances must survive `pickle` with their whole state; predictions never change state. What is
    predicted for an item does not depend, to the last bit, on the items predicted with it.
    """

    @abstractmethod
    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """Class probabilities of each item, summing to 1; none before the first label.

        Never raises for missing, NaN, infinite or unknown feature values.
        """

    @abstractmethod
    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        """Class probabilities of each committee member; an empty tuple without a committee."""

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:  # noqa: ARG002 - for linear ones
        """How far each item is from the nearest boundary between two classes, in scaled columns.

        Returns:
            At least 0, NaN for an item without a finite distance; None where there is no
            hyperplane: before the second class, and always for a learner that is not linear.
        """
        return None

    def without_committee(self) -> Learner:
        """A learner without a committee that predicts and learns the same, made of the same parts.

        Only good for being copied: taught, it would teach parts of this one.
        """
        return self

    @abstractmethod
    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """Learn one labelled item.

        Args:
            features: the inputs as they were at decision time.
            label: the true class.
            event_id: identity of the event; the seed of every draw that resampling needs, so that
                replaying a label resamples it the same way.
            weight: importance, > 0; 1 counts once.

        Raises:
            Reject: `unlearnable`, when a user's own pipeline cannot work with the item.
        """
