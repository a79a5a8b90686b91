"""What a lineage hands to its model with each label."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from streamal.core.batch import Distributions, Outlooks, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners import Model
from streamal.core.types import Features, Production, Selection, Truth
from streamal.events import LabelEvent, ModelRef, ModelView, Output, ReviewRequest
from streamal.ports import Record
from streamal.roles.lineage import Lineage
from streamal.state import Answer, Lesson, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Notes(Model):
    """Writes down the weight and the propensity of each label."""

    def __init__(self) -> None:
        self.labels_learned = 0
        self.weights: list[float] = []
        self.propensities: list[float] = []

    def outlook(self, features: FeatureColumns, production: Outputs) -> Outlooks:  # noqa: ARG002 - the interface's
        size = len(features)
        unknown = np.full(size, np.nan)
        return Outlooks(Distributions(size), (), np.full(size, 0.5), unknown, [()] * size, unknown)

    def credit(
        self,
        features: Features,  # noqa: ARG002 - the interface's
        production: Production,  # noqa: ARG002 - same
        truth: Truth,  # noqa: ARG002 - same
        selection: Selection,
    ) -> None:
        self.propensities.append(selection.propensity)

    def learn(
        self,
        features: Features,  # noqa: ARG002 - the interface's
        production: Production,  # noqa: ARG002 - same
        truth: Truth,  # noqa: ARG002 - same
        *,
        event_id: str,  # noqa: ARG002 - same
        weight: float = 1.0,
    ) -> None:
        self.weights.append(weight)


def review(propensity: float) -> ReviewRequest:
    return ReviewRequest(
        event_id="e",
        pipeline="orders",
        occurred_at=NOW,
        decided_at=NOW,
        expires_at=NOW,
        features={"x": 1.0},
        prediction=Output(label="a"),
        model=ModelView(version=1),
        produced_by=ModelRef(),
        score=0.5,
        strategy="margin",
        policy="quantile",
        threshold=0.5,
        propensity=propensity,
        reason="at_threshold",
        priority=0.5,
        expected_correct=0.5,
    )


def taught(asked: ReviewRequest | None) -> Notes:
    notes = Notes()
    lineage = Lineage.new(notes, 0)
    record = Record("labels", 0, 7, 0, None, b"{}", ())
    lesson = Lesson("e", "a", {"x": 1.0}, None, asked)
    label = LabelEvent(event_id="e", label="a", annotator="ann", labelled_at=NOW)
    answer = Answer(record, label, Verdict.LEARNED, (lesson,))
    assert lineage.learn(answer) == []
    assert lineage.learn(answer) == [], "what the model contains is not learned again"
    assert lineage.offsets == {record.source: 8}
    return notes


@pytest.mark.parametrize(("propensity", "weight"), [(1.0, 1.0), (0.25, 4.0), (0.01, 100.0)])
def test_a_label_weighs_the_inverse_of_its_propensity(propensity: float, weight: float) -> None:
    notes = taught(review(propensity))
    assert notes.weights == [pytest.approx(weight)]
    assert notes.propensities == [propensity]


def test_feedback_that_nobody_asked_for_weighs_one() -> None:
    notes = taught(None)
    assert notes.weights == [1.0]
    assert notes.propensities == []
