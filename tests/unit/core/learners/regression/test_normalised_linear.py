"""Linear regression that cannot run away."""

from __future__ import annotations

import random

import pytest

from streamal.core.learners.regression.normalised_linear import (
    LeafRegression,
    NormalisedLinearRegression,
)


@pytest.mark.parametrize("columns", [1, 10, 300])
@pytest.mark.parametrize("learning_rate", [0.4, 1.0])
def test_it_learns_a_line_whatever_the_number_of_columns(
    columns: int, learning_rate: float
) -> None:
    rng = random.Random(3)
    model = NormalisedLinearRegression(learning_rate)
    loss = 0.0
    for index in range(20 * columns + 300):
        x = {str(column): rng.gauss(0, 1) for column in range(columns)}
        truth = 2.0 * x["0"] + 1.0
        if index >= 20 * columns + 200:
            loss += abs(model.predict_one(x) - truth) / 100
        model.learn_one(x, truth)
    assert loss < 0.3, "the mean alone is off by 1.6"


def test_heavy_weights_remove_half_of_the_error() -> None:
    model = NormalisedLinearRegression(0.4)
    model.learn_one({}, 8.0, w=1000.0)
    assert model.predict_one({}) == pytest.approx(4.0)


def test_the_penalty_shrinks() -> None:
    free, held = NormalisedLinearRegression(), NormalisedLinearRegression(l2=1.0)
    for _ in range(100):
        free.learn_one({"x": 1.0}, 5.0)
        held.learn_one({"x": 1.0}, 5.0)
    assert held.weights["x"] < free.weights["x"]


def test_leaves_leave_categories_out() -> None:
    leaf = LeafRegression(0.5)
    for _ in range(50):
        leaf.learn_one({"x": 1.0, "colour=": (2,)}, 3.0)
    assert leaf.predict_one({"x": 1.0, "colour=": (0,)}) == pytest.approx(3.0, abs=0.01)
    assert leaf.clone().predict_one({"x": 1.0}) == 0.0
