"""Parameters that learners of both tasks have: one name, range and meaning, whatever the task."""

from __future__ import annotations

from streamal.core.learners.parameters import Parameter

__all__ = [
    "ADAPTING",
    "FOREST",
    "L2",
    "MAX_CATEGORIES",
    "MAX_COLUMNS",
    "MONDRIAN_NODES",
    "MONDRIAN_TREES",
    "SHARE",
    "WINDOW",
    "splitting",
]

#: Of the front end, and so of every learner.
MAX_CATEGORIES = Parameter(
    "max_categories",
    "integer",
    50,
    "Categories per text feature that get a column of their own; further ones share one.",
    low=1,
    high=10_000,
)
MAX_COLUMNS = Parameter(
    "max_columns",
    "integer",
    1000,
    "Columns in all that numbers, categories and missing-value flags may take.",
    low=1,
    high=1_000_000,
)

L2 = Parameter("l2", "number", 0.0, "Strength of the penalty on squared weights.", low=0, high=1000)
WINDOW = Parameter(
    "window_size", "integer", 200, "Latest labelled items kept as neighbours.", low=1, high=100_000
)
#: Of a mixture that follows whichever expert predicts best lately.
SHARE = Parameter(
    "share",
    "number",
    0.01,
    "Part of the weight given back to all after each label; larger forgets faster.",
    low=0,
    high=1,
)


def splitting(*, delta: float) -> tuple[Parameter, ...]:
    """When a Hoeffding tree splits a leaf.

    River's defaults (grace period 200, delta 1e-7) are made for streams in which every item is
    labelled; at a 5 % budget they leave a tree without a split for thousands of items.

    Args:
        delta: the default of the parameter of that name.
    """
    return (
        Parameter(
            "grace_period",
            "integer",
            20,
            "Labels a leaf sees between attempts to split.",
            low=1,
            high=1_000_000,
        ),
        Parameter(
            "delta",
            "number",
            delta,
            "Probability of choosing a wrong split that is accepted (Hoeffding bound).",
            low=1e-12,
            high=0.5,
        ),
        Parameter(
            "tau",
            "number",
            0.05,
            "Bound below which a tie between splits is broken.",
            low=0,
            high=1,
        ),
        Parameter(
            "max_depth", "integer", 20, "Depth from which nothing is split.", low=1, high=1000
        ),
    )


#: Of Hoeffding trees that replace branches.
ADAPTING = (
    Parameter(
        "drift_window_threshold",
        "integer",
        300,
        "Labels an alternate branch sees before it may replace the old one.",
        low=1,
        high=1_000_000,
    ),
    Parameter(
        "bootstrap_sampling", "boolean", True, "Whether leaves learn a Poisson(1) bootstrap."
    ),
)
#: Of forests of Hoeffding trees.
FOREST = (
    Parameter("n_models", "integer", 10, "Trees.", low=1, high=1000),
    Parameter(
        "lambda_value",
        "integer",
        6,
        "Mean of the Poisson count with which a tree learns an item.",
        low=1,
        high=100,
    ),
)
MONDRIAN_TREES = (
    Parameter("n_estimators", "integer", 10, "Trees.", low=1, high=1000),
    Parameter("step", "number", 1.0, "Learning rate of the aggregation.", low=1e-6, high=100),
)
MONDRIAN_NODES = Parameter("max_nodes", "integer", 500, "Nodes per tree.", low=3, high=1_000_000)
