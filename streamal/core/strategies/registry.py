"""The strategies that measure one thing, by name; combinations are made of these."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streamal.core.strategies.base import Strategy
from streamal.core.strategies.closest_support_vector import ClosestSupportVector
from streamal.core.strategies.coefficient_of_variation import CoefficientOfVariation
from streamal.core.strategies.consensus_entropy import ConsensusEntropy
from streamal.core.strategies.entropy import Entropy
from streamal.core.strategies.expected_absolute_error import ExpectedAbsoluteError
from streamal.core.strategies.expected_error import ExpectedError
from streamal.core.strategies.expected_error_reduction import ExpectedErrorReduction
from streamal.core.strategies.expected_gradient_length import ExpectedGradientLength
from streamal.core.strategies.half_space_trees import HalfSpaceTrees
from streamal.core.strategies.hyperplane_distance import HyperplaneDistance
from streamal.core.strategies.information_density import InformationDensity
from streamal.core.strategies.jensen_shannon import JensenShannon
from streamal.core.strategies.kl_disagreement import KlDisagreement
from streamal.core.strategies.least_confidence import LeastConfidence
from streamal.core.strategies.margin import Margin
from streamal.core.strategies.maximum_normalised_log_probability import (
    MaximumNormalisedLogProbability,
)
from streamal.core.strategies.nearest_new_neighbour import NearestNewNeighbour
from streamal.core.strategies.object_uncertainty import ObjectUncertainty
from streamal.core.strategies.query_synthesis import QuerySynthesis
from streamal.core.strategies.random import Random
from streamal.core.strategies.ratio import Ratio
from streamal.core.strategies.top_class_spread import TopClassSpread
from streamal.core.strategies.variance import Variance
from streamal.core.strategies.vote_entropy import VoteEntropy

__all__ = ["SINGLE"]

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
