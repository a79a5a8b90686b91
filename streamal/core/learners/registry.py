"""The learners that have a name, and what the catalogue says about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from streamal.core.learners.classifier import RiverModel
from streamal.core.learners.experts import (
    BayesianLogistic,
    Expert,
    ExpertMixture,
    GaussianBayes,
    Neighbours,
    StochasticLogistic,
)
from streamal.core.learners.parameters import Parameter
from streamal.core.learners.preprocess import Encoding
from streamal.core.learners.shared_parameters import (
    ADAPTING,
    FOREST,
    L2,
    MAX_CATEGORIES,
    MAX_COLUMNS,
    MONDRIAN_NODES,
    MONDRIAN_TREES,
    SHARE,
    WINDOW,
    splitting,
)
from streamal.core.learners.training import TRAINING, WEIGHTING

__all__ = ["BEST_OF", "LEARNERS", "LearnerSpec"]

#: Name of the learner that is made of others.
BEST_OF = "best_of"

#: Makes a fresh classifier of checked parameters and a seed.
Make: TypeAlias = Callable[[Mapping[str, Any], int], RiverModel]


@dataclass(frozen=True, slots=True)
class LearnerSpec:
    """A registered learner: how it is made and what the catalogue says about it.

    Attributes:
        name: registered name, the River class in snake_case.
        summary: one line: what it is and what it is good for.
        source: the paper.
        encoding: how categories and gaps reach it.
        scale: whether it sees scaled numbers.
        weights: whether sample weights have an effect; where not, every label counts once.
        own_parameters: what it can be configured with besides the limits of the front end and
            what is common to all.
        make: a fresh River classifier of checked parameters and a seed.
        max_columns: the front end's default limit; lower where memory per column is high.
        training: options of how labels are repeated and, where weights have an effect, weighed.
    """

    name: str
    summary: str
    source: str
    encoding: Encoding
    scale: bool
    weights: bool
    own_parameters: tuple[Parameter, ...]
    make: Make
    max_columns: int = 1000
    training: tuple[Parameter, ...] = TRAINING

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All that it can be configured with."""
        limit = replace(MAX_COLUMNS, default=self.max_columns)
        training = [each for each in self.training if self.weights or each not in WEIGHTING]
        return (*self.own_parameters, MAX_CATEGORIES, limit, *training)


_LEARNING_RATE = Parameter(
    "learning_rate",
    "number",
    0.1,
    "Step size of stochastic gradient descent, weights and intercept.",
    low=1e-6,
    high=10,
)
_NEIGHBOURS = Parameter(
    "n_neighbors", "integer", 10, "Neighbours that vote, nearer ones more.", low=1, high=1000
)
_LEAVES = (
    Parameter(
        "leaf_prediction",
        "string",
        "nba",
        "How leaves predict: majority class, naive Bayes, or whichever was better so far.",
        choices=("mc", "nb", "nba"),
    ),
    Parameter(
        "split_criterion",
        "string",
        "info_gain",
        "How splits are compared.",
        choices=("info_gain", "gini", "hellinger"),
    ),
)
_TREE = (*splitting(delta=1e-3), *_LEAVES)


def _logistic_regression(given: Mapping[str, Any], _: int) -> RiverModel:
    from river.linear_model import LogisticRegression  # noqa: PLC0415 - see `river_classes`
    from river.multiclass import OneVsRestClassifier  # noqa: PLC0415 - see `river_classes`
    from river.optim import SGD  # noqa: PLC0415 - see `river_classes`

    rate = given["learning_rate"]
    return OneVsRestClassifier(
        LogisticRegression(optimizer=SGD(rate), intercept_lr=rate, l2=given["l2"])
    )


def _softmax_regression(given: Mapping[str, Any], _: int) -> RiverModel:
    from river.linear_model import SoftmaxRegression  # noqa: PLC0415 - see `river_classes`
    from river.optim import SGD  # noqa: PLC0415 - see `river_classes`

    return SoftmaxRegression(optimizer=SGD(given["learning_rate"]), l2=given["l2"])


