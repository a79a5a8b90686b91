"""What every registered strategy owes, whatever it measures."""

from __future__ import annotations

import doctest
import json
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from streamal.core.batch import Batch
from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.parameters import describe, parameters_of
from streamal.core.strategies import (
    STRATEGIES,
    Combination,
    Strategy,
    build_strategy,
    strategies_for,
)
from streamal.core.types import (
    Advice,
    Conditions,
    Context,
    JsonValue,
    Probabilities,
    Production,
    Task,
)
from streamal.errors import SettingsInvalid
from tests.support.scored_streams import ALL, STREAMS, cut, told

NOON = Conditions(now=43_200.0)

_SOURCE: tuple[list[JsonValue], list[JsonValue]] = (
    ["production", "model", "committee"],
    ["nobody", "MODEL", "", 1, None],
)

_TREES: dict[str, JsonValue] = {"n_trees": 3, "height": 4, "window": 20}
_DENSITY: dict[str, JsonValue] = {"source": "committee", "beta": 2.0, "window": 50}

#: (strategy, parameter) to values that work and values that must be refused. A parameter without
#: an entry fails `test_every_parameter_has_an_entry`.
VALUES: dict[tuple[str, str], tuple[list[JsonValue], list[JsonValue]]] = {
    ("bandit", "strategies"): (
        [
            [
                {"strategy": "vote_entropy", "parameters": {}},
                {"strategy": "half_space_trees", "parameters": _TREES},
                {"strategy": "vote_entropy", "parameters": {}},
            ]
        ],
        [[], "margin", [{"strategy": "margin"}], [{"strategy": "margin"}] * 9, 1, None],
    ),
    ("bandit", "window"): ([10, 2000], [9, 2001, 100.0, None]),
    ("closest_support_vector", "support_vectors"): ([1, 50], [0, 51, 2.0, None]),
    ("closest_support_vector", "window"): ([10, 1000], [9, 1001, 100.0, None]),
    ("entropy", "source"): _SOURCE,
    ("expected_error_reduction", "measure"): (
        ["zero_one_loss", "log_loss"],
        ["hinge", "ZERO_ONE", "", 1, None],
    ),
    ("expected_error_reduction", "window"): ([1, 100, 500], [0, 501, 30.0, None]),
    ("expected_error_reduction", "spacing"): ([1, 1000], [0, 1001, 10.0, None]),
    ("expected_error_reduction", "shortlist"): ([0.01, 0.5, 1], [0, 1.1, "1", None]),
    ("expected_error_reduction", "classes"): ([2, 100], [1, 101, 3.0, None]),
    ("half_space_trees", "n_trees"): ([1, 20], [0, 21, 2.0, "10", None]),
    ("half_space_trees", "height"): ([2, 7], [1, 8, 3.0, None]),
    ("half_space_trees", "window"): ([10, 1000], [9, 1001, 100.0, None]),
    ("information_density", "source"): _SOURCE,
    ("information_density", "beta"): ([0, 0.5, 10], [-0.1, 10.1, "1", None]),
    ("information_density", "window"): ([10, 1000], [9, 1001, 100.0, None]),
    ("least_confidence", "source"): _SOURCE,
    ("margin", "source"): _SOURCE,
    ("max", "strategies"): (
        [
            [
                {
                    "strategy": "closest_support_vector",
                    "parameters": {"support_vectors": 3, "window": 20},
                },
                {"strategy": "vote_entropy", "parameters": {}},
            ],
            [
                {"strategy": "half_space_trees", "parameters": _TREES},
                {"strategy": "expected_gradient_length", "parameters": {}},
                {"strategy": "jensen_shannon", "parameters": {}},
            ],
        ],
        [[], "margin", {"strategy": "margin"}, [{"strategy": "margin"}], 1, None],
    ),
    ("nearest_new_neighbour", "source"): _SOURCE,
    ("nearest_new_neighbour", "window"): ([10, 1000], [9, 1001, 100.0, None]),
    ("object_uncertainty", "measure"): (
        ["margin", "least_confidence", "entropy"],
        ["ratio", "", 1, None],
    ),
    ("object_uncertainty", "aggregation"): (["max", "mean", "sum"], ["min", "", 1, None]),
    ("query_synthesis", "pairs"): ([1, 50], [0, 51, 2.0, None]),
    ("query_synthesis", "step"): ([0.1, 4], [0, 4.1, "1", None]),
    ("query_synthesis", "window"): ([10, 2000], [9, 2001, 100.0, None]),
    ("ratio", "source"): _SOURCE,
    ("weighted_sum", "strategies"): (
        [
            [
                {"strategy": "information_density", "weight": 0.25, "parameters": _DENSITY},
                {"strategy": "random", "weight": 2.0, "parameters": {}},
            ],
            [{"strategy": "margin", "weight": 1.0, "parameters": {"source": "production"}}] * 8,
            [
                {
                    "strategy": "query_synthesis",
                    "weight": 1.0,
                    "parameters": {"pairs": 3, "step": 0.5, "window": 50},
                },
                {"strategy": "margin", "weight": 1.0, "parameters": {"source": "model"}},
            ],
        ],
        [[], "margin", [{"strategy": "margin"}], [{"strategy": "margin"}] * 9, True, None],
    ),
}

