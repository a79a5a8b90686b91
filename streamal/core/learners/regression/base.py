"""The one interface that every online regression learner implements."""

from __future__ import annotations

from abc import ABC, abstractmethod

from streamal.core.features import FeatureColumns, Vector
from streamal.core.types import Features

__all__ = ["ValueLearner"]


class ValueLearner(ABC):
    """An incremental regression over mixed features.

    Instances must survive `pickle` with their whole state; predictions never change state. What is
    predicted for an item does not depend, to the last bit, on the items predicted with it.
    """

    @abstractmethod
    def predict(self, features: FeatureColumns) -> Vector:
        """A finite number per item in the unit of the truths; NaN before two different ones.

        A learner that has seen one value only predicts it whatever the item is, and so does every
        member of a committee: perfect agreement that nothing was learned for.

        Never raises for missing, NaN, infinite or unknown feature values.
        """

    @abstractmethod
    def committee(self, features: FeatureColumns) -> tuple[Vector, ...]:
        """The same from each committee member; an empty tuple without a committee."""

    @abstractmethod
    def learn(
        self, features: Features, value: float, *, event_id: str, weight: float = 1.0
    ) -> None:
        """Learn one labelled item.

        Args:
            features: the inputs as they were at decision time.
            value: the true number, finite and at most `LARGEST_VALUE` in magnitude.
            event_id: identity of the event; the seed of every draw that resampling needs, so that
                replaying a label resamples it the same way.
            weight: importance, > 0; 1 counts once.

        Raises:
            Reject: `unlearnable`, when the value is out of bounds or a user's own pipeline cannot
                work with the item.
        """
