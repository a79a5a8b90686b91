"""What a strategy gets to see of an event, and a reviewer of one that is routed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.core.assess import Assessed, Seats, assess
from streamal.core.learners import Model, Target, build_model
from streamal.core.strategies import build_strategy
from streamal.core.types import Decision, Production, Reason
from streamal.events import DecodedPrediction, Output, Prediction, ReviewRequest, decoded
from streamal.roles.items import items_of
from streamal.roles.models_topic import ServingModel
from streamal.roles.reviewing import Reviewing, asked_about


def prediction(**output: object) -> DecodedPrediction:
    return decoded(
        Prediction(
            event_id="e1",
            timestamp=datetime(2026, 1, 1, tzinfo=UTC),
            features={"x": 1.0},
            prediction=Output.model_validate(output),
        )
    )


def assessed(published: DecodedPrediction, model: Model) -> Assessed:
    return assess(items_of([published]), model, build_strategy("margin", {}), Seats())


@pytest.mark.parametrize("target", Target)
def test_strategies_see_the_expectation_that_estimates_rest_on(target: Target) -> None:
    model = build_model("gaussian_nb", parameters={}, committee_size=0, target=target)
    for number in range(20):
        model.learn({"x": 1.0}, Production("a"), "ab"[number % 4 == 0], event_id=f"p{number}")
    known = assessed(prediction(label="a"), model)
    assert known.batch.expected_correct[0] == known.outlooks.expected_correct[0]
    assert known.batch.expected_correct[0] == pytest.approx(0.75, abs=0.1)


def test_a_beginner_takes_productions_word() -> None:
    beginner = build_model("gaussian_nb", parameters={}, committee_size=0)
    confident = prediction(probabilities={"a": 0.9, "b": 0.1})
    assert assessed(confident, beginner).batch.expected_correct[0] == 0.9
    assert assessed(prediction(label="a"), beginner).batch.expected_correct[0] == 0.5


def test_reviewers_see_tokens_and_objects_as_production_published_them() -> None:
    model = build_model("gaussian_nb", parameters={})
    objects = ({"label": "car", "score": 0.75, "box": (0.0, 1.0, 2.0, 3.0)},)
    published = prediction(token_probabilities=(0.5, 0.25), objects=objects)
    decision = Decision(True, 0.5, 0.5, 0.5, "object_uncertainty", Reason.ABOVE_THRESHOLD)
    routed = asked_about(published, ServingModel(0, model), decision)
    request = Reviewing("p", "quantile", 60.0).request(routed, {"model_version": "7"}, 0.0)
    assert request.segments == {"model_version": "7"}
    again = ReviewRequest.from_bytes(request.to_bytes())
    assert again.prediction == published.prediction.event()
    assert again.prediction.label == "ok"
