"""The strategies that measure one thing, by name; combinations are made of these."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streamal.core.strategies.base import Strategy
from streamal.core.strategies.boundary import ClosestSupportVector, HyperplaneDistance
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
from streamal.core.strategies.half_space_trees import HalfSpaceTrees
from streamal.core.strategies.query_synthesis import QuerySynthesis
from streamal.core.strategies.random import Random
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

_CLASSES: tuple[type[Strategy], ...] = (
    ClosestSupportVector,
    CoefficientOfVariation,
    ConsensusEntropy,
    Entropy,
    ExpectedAbsoluteError,
    ExpectedError,
    ExpectedErrorReduction,
    ExpectedGradientLength,
    HalfSpaceTrees,
    HyperplaneDistance,
    InformationDensity,
    JensenShannon,
    KlDisagreement,
    LeastConfidence,
    Margin,
    MaximumNormalisedLogProbability,
    NearestNewNeighbour,
    ObjectUncertainty,
    QuerySynthesis,
    Random,
    Ratio,
    TopClassSpread,
    Variance,
    VoteEntropy,
)

SINGLE: Final[Mapping[str, type[Strategy]]] = MappingProxyType({cls.name: cls for cls in _CLASSES})
