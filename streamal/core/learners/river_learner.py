"""Any River classifier as a learner over mixed features."""

from __future__ import annotations

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.learners.classifier import GuardedClassifier
from streamal.core.learners.preprocess import FrontEnd
from streamal.core.types import Features

__all__ = ["RiverLearner"]


class RiverLearner(Learner):
    """One classifier behind a feature front end; no committee.

    Args:
        front_end: turns features into columns; learns from labelled items only.
        classifier: learns from and predicts for these columns.
    """

    def __init__(self, front_end: FrontEnd, classifier: GuardedClassifier) -> None:
        self._front_end = front_end
        self._classifier = classifier

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """See `Learner`."""
        return self._classifier.predict_proba(self._front_end.encode(features))

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:
        """See `Learner`."""
        return self._classifier.boundary_distance(self._front_end.encode(features))

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:  # noqa: ARG002 - the interface's
        """Always empty."""
        return ()

    def learn(
        self,
        features: Features,
        label: str,
        *,
        event_id: str,  # noqa: ARG002 - nothing is resampled here
        weight: float = 1.0,
    ) -> None:
        """See `Learner`."""
        item = FeatureColumns([features])
        self._front_end.learn(item)
        (columns,) = self._front_end.encode(item).rows
        self._classifier.learn(columns, label, weight=weight)
