"""A serving regressor, alone or with a committee by online bagging."""

from __future__ import annotations

from collections.abc import Sequence

from streamal.core.chance import draw
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.committee import poisson_one
from streamal.core.learners.preprocess import FrontEnd
from streamal.core.learners.regression.base import ValueLearner
from streamal.core.learners.regression.guarded import GuardedRegressor
from streamal.core.types import Features

__all__ = ["BaggedRegressor"]


class BaggedRegressor(ValueLearner):
    """The regression counterpart of `BaggingCommittee`, which explains the design.

    Source: Oza and Russell (2001), "Online Bagging and Boosting", AISTATS.

    Args:
        front_end: turns features into columns.
        serving: gives `predict`; learns everything.
        members: give `committee`, and each learn a bootstrap; none, or at least two, each with a
            state of its own.
        seed: another seed draws other bootstraps.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        serving: GuardedRegressor,
        members: Sequence[GuardedRegressor] = (),
        *,
        seed: int,
    ) -> None:
        self._front_end = front_end
        self._serving = serving
        self._members = tuple(members)
        self._seed = seed

    def predict(self, features: FeatureColumns) -> Vector:
        """See `ValueLearner`; the serving regressor's."""
        return self._serving.predict(self._front_end.encode(features))

    def committee(self, features: FeatureColumns) -> tuple[Vector, ...]:
        """See `ValueLearner`; NaN for members that have not drawn two different truths yet."""
        if not self._members:
            return ()
        columns = self._front_end.encode(features)
        return tuple(member.predict(columns) for member in self._members)

    def learn(
        self, features: Features, value: float, *, event_id: str, weight: float = 1.0
    ) -> None:
        """See `ValueLearner`."""
        item = FeatureColumns([features])
        self._front_end.learn(item)
        (columns,) = self._front_end.encode(item).rows
        self._serving.learn(columns, value, weight=weight)
        for index, member in enumerate(self._members):
            copies = poisson_one(draw(self._seed, event_id, f"bagging {index}"))
            if copies:
                member.learn(columns, value, weight=weight, copies=copies)