PARAMETERS = [(name, p.name) for name, cls in STRATEGIES.items() for p in describe(cls).parameters]


def variants() -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Every strategy as it comes, and with each value of each parameter."""
    for name in STRATEGIES:
        yield name, {}
    for (name, parameter), (valid, _) in VALUES.items():
        for value in valid:
            yield name, {parameter: value}


VARIANTS = [pytest.param(*variant, id=f"{variant[0]} {variant[1]}") for variant in variants()]


def scores_of(strategy: Strategy, stream: Sequence[Batch]) -> list[float]:
    return [score for batch in stream for score in strategy.score(batch).tolist()]


def test_every_parameter_has_an_entry() -> None:
    assert set(PARAMETERS) == set(VALUES)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter_is_kept_or_refused(name: str, parameter: str) -> None:
    valid, invalid = VALUES[name, parameter]
    assert valid
    assert invalid
    for value in valid:
        strategy = build_strategy(name, {parameter: value})
        assert parameters_of(strategy)[parameter] == value
    for value in invalid:
        with pytest.raises(SettingsInvalid) as caught:
            build_strategy(name, {parameter: value})
        (problem,) = caught.value.problems
        assert problem.startswith(f"gate.strategy_parameters.{parameter}: {value!r} is not allowed")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_class_is_described(name: str) -> None:
    cls = STRATEGIES[name]
    description = describe(cls)
    assert description.name == name == cls.name
    assert len(description.summary) > 20
    assert description.source
    assert description.sections["formula"]
    assert description.sections["range"]
    assert all(parameter.description for parameter in description.parameters)
    assert cls.__doc__ != Strategy.__doc__


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_class_has_examples_that_hold(name: str) -> None:
    cls = STRATEGIES[name]
    tests = doctest.DocTestFinder(recurse=False).find(
        cls, name, globs=vars(sys.modules[cls.__module__]).copy()
    )
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_scores_are_in_the_unit_interval(name: str, parameters: dict[str, JsonValue]) -> None:
    strategy = build_strategy(name, parameters)
    for batch in ALL:
        scores = strategy.score(batch)
        assert scores.dtype == np.float64
        assert scores.shape == (len(batch),)
        assert ((scores >= 0.0) & (scores <= 1.0)).all()
        assert not np.signbit(scores).any()


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_a_batch_scores_exactly_as_its_items_one_by_one(
    name: str, parameters: dict[str, JsonValue], stream: str
) -> None:
    single = build_strategy(name, parameters)
    expected: list[tuple[float, Advice | None]] = []
    for batch in cut(stream, 1000):
        expected += said_by(single, batch)
    for few in (0, 3, 40):
        strategy = build_strategy(name, parameters)
        found: list[tuple[float, Advice | None]] = []
        for batch in cut(stream, few):
            state = json.loads(json.dumps(strategy.state()))
            first = list(said_by(strategy, batch))
            strategy.restore(state)
            assert list(said_by(strategy, batch)) == first, "taken back and scored again"
            found += first
        assert found == expected
        assert json.dumps(strategy.state()) == json.dumps(single.state())


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_no_items_have_no_scores(name: str, parameters: dict[str, JsonValue]) -> None:
    strategy = build_strategy(name, parameters)
    before = strategy.state()
    assert strategy.score(ALL[0].take(0, 0)).shape == (0,)
    assert strategy.state() == before


def said_by(strategy: Strategy, batch: Batch) -> Iterator[tuple[float, Advice | None]]:
    """Score of each item, and what it was made of."""
    for number, score in enumerate(strategy.score(batch).tolist()):
        yield score, strategy.advice(number)


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_whoever_does_not_ask_the_committee_is_not_moved_by_it(
    name: str, parameters: dict[str, JsonValue]
) -> None:
    strategy, other = build_strategy(name, parameters), build_strategy(name, parameters)
    moved = scores_of(strategy, ALL) != scores_of(other, told("committee"))
    assert moved == strategy.asks_committee


@pytest.mark.parametrize("what", ["boundary", "labelled", "lookahead"])
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_whoever_does_not_ask_is_not_moved_by_the_answer(
    name: str, parameters: dict[str, JsonValue], what: str
) -> None:
    strategy, other = build_strategy(name, parameters), build_strategy(name, parameters)
    moved = scores_of(strategy, ALL) != scores_of(other, told(what))
    assert moved == getattr(strategy, f"asks_{what}")


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_whoever_is_for_classes_only_is_not_moved_by_numbers(
    name: str, parameters: dict[str, JsonValue]
) -> None:
    strategy = build_strategy(name, parameters)
    assert strategy.tasks
    # A combination is moved by any part that is for both.
    if strategy.tasks == {Task.CLASSIFICATION} and not isinstance(strategy, Combination):
        other = build_strategy(name, parameters)
        assert scores_of(strategy, ALL) == scores_of(other, told("numbers"))


@pytest.mark.parametrize("name", strategies_for(Task.REGRESSION))
def test_whoever_is_for_regression_needs_no_class(name: str) -> None:
    strategy = build_strategy(name, {})
    assert len(set(scores_of(strategy, told("no classes"))[600:])) > 1 or name == "random"


ONE: Probabilities = {"cat": 1.0}
COLD = {
    "nothing at all": Context("e", {}, Production(value=1.0)),
    "one class": Context("e", {}, Production("cat", ONE), ONE, (ONE, ONE)),
    "empty committee": Context("e", {}, Production("cat", ONE), {}, ({}, {}, {})),
    "committee of one number": Context("e", {}, Production(value=1.0), committee_values=(2.0,)),
    "committee of beginners": Context("e", {}, Production("cat", {}), ONE, ({}, ONE, ONE)),
}


@pytest.mark.parametrize("situation", COLD)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_a_cold_start_asks(name: str, parameters: dict[str, JsonValue], situation: str) -> None:
    strategy = build_strategy(name, parameters)
    cold = Batch.of([COLD[situation]] * 100)
    assert scores_of(strategy, [cold, cold]) == [1.0] * 200


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_a_gate_does_not_lock_up_in_a_cold_start(
    name: str, parameters: dict[str, JsonValue]
) -> None:
    for policy in ("quantile", "fixed_threshold"):
        built = build_budget(policy, {}, budget=0.05)
        gate = Gate(build_strategy(name, parameters), built, seed=3)
        contexts = [
            Context(f"e{number}", {}, Production("cat", ONE), ONE, (ONE, {}))
            for number in range(2_000)
        ]
        assert 85 <= len(gate.decide(Batch.of(contexts), NOON).routed) <= 115


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_states_round_trip(name: str, parameters: dict[str, JsonValue]) -> None:
    strategy, again = build_strategy(name, parameters), build_strategy(name, parameters)
    scores_of(strategy, ALL[:6])
    before = json.dumps(strategy.state())
    again.restore(json.loads(before))
    assert json.dumps(again.state()) == before
    assert scores_of(again, ALL[6:]) == scores_of(strategy, ALL[6:])
    strategy.restore({})
    assert strategy.state() == build_strategy(name, parameters).state()


@pytest.mark.parametrize("name", STRATEGIES)
def test_memory_is_bounded(name: str) -> None:
    strategy = build_strategy(name, {})
    for _ in range(30):
        scores_of(strategy, ALL)
    assert len(json.dumps(strategy.state())) < 64_000
