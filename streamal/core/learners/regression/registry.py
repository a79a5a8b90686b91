"""The regression learners that have a name, and what the catalogue says about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from streamal.core.learners.parameters import Parameter
from streamal.core.learners.preprocess import Encoding
from streamal.core.learners.registry import LearnerSpec
from streamal.core.learners.regression.guarded import RiverRegressor
from streamal.core.learners.regression.mixture import FixedShareRegressor
from streamal.core.learners.shared_parameters import (
    ADAPTING,
    FOREST,
    L2,
    MONDRIAN_NODES,
    MONDRIAN_TREES,
    SHARE,
    WINDOW,
    splitting,
)

__all__ = ["REGRESSORS", "RegressorSpec"]


@dataclass(frozen=True, slots=True)
class RegressorSpec(LearnerSpec):
    """A registered regression learner.

    Attributes:
        scale_truth: whether it sees standardised truths (`GuardedRegressor`); for what takes
            gradient steps, or weighs by the size of errors.
    """

    scale_truth: bool = True
    #: The options weigh and repeat classes.
    training: tuple[Parameter, ...] = ()


# The defaults were chosen on River's TrumpApproval and ChickWeights and on its Friedman, Planes2D
# and Mv generators with a twentieth and a fifth of the labels (docs/decisions/0017).
_LEARNING_RATE = Parameter(
    "learning_rate",
    "number",
    0.4,
    "Share of an item's error that one step removes.",
    low=1e-6,
    high=1,
)
_NEIGHBOURS = Parameter(
    "n_neighbors", "integer", 5, "Neighbours that are averaged, nearer ones more.", low=1, high=1000
)
_LEAVES = Parameter(
    "leaf_prediction",
    "string",
    "model",
    "How leaves predict: their mean, a linear model, or whichever was better so far.",
    choices=("mean", "model", "adaptive"),
)
_SPLITTING = splitting(delta=0.05)
_TREE = (*_SPLITTING, _LEAVES)


def _linear(given: Mapping[str, Any], _: int = 0) -> RiverRegressor:
    from streamal.core.learners.regression.normalised_linear import NormalisedLinearRegression  # noqa: PLC0415 - see `river_classes`

    return NormalisedLinearRegression(given["learning_rate"], given["l2"])


def _knn(given: Mapping[str, Any], _: int = 0) -> RiverRegressor:
    from streamal.core.learners.regression.neighbours import NearestNeighbours  # noqa: PLC0415 - see `river_classes`

    return NearestNeighbours(
        given["n_neighbors"], given["window_size"], weighted=given.get("weighted", True)
    )


def _hoeffding_tree(given: Mapping[str, Any], _: int) -> RiverRegressor:
    from river.tree import HoeffdingTreeRegressor  # noqa: PLC0415 - see `river_classes`

    from streamal.core.learners.regression.normalised_linear import LeafRegression  # noqa: PLC0415 - see `river_classes`

    return HoeffdingTreeRegressor(**given, leaf_model=LeafRegression())


def _hoeffding_adaptive_tree(given: Mapping[str, Any], seed: int) -> RiverRegressor:
    from river.tree import HoeffdingAdaptiveTreeRegressor  # noqa: PLC0415 - see `river_classes`

    from streamal.core.learners.regression.normalised_linear import LeafRegression  # noqa: PLC0415 - see `river_classes`

    return HoeffdingAdaptiveTreeRegressor(**given, leaf_model=LeafRegression(), seed=seed)


def _default(given: Mapping[str, Any], seed: int) -> RiverRegressor:
    tree = {parameter.name: parameter.default for parameter in _TREE}
    experts = [_linear(given), _knn(given), _hoeffding_adaptive_tree(tree, seed)]
    return FixedShareRegressor(experts, share=given["share"])


def _adaptive_random_forest(given: Mapping[str, Any], seed: int) -> RiverRegressor:
    from streamal.core.learners.regression.normalised_linear import LeafRegression  # noqa: PLC0415 - see `river_classes`
    from streamal.core.learners.regression.random_forest import AdaptiveRandomForestRegressor  # noqa: PLC0415 - see `river_classes`

    return AdaptiveRandomForestRegressor(
        **given, aggregation_method="mean", leaf_model=LeafRegression(), seed=seed
    )


def _aggregated_mondrian_forest(given: Mapping[str, Any], seed: int) -> RiverRegressor:
    from river.forest import AMFRegressor  # noqa: PLC0415 - see `river_classes`

    return AMFRegressor(**given, seed=seed)


_SPECS = (
    RegressorSpec(
        name="default",
        summary="Mixture of linear_regression, knn_regressor and hoeffding_adaptive_tree that "
        "follows whichever predicts best lately; the best all-rounder on few labels.",
        source="Herbster and Warmuth (1998), Tracking the Best Expert, Machine Learning 32",
        encoding=Encoding.DENSE,
        scale=True,
        weights=False,
        own_parameters=(
            _LEARNING_RATE,
            L2,
            _NEIGHBOURS,
            # Half of knn_regressor's: a committee pays for the neighbours of every member.
            replace(WINDOW, default=100),
            SHARE,
        ),
        make=_default,
        # Distances and splits are taken over full vectors.
        max_columns=300,
    ),
    RegressorSpec(
        name="linear_regression",
        summary="Linear regression by normalised least mean squares; the cheapest, follows drift.",
        source="Nagumo and Noda (1967), A Learning Method for System Identification, IEEE "
        "Transactions on Automatic Control 12",
        encoding=Encoding.SPARSE,
        scale=True,
        weights=True,
        own_parameters=(_LEARNING_RATE, L2),
        make=_linear,
    ),
    RegressorSpec(
        name="hoeffding_tree",
        summary="Regression tree for unlimited streams, with linear models in its leaves.",
        source="Ikonomovska, Gama and Džeroski (2011), Learning Model Trees from Evolving Data "
        "Streams, Data Mining and Knowledge Discovery 23",
        encoding=Encoding.NOMINAL,
        scale=True,
        weights=True,
        own_parameters=_TREE,
        make=_hoeffding_tree,
    ),
    RegressorSpec(
        name="hoeffding_adaptive_tree",
        summary="Hoeffding tree that replaces branches whose error rises: for streams that drift.",
        source="Bifet and Gavaldà (2009), Adaptive Learning from Evolving Data Streams, IDA",
        encoding=Encoding.NOMINAL,
        scale=True,
        weights=True,
        own_parameters=(*_TREE, *ADAPTING),
        make=_hoeffding_adaptive_tree,
    ),
    RegressorSpec(
        name="adaptive_random_forest",
        summary="Random forest of Hoeffding trees with a drift detector each; strong, slower.",
        source="Gomes, Barddal, Ferreira and Bifet (2018), Adaptive Random Forests for Data "
        "Stream Regression, ESANN",
        encoding=Encoding.NOMINAL,
        scale=True,
        weights=False,
        own_parameters=(
            *FOREST,
            *_SPLITTING,
            replace(_LEAVES, default="adaptive"),
        ),
        make=_adaptive_random_forest,
    ),
    RegressorSpec(
        name="aggregated_mondrian_forest",
        summary="Forest of random trees that averages over all prunings; for stationary streams.",
        source="Mourtada, Gaïffas and Scornet (2021), AMF: Aggregated Mondrian Forests for Online "
        "Learning, Journal of the Royal Statistical Society B 83",
        encoding=Encoding.DENSE,
        scale=True,
        weights=False,
        own_parameters=(
            *MONDRIAN_TREES,
            MONDRIAN_NODES,
        ),
        make=_aggregated_mondrian_forest,
        # Every node of every tree keeps the range of every column.
        max_columns=300,
    ),
    RegressorSpec(
        name="knn_regressor",
        summary="Nearest neighbours among the latest labels; for functions of any shape, few "
        "features.",
        source="Cover (1968), Estimation by the Nearest Neighbor Rule, IEEE Transactions on "
        "Information Theory 14",
        encoding=Encoding.SPARSE,
        scale=True,
        weights=False,
        own_parameters=(
            _NEIGHBOURS,
            WINDOW,
            Parameter(
                "weighted", "boolean", True, "Whether neighbours weigh the inverse of the distance."
            ),
        ),
        make=_knn,
        scale_truth=False,
    ),
)

#: Registered name to regression learner, in the catalogue's order.
REGRESSORS: Mapping[str, RegressorSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
