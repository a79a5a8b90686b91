"""Expected error: the predicted probability that production is wrong."""

from __future__ import annotations

import pytest

from streamal.core.batch import Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners import Target, build_model
from streamal.core.strategies import ExpectedError
from streamal.core.types import Context, Probabilities, Production
from tests.support.scoring import score_one

BOTH: Probabilities = {"right": 0.9, "wrong": 0.1}


def score(expected_correct: float | None, model: Probabilities = BOTH) -> float:
    context = Context("e1", {}, Production("cat"), model, expected_correct=expected_correct)
    return score_one(ExpectedError(), context)


@pytest.mark.parametrize(("expected", "value"), [(1.0, 0.0), (0.0, 1.0), (0.25, 0.75)])
def test_it_is_what_is_left_of_the_expectation(expected: float, value: float) -> None:
    assert score(expected) == value


@pytest.mark.parametrize("model", [{}, {"right": 1.0}])
def test_a_model_without_a_choice_predicts_nothing(model: Probabilities) -> None:
    assert score(0.99, model) == 1.0


def test_without_an_expectation_nothing_is_known() -> None:
    assert score(None) == 1.0


@pytest.mark.parametrize("target", Target)
def test_either_target_finds_where_production_errs(target: Target) -> None:
    model = build_model("logistic_regression", parameters={}, committee_size=0, target=target)
    production = Production("low", {"low": 0.9, "high": 0.1})
    for number in range(400):
        x = number % 20 / 10 - 1
        label = "high" if x > 0.2 else "low"
        model.learn({"x": x}, production, label, event_id=f"e{number}")

    def asked(x: float) -> float:
        outlook = model.outlook(FeatureColumns([{"x": x}]), Outputs.of([production])).item(0)
        context = Context(
            "e",
            {"x": x},
            production,
            outlook.probabilities,
            expected_correct=outlook.expected_correct,
        )
        return score_one(ExpectedError(), context)

    assert asked(-0.9) < 0.2 < 0.8 < asked(0.9)
