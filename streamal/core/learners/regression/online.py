"""The online model of a regression: what to expect of an item, in the truth's own unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streamal.core.batch import Distributions, Outlooks, Outputs, number_or_none
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.model import RESERVED, Model, Target
from streamal.core.learners.regression.base import ValueLearner
from streamal.core.learners.regression.expected_loss import ExpectedLoss
from streamal.core.learners.regression.factory import build_regressor
from streamal.core.types import Features, FeatureValue, Production, Truth
from streamal.errors import Reject

__all__ = ["OnlineRegression", "build_regression_model"]


class OnlineRegression(Model):
    """A regression learner with a target. Survives `pickle` with its whole state.

    Args:
        learner: a learner that has learned nothing.
        target: what it learns: the true number, or with `error` how far production is from it; then
            production's number is a feature too.
        tolerance: how far from the truth production may be and still be right, >= 0.

    Attributes:
        labels_learned: how many labels went into the state.
    """

    def __init__(self, learner: ValueLearner, *, target: Target, tolerance: float) -> None:
        self.labels_learned = 0
        self._learner = learner
        self._target = target
        self._tolerance = tolerance
        self._losses = ExpectedLoss()

    def outlook(self, features: FeatureColumns, production: Outputs) -> Outlooks:
        """See `Model`."""
        size, inputs = len(features), self._inputs(features, production)
        values = self._learner.predict(inputs)
        losses = self._expected_losses(values, production)
        return Outlooks(
            probabilities=Distributions(size),
            committee=(),
            expected_correct=self._expected_correct(losses),
            values=values if self._target is Target.LABEL else np.full(size, np.nan),
            committee_values=_by_item(self._learner.committee(inputs), size),
            expected_loss=losses,
        )

    def learn(
        self,
        features: Features,
        production: Production,
        truth: Truth,
        *,
        event_id: str,
        weight: float = 1.0,
    ) -> None:
        """See `Model`. No learner for regression has options for weights: none exceeds 1."""
        weight = min(1.0, weight)
        if isinstance(truth, str):
            raise Reject("unsupported_task", f"label: {truth!r} is no number")
        inputs = self._input(features, production)
        loss = None if production.value is None else abs(production.value - truth)
        if self._target is Target.ERROR:
            if loss is None:
                raise Reject(
                    "missing_prediction", "target = error needs the value that production predicted"
                )
            self._learner.learn(inputs, loss, event_id=event_id, weight=weight)
        else:
            value = number_or_none(self._learner.predict(FeatureColumns([inputs])), 0)
            self._learner.learn(inputs, truth, event_id=event_id, weight=weight)
            if loss is not None and value is not None and production.value is not None:
                self._losses.learn(abs(production.value - value), loss, weight)
        self.labels_learned += 1

    def _input(self, features: Features, production: Production) -> Features:
        if self._target is Target.LABEL:
            return features
        own: dict[str, FeatureValue] = {
            name: value for name, value in features.items() if not name.startswith(RESERVED)
        }
        own[f"{RESERVED}value"] = production.value
        return own

    def _inputs(self, features: FeatureColumns, production: Outputs) -> FeatureColumns:
        if self._target is Target.LABEL:
            return features
        return FeatureColumns(
            [self._input(row, production.item(number)) for number, row in enumerate(features.rows)]
        )

    def _expected_losses(self, values: Vector, production: Outputs) -> Vector:
        if self._target is Target.ERROR:
            return np.maximum(values, 0.0)
        return self._losses.of(np.abs(production.values - values))

    def _expected_correct(self, losses: Vector) -> Vector:
        """P(|error| <= tolerance) for Laplace-distributed errors of that mean size.

        Laplace, because its absolute value is all that the mean determines, and the share of large
        errors is nearer to its exponential tail than to a normal one. The estimators fit this g to
        what is seen, so a wrong shape costs width and no bias.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            expected = -np.expm1(-self._tolerance / losses)
        expected[losses <= 0.0] = 1.0
        expected[np.isnan(losses)] = 0.5
        return expected


def _by_item(members: Sequence[Vector], size: int) -> list[tuple[float, ...]]:
    """What the members predict of each item; who has no answer is left out."""
    if not members:
        return [()] * size
    items = list(zip(*(member.tolist() for member in members), strict=True))
    if not any(np.isnan(member).any() for member in members):
        return items
    return [tuple(x for x in item if x == x) for item in items]


def build_regression_model(
    name: str,
    *,
    parameters: Mapping[str, object],
    tolerance: float,
    committee_size: int = 10,
    target: Target = Target.LABEL,
    seed: int = 0,
) -> OnlineRegression:
    """An online model from its settings; see `build_regressor`.

    Args:
        name: registered name or `package.module:factory`.
        parameters: of the learner, JSON values by name.
        tolerance: how far from the truth production may be and still be right, >= 0.
        committee_size: members of the bagging committee, >= 2; 0 for none.
        target: what the model learns.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: with one line per problem.
    """
    learner = build_regressor(name, parameters=parameters, committee_size=committee_size, seed=seed)
    return OnlineRegression(learner, target=target, tolerance=tolerance)
