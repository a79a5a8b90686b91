"""What a strategy gets to see of an event."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.core.learners import Target, build_model
from streamal.core.types import Decision, Production, Reason
from streamal.events import DecodedPrediction, Output, Prediction, ReviewRequest, decoded
from streamal.roles.appraisal import Reviewing, ServingModel, appraise


def prediction(**output: object) -> DecodedPrediction:
    return decoded(
        Prediction(
            event_id="e1",
            timestamp=datetime(2026, 1, 1, tzinfo=UTC),
            features={"x": 1.0},
            prediction=Output.model_validate(output),
        )
    )


@pytest.mark.parametrize("target", Target)
def test_strategies_see_the_expectation_that_estimates_rest_on(target: Target) -> None:
    model = build_model("gaussian_nb", parameters={}, committee_size=0, target=target)
    for number in range(20):
        model.learn({"x": 1.0}, Production("a"), "ab"[number % 4 == 0], event_id=f"p{number}")
    appraisal = appraise(prediction(label="a"), ServingModel(1, model), ())
    assert appraisal.context.expected_correct == appraisal.outlook.expected_correct
    assert appraisal.context.expected_correct == pytest.approx(0.75, abs=0.1)


def test_a_beginner_takes_productions_word() -> None:
    beginner = ServingModel(0, build_model("gaussian_nb", parameters={}, committee_size=0))
    confident = prediction(probabilities={"a": 0.9, "b": 0.1})
    assert appraise(confident, beginner, ()).context.expected_correct == 0.9
    assert appraise(prediction(label="a"), beginner, ()).context.expected_correct == 0.5


def test_reviewers_see_tokens_and_objects_as_production_published_them() -> None:
    model = build_model("gaussian_nb", parameters={})
    objects = ({"label": "car", "score": 0.75, "box": (0.0, 1.0, 2.0, 3.0)},)
    published = prediction(token_probabilities=(0.5, 0.25), objects=objects)
    appraisal = appraise(published, ServingModel(0, model), ())
    decision = Decision(True, 0.5, 0.5, 0.5, "object_uncertainty", Reason.ABOVE_THRESHOLD)
    request = Reviewing("p", "quantile", 60.0).request(
        appraisal, decision, {"model_version": "7"}, 0.0
    )
    assert request.segments == {"model_version": "7"}
    again = ReviewRequest.from_bytes(request.to_bytes())
    assert again.prediction == published.event().prediction
    assert again.prediction.label == "ok"
