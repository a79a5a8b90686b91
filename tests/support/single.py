"""One item asked of what answers for batches: a batch of one, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamal.core.batch import Outputs, number_or_none
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners import Learner, Model
from streamal.core.learners.classifier import GuardedClassifier
from streamal.core.learners.encoded import Encoded
from streamal.core.learners.regression import ValueLearner
from streamal.core.learners.regression.guarded import GuardedRegressor
from streamal.core.types import Features, Probabilities, Production


@dataclass(frozen=True)
class Outlook:
    """One item's part of `Outlooks`; None where that has NaN."""

    probabilities: Probabilities
    committee: tuple[Probabilities, ...]
    expected_correct: float
    value: float | None
    committee_values: tuple[float, ...]
    expected_loss: float | None


def outlook_of(model: Model, features: Features, production: Production) -> Outlook:
    found = model.outlook(FeatureColumns([features]), Outputs.of([production]))
    return Outlook(
        found.probabilities.item(0),
        tuple(member.item(0) for member in found.committee),
        float(found.expected_correct[0]),
        number_or_none(found.values, 0),
        found.committee_values[0],
        number_or_none(found.expected_loss, 0),
    )


def margin_of(model: Model, features: Features, production: Production) -> float | None:
    """`Model.boundary_distance`."""
    return first(model.boundary_distance(FeatureColumns([features]), Outputs.of([production])))


def probabilities_of(learner: Learner, features: Features) -> Probabilities:
    return learner.predict_proba(FeatureColumns([features])).item(0)


def members_of(learner: Learner, features: Features) -> tuple[Probabilities, ...]:
    return tuple(each.item(0) for each in learner.committee_proba(FeatureColumns([features])))


def distance_of(learner: Learner, features: Features) -> float | None:
    return first(learner.boundary_distance(FeatureColumns([features])))


def value_of(learner: ValueLearner, features: Features) -> float | None:
    return first(learner.predict(FeatureColumns([features])))


def values_of(learner: ValueLearner, features: Features) -> tuple[float | None, ...]:
    """`ValueLearner.committee`."""
    return tuple(first(each) for each in learner.committee(FeatureColumns([features])))


def classified(classifier: GuardedClassifier, columns: Mapping[str, Any]) -> Probabilities:
    return classifier.predict_proba(Encoded.of_row(columns)).item(0)


def estimated(regressor: GuardedRegressor, columns: Mapping[str, Any]) -> float | None:
    return first(regressor.predict(Encoded.of_row(columns)))


def first(numbers: Vector | None) -> float | None:
    """The only number; None for NaN, and where there are none."""
    return None if numbers is None else number_or_none(numbers, 0)
