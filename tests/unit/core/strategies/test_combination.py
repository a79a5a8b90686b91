"""Combinations: parts by name, each with its own parameters and state."""

from __future__ import annotations

import json

import pytest

from streamal.core.parameters import describe, parameters_of
from streamal.core.strategies import (
    STRATEGIES,
    Combination,
    Entropy,
    ExpectedError,
    Margin,
    Maximum,
    WeightedSum,
    build_strategy,
)
from streamal.core.strategies.combination import Part
from streamal.core.types import Context, JsonValue, Production, Source
from streamal.errors import SettingsInvalid
from tests.support.scoring import note, score_one

CONTEXT = Context(
    "e1",
    {"x": 1.0},
    Production("a", {"a": 0.95, "b": 0.05}),
    {"a": 0.8, "b": 0.2},
    expected_correct=0.8,
)
MARGIN, ERROR = score_one(Margin(), CONTEXT), score_one(ExpectedError(), CONTEXT)
COMBINATIONS = ("max", "weighted_sum")
HALF_SPACE: JsonValue = {"strategy": "half_space_trees", "parameters": {"window": 50}}


def problems_of(name: str, strategies: JsonValue) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        build_strategy(name, {"strategies": strategies})
    return caught.value.problems


def test_values() -> None:
    assert score_one(WeightedSum(), CONTEXT) == pytest.approx((MARGIN + ERROR) / 2)
    assert score_one(Maximum(), CONTEXT) == max(MARGIN, ERROR)


@pytest.mark.parametrize(("weights", "share"), [((3, 1), 0.75), ((0.001, 0.003), 0.25)])
def test_weights_are_relative(weights: tuple[float, float], share: float) -> None:
    parts = (Part("margin", weights[0]), Part("expected_error", weights[1]))
    expected = share * MARGIN + (1 - share) * ERROR
    assert score_one(WeightedSum(parts), CONTEXT) == pytest.approx(expected)


def test_one_strategy_may_take_part_twice() -> None:
    parts: JsonValue = [
        {"strategy": "entropy", "parameters": {"source": "production"}},
        {"strategy": "entropy"},
    ]
    strategy = build_strategy("max", {"strategies": parts})
    assert score_one(strategy, CONTEXT) == score_one(Entropy(Source.MODEL), CONTEXT)
    assert score_one(Entropy(Source.PRODUCTION), CONTEXT) < score_one(strategy, CONTEXT)


def test_parts_are_told_with_all_their_parameters() -> None:
    parts: JsonValue = [{"strategy": "margin", "weight": 2}, {"strategy": "vote_entropy"}]
    assert parameters_of(build_strategy("weighted_sum", {"strategies": parts})) == {
        "strategies": [
            {"strategy": "margin", "weight": 2.0, "parameters": {"source": "model"}},
            {"strategy": "vote_entropy", "weight": 1.0, "parameters": {}},
        ]
    }
    plain = parameters_of(Maximum())
    assert plain["strategies"] == [
        {"strategy": "margin", "parameters": {"source": "model"}},
        {"strategy": "expected_error", "parameters": {}},
    ]
    assert parameters_of(build_strategy("max", plain)) == plain


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_catalogue_shows_the_default_parts(name: str) -> None:
    (parameter,) = describe(STRATEGIES[name]).parameters
    assert parameter.type == "list of tables"
    assert parameter.default == parameters_of(build_strategy(name, {}))["strategies"]
    json.dumps(parameter.default)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_part_takes_note_and_returns_to_its_own_state(name: str) -> None:
    parts: JsonValue = [HALF_SPACE, {"strategy": "information_density"}, {"strategy": "margin"}]
    strategy, again = (build_strategy(name, {"strategies": parts}) for _ in range(2))
    for number in range(200):
        note(strategy, Context("past", {"x": number % 7}, Production()))
    again.restore(json.loads(json.dumps(strategy.state())))
    assert isinstance(again, Combination)
    assert score_one(again, CONTEXT) == score_one(strategy, CONTEXT) < 1.0
    again.restore({})
    assert again.state() == build_strategy(name, {"strategies": parts}).state()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_instances_share_no_state(name: str) -> None:
    parts: JsonValue = [HALF_SPACE, {"strategy": "margin"}]
    one, other = (build_strategy(name, {"strategies": parts}) for _ in range(2))
    for number in range(200):
        note(one, Context("past", {"x": number % 7}, Production()))
    assert other.state() == build_strategy(name, {"strategies": parts}).state()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_combination_is_no_part_of_another(name: str) -> None:
    (problem,) = problems_of(name, [{"strategy": "max"}, {"strategy": "margin"}])
    start = "gate.strategy_parameters.strategies[0].strategy: 'max' is not allowed; one of"
    assert problem.startswith(start)


def test_every_mistake_is_one_line_at_its_own_key() -> None:
    key = "gate.strategy_parameters.strategies"
    assert problems_of(
        "weighted_sum",
        [
            {"strategy": "margin", "weight": 0, "wait": 1},
            "entropy",
            {"strategy": "margin", "parameters": {"source": "nobody", "beta": 1}},
            {"strategy": "margin", "parameters": []},
        ],
    ) == (
        f"{key}[0].wait: unknown parameter; allowed: strategy, weight, parameters",
        f"{key}[0].weight: 0 is not allowed; a number, in (0, 1000]",
        f"{key}[1]: 'entropy' is not allowed; a table",
        f"{key}[2].parameters.beta: unknown parameter; allowed: source",
        f"{key}[2].parameters.source: 'nobody' is not allowed; one of production, model, committee",
        f"{key}[3].parameters: [] is not allowed; a table",
    )


def test_a_maximum_has_no_weights() -> None:
    (problem,) = problems_of("max", [{"strategy": "margin", "weight": 1}, {"strategy": "entropy"}])
    assert problem.endswith(
        "strategies[0].weight: unknown parameter; allowed: strategy, parameters"
    )
