"""Expected gradient length, against gradients that were not derived by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streamal.core.strategies import ExpectedGradientLength
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Context, Features, Probabilities, Production
from tests.support.scoring import note, score_one

Array = NDArray[np.float64]


def score(
    strategy: ExpectedGradientLength, model: Probabilities, features: Features | None = None
) -> float:
    return score_one(strategy, Context("e1", features or {}, Production(), model))


def softmax(weights: Array, x: Array) -> Array:
    exponentials = np.exp(weights @ x)
    shares: Array = exponentials / exponentials.sum()
    return shares


def numerical_length(weights: Array, x: Array, label: int) -> float:
    """Length of the gradient of the log loss, by central differences."""
    step = 1e-6
    slopes = np.zeros_like(weights)
    for index in np.ndindex(weights.shape):
        for sign in (1, -1):
            moved = weights.copy()
            moved[index] += sign * step
            slopes[index] -= sign * np.log(softmax(moved, x)[label]) / (2 * step)
    return float(np.linalg.norm(slopes))


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_closed_form_is_the_expected_length_of_the_gradient(classes: int) -> None:
    rng = np.random.default_rng(classes)
    strategy, scale = ExpectedGradientLength(), RunningScale()
    for row in rng.normal(3.0, 2.0, size=(50, 4)).tolist():
        features = dict(zip("abcd", row, strict=True))
        note(strategy, Context("past", features, Production()))
        scale.update(features)
    for row in rng.normal(3.0, 2.0, size=(5, 4)).tolist():
        features = dict(zip("abcd", row, strict=True))
        x = np.array([1.0, *scale.standardised(features)])
        weights = rng.normal(size=(classes, 5))
        p = softmax(weights, x)
        expected = sum(p[y] * numerical_length(weights, x, y) for y in range(classes))
        length = expected / np.sqrt(1 - 1 / classes) / np.sqrt(5)
        model = {str(label): float(q) for label, q in enumerate(p)}
        assert score(strategy, model, features) == pytest.approx(length / (1 + length), rel=1e-6)


@pytest.mark.parametrize("classes", [2, 5, 100])
def test_even_probabilities_are_the_longest(classes: int) -> None:
    even = {str(label): 1 / classes for label in range(classes)}
    assert score(ExpectedGradientLength(), even) == pytest.approx(0.5)
    rng = np.random.default_rng(2)
    for row in rng.dirichlet([0.5] * classes, 50).tolist():
        model = {str(label): p for label, p in enumerate(row)}
        assert score(ExpectedGradientLength(), model) <= 0.5 + 1e-9


def test_a_certain_class_moves_nothing() -> None:
    assert score(ExpectedGradientLength(), {"a": 1.0, "b": 0.0}) == 0.0


def test_unusual_features_lengthen_the_gradient_up_to_a_bound() -> None:
    strategy = ExpectedGradientLength()
    for number in range(100):
        note(strategy, Context("past", {"x": float(number % 10)}, Production()))
    even = {"a": 0.5, "b": 0.5}
    scores = [score(strategy, even, {"x": x}) for x in (4.5, 9.0, 14.0, 1e9, float("inf"))]
    assert scores[0] < scores[1] < scores[2] < scores[3] == scores[4] < 0.8