def _knn(given: Mapping[str, Any], _: int) -> RiverModel:
    from river.neighbors import KNNClassifier, LazySearch  # noqa: PLC0415 - see `river_classes`

    return KNNClassifier(
        n_neighbors=given["n_neighbors"],
        engine=LazySearch(window_size=given["window_size"], dist_func=None),
        weighted=given["weighted"],
    )


def _default(given: Mapping[str, Any], _: int) -> RiverModel:
    memory = given["memory"]
    experts: list[Expert] = [
        StochasticLogistic(given["learning_rate"]),
        BayesianLogistic(memory, shifted=False),
        BayesianLogistic(memory, shifted=True),
        Neighbours(given["n_neighbors"], given["window_size"]),
        GaussianBayes(),
    ]
    return ExpertMixture(experts, given["level_half_life"], given["share"])


def _hoeffding_tree(given: Mapping[str, Any], _: int) -> RiverModel:
    from river.tree import HoeffdingTreeClassifier  # noqa: PLC0415 - see `river_classes`

    return HoeffdingTreeClassifier(**given)


def _hoeffding_adaptive_tree(given: Mapping[str, Any], seed: int) -> RiverModel:
    from river.tree import HoeffdingAdaptiveTreeClassifier  # noqa: PLC0415 - see `river_classes`

    return HoeffdingAdaptiveTreeClassifier(**given, seed=seed)


def _adaptive_random_forest(given: Mapping[str, Any], seed: int) -> RiverModel:
    from streamal.core.learners.random_forest import AdaptiveRandomForest  # noqa: PLC0415 - see `river_classes`

    return AdaptiveRandomForest(**given, seed=seed)


def _aggregated_mondrian_forest(given: Mapping[str, Any], seed: int) -> RiverModel:
    from river.forest import AMFClassifier  # noqa: PLC0415 - see `river_classes`

    return AMFClassifier(**given, seed=seed)


def _gaussian_nb(given: Mapping[str, Any], _: int) -> RiverModel:
    from streamal.core.learners.naive_bayes import FlooredGaussianNB  # noqa: PLC0415 - see `river_classes`

    return FlooredGaussianNB(**given)


def _of_others(_: Mapping[str, Any], __: int) -> RiverModel:
    raise NotImplementedError("a composite learner is built of other learners")


