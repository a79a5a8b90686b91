"""Strategies by name."""

from __future__ import annotations

import pytest

from streamal.core.parameters import parameters_of
from streamal.core.strategies import STRATEGIES, Combination, Margin, build_strategy
from streamal.core.strategies.registry import SINGLE
from streamal.core.types import JsonValue, Source
from streamal.errors import SettingsInvalid


def test_the_registered_names() -> None:
    assert set(STRATEGIES) == {
        "bandit",
        "closest_support_vector",
        "coefficient_of_variation",
        "consensus_entropy",
        "entropy",
        "expected_absolute_error",
        "expected_error",
        "expected_error_reduction",
        "expected_gradient_length",
        "half_space_trees",
        "hyperplane_distance",
        "information_density",
        "jensen_shannon",
        "kl_disagreement",
        "least_confidence",
        "margin",
        "max",
        "maximum_normalised_log_probability",
        "nearest_new_neighbour",
        "object_uncertainty",
        "query_synthesis",
        "random",
        "ratio",
        "top_class_spread",
        "variance",
        "vote_entropy",
        "weighted_sum",
    }


def test_combinations_are_made_of_the_others() -> None:
    combinations = {name for name, cls in STRATEGIES.items() if issubclass(cls, Combination)}
    assert set(STRATEGIES) - combinations == set(SINGLE)
    assert combinations == {"bandit", "max", "weighted_sum"}


def test_a_strategy_is_built_from_its_name_and_parameters() -> None:
    strategy = build_strategy("margin", {"source": "committee"})
    assert isinstance(strategy, Margin)
    assert strategy.source is Source.COMMITTEE
    assert parameters_of(strategy) == {"source": "committee"}


@pytest.mark.parametrize(
    ("name", "parameters", "problem"),
    [
        (
            "marginal",
            {},
            "gate.strategy: 'marginal' is not a strategy; one of " + ", ".join(sorted(STRATEGIES)),
        ),
        (
            "margin",
            {"source": "Model"},
            (
                "gate.strategy_parameters.source: 'Model' is not allowed; "
                "one of production, model, committee"
            ),
        ),
        (
            "random",
            {"seed": 1},
            "gate.strategy_parameters.seed: unknown parameter; allowed: none",
        ),
    ],
)
def test_a_mistake_is_one_line(name: str, parameters: dict[str, JsonValue], problem: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        build_strategy(name, parameters)
    assert caught.value.problems == (problem,)
