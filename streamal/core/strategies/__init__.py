"""Query strategies: how informative the label of an item would be, as a score in [0, 1].

One family per file; `STRATEGIES` is the registry that settings, catalogue and conformance suite go
by. A strategy only scores: what can be afforded is for `streamal.core.budgets` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streamal.core.parameters import construct
from streamal.core.strategies.bandit import Bandit
from streamal.core.strategies.base import CommitteeStrategy, ProbabilityStrategy, Strategy
from streamal.core.strategies.boundary import ClosestSupportVector, HyperplaneDistance
from streamal.core.strategies.combination import Combination
from streamal.core.strategies.density import InformationDensity, NearestNewNeighbour
from streamal.core.strategies.disagreement import (
    ConsensusEntropy,
    JensenShannon,
    KlDisagreement,
    TopClassSpread,
    VoteEntropy,
)
from streamal.core.strategies.expected_error import ExpectedError
from streamal.core.strategies.expected_error_reduction import ExpectedErrorReduction
from streamal.core.strategies.expected_gradient_length import ExpectedGradientLength
from streamal.core.strategies.fusions import Maximum, WeightedSum
from streamal.core.strategies.half_space_trees import HalfSpaceTrees
from streamal.core.strategies.made_up_items import is_numeric
from streamal.core.strategies.query_synthesis import QuerySynthesis
from streamal.core.strategies.random import Random
from streamal.core.strategies.registry import SINGLE
from streamal.core.strategies.regression import (
    CoefficientOfVariation,
    ExpectedAbsoluteError,
    Variance,
)
from streamal.core.strategies.structured_outputs import (
    MaximumNormalisedLogProbability,
    ObjectUncertainty,
)
from streamal.core.strategies.uncertainty import Entropy, LeastConfidence, Margin, Ratio
from streamal.core.types import JsonValue, Task
from streamal.errors import SettingsInvalid

__all__ = [
    "STRATEGIES",
    "Bandit",
    "ClosestSupportVector",
    "CoefficientOfVariation",
    "Combination",
    "CommitteeStrategy",
    "ConsensusEntropy",
    "Entropy",
    "ExpectedAbsoluteError",
    "ExpectedError",
    "ExpectedErrorReduction",
    "ExpectedGradientLength",
    "HalfSpaceTrees",
    "HyperplaneDistance",
    "InformationDensity",
    "JensenShannon",
    "KlDisagreement",
    "LeastConfidence",
    "Margin",
    "Maximum",
    "MaximumNormalisedLogProbability",
    "NearestNewNeighbour",
    "ObjectUncertainty",
    "ProbabilityStrategy",
    "QuerySynthesis",
    "Random",
    "Ratio",
    "Strategy",
    "TopClassSpread",
    "Variance",
    "VoteEntropy",
    "WeightedSum",
    "build_strategy",
    "is_numeric",
    "strategies_for",
]

STRATEGIES: Final[Mapping[str, type[Strategy]]] = MappingProxyType(
    {**SINGLE, Bandit.name: Bandit, Maximum.name: Maximum, WeightedSum.name: WeightedSum}
)


def strategies_for(task: Task) -> list[str]:
    """The names of the strategies that work for a task, sorted.

    A combination is what its parts are; it stands where its parts' defaults do.
    """
    return sorted(name for name, cls in STRATEGIES.items() if task in cls().tasks)


def build_strategy(name: str, parameters: Mapping[str, JsonValue]) -> Strategy:
    """The strategy registered as `name`, from settings.

    Args:
        name: registered name.
        parameters: the strategy's own parameters.

    Raises:
        SettingsInvalid: there is no such strategy, or a parameter is unknown or out of its range.

    >>> build_strategy("margin", {"source": "production"}).name
    'margin'
    """
    if name not in STRATEGIES:
        allowed = ", ".join(sorted(STRATEGIES))
        raise SettingsInvalid(f"gate.strategy: {name!r} is not a strategy; one of {allowed}")
    return construct(STRATEGIES[name], parameters, key="gate.strategy_parameters")