_SPECS = (
    LearnerSpec(
        name="default",
        summary="Mixture of two kinds of logistic regression, nearest neighbours and naive Bayes "
        "that follows whichever predicts best lately; most accurate on few labels.",
        source="Herbster and Warmuth (1998), Tracking the Best Expert, Machine Learning 32",
        encoding=Encoding.DENSE,
        scale=False,
        weights=True,
        own_parameters=(
            _LEARNING_RATE,
            Parameter(
                "memory",
                "number",
                0.99,
                "Share of a Bayesian expert's evidence that one more label leaves; 1 forgets "
                "nothing.",
                low=0.5,
                high=1,
            ),
            _NEIGHBOURS,
            WINDOW,
            Parameter(
                "level_half_life",
                "number",
                1.0,
                "Labels after which an item counts half in the recent level of its columns.",
                low=0.1,
                high=10_000,
            ),
            SHARE,
        ),
        make=_default,
    ),
    LearnerSpec(
        name="logistic_regression",
        summary="Logistic regression, one against the rest for each class; the cheapest, for "
        "classes that a line can separate.",
        source="Bottou (2010), Large-Scale Machine Learning with Stochastic Gradient Descent",
        encoding=Encoding.SPARSE,
        scale=True,
        weights=True,
        own_parameters=(_LEARNING_RATE, L2),
        make=_logistic_regression,
    ),
    LearnerSpec(
        name="softmax_regression",
        summary="Multinomial logistic regression; better calibrated than one against the rest.",
        source="Bottou (2010), Large-Scale Machine Learning with Stochastic Gradient Descent",
        encoding=Encoding.SPARSE,
        scale=True,
        weights=False,
        own_parameters=(_LEARNING_RATE, L2),
        make=_softmax_regression,
    ),
    LearnerSpec(
        name="hoeffding_tree",
        summary="Decision tree for unlimited streams; splits on numbers and categories.",
        source="Domingos and Hulten (2000), Mining High-Speed Data Streams, KDD",
        encoding=Encoding.NOMINAL,
        scale=False,
        weights=True,
        own_parameters=_TREE,
        make=_hoeffding_tree,
    ),
    LearnerSpec(
        name="hoeffding_adaptive_tree",
        summary="Hoeffding tree that replaces branches whose error rises: for streams that drift.",
        source="Bifet and Gavaldà (2009), Adaptive Learning from Evolving Data Streams, IDA",
        encoding=Encoding.NOMINAL,
        scale=False,
        weights=True,
        own_parameters=(*_TREE, *ADAPTING),
        make=_hoeffding_adaptive_tree,
    ),
    LearnerSpec(
        name="adaptive_random_forest",
        summary="Random forest of Hoeffding trees with a drift detector each; strong, slower.",
        source="Gomes et al. (2017), Adaptive Random Forests for Evolving Data Stream "
        "Classification, Machine Learning 106",
        encoding=Encoding.NOMINAL,
        scale=False,
        weights=False,
        own_parameters=(
            *FOREST,
            *splitting(delta=0.01),
            *_LEAVES,
        ),
        make=_adaptive_random_forest,
    ),
    LearnerSpec(
        name="aggregated_mondrian_forest",
        summary="Forest of random trees that averages over all prunings; strong from the first "
        "hundred labels, for stationary streams.",
        source="Mourtada, Gaïffas and Scornet (2021), AMF: Aggregated Mondrian Forests for Online "
        "Learning, Journal of the Royal Statistical Society B 83",
        encoding=Encoding.DENSE,
        scale=True,
        weights=False,
        own_parameters=(
            *MONDRIAN_TREES,
            Parameter(
                "dirichlet",
                "number",
                0.5,
                "Prior count of each class in a node.",
                low=1e-6,
                high=10,
            ),
            MONDRIAN_NODES,
        ),
        make=_aggregated_mondrian_forest,
        # Every node of every tree keeps the range of every column.
        max_columns=300,
    ),
    LearnerSpec(
        name="gaussian_nb",
        summary="Naive Bayes with a normal distribution per class and column.",
        source="John and Langley (1995), Estimating Continuous Distributions in Bayesian "
        "Classifiers, UAI",
        encoding=Encoding.DENSE,
        scale=True,
        weights=False,
        own_parameters=(
            Parameter(
                "variance_floor",
                "number",
                0.1,
                "Least variance of a column within a class, where 1 is its variance over all.",
                low=1e-9,
                high=10,
            ),
        ),
        make=_gaussian_nb,
    ),
    LearnerSpec(
        name="knn_classifier",
        summary="Nearest neighbours among the latest labels; for classes of any shape, few "
        "features.",
        source="Cover and Hart (1967), Nearest Neighbor Pattern Classification, IEEE "
        "Transactions on Information Theory 13",
        encoding=Encoding.SPARSE,
        scale=True,
        weights=False,
        own_parameters=(
            _NEIGHBOURS,
            WINDOW,
            Parameter(
                "weighted", "boolean", True, "Whether votes weigh the inverse of the distance."
            ),
        ),
        make=_knn,
    ),
    LearnerSpec(
        name=BEST_OF,
        summary="Several learners learn all labels and compete on accuracy weighted by 1 / "
        "propensity; the best lately serves.",
        source="Gama, Sebastião and Rodrigues (2013), On Evaluating Stream Learning Algorithms, "
        "Machine Learning 90",
        encoding=Encoding.DENSE,
        scale=False,
        weights=True,
        own_parameters=(
            Parameter(
                "learners",
                "string",
                "default+logistic_regression+hoeffding_adaptive_tree",
                "Names of the learners, joined by +, with their default parameters; the first one "
                "serves first.",
            ),
            Parameter(
                "half_life",
                "number",
                200.0,
                "Labels after which a prediction counts half in the comparison.",
                low=1,
                high=1e6,
            ),
        ),
        make=_of_others,
        training=(),
    ),
)

#: Registered name to learner, in the catalogue's order.
LEARNERS: Mapping[str, LearnerSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
