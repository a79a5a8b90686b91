"""Production's expected error, from its distance to the online model."""

from __future__ import annotations

import random

import numpy as np
import pytest

from streamal.core.learners.regression.expected_loss import ExpectedLoss


def at(losses: ExpectedLoss, distance: float) -> float:
    return float(losses.of(np.array([distance]))[0])


def test_before_any_label_the_distance_is_the_error() -> None:
    assert at(ExpectedLoss(), 3.0) == 3.0


def test_with_a_perfect_model_the_distance_is_the_error() -> None:
    losses = ExpectedLoss()
    for distance in range(200):
        losses.learn(float(distance), float(distance))
    assert at(losses, 50.0) == pytest.approx(50.0)


def test_with_a_useless_model_the_distance_says_little() -> None:
    rng = random.Random(1)
    losses = ExpectedLoss()
    for _ in range(3000):
        losses.learn(abs(rng.gauss(0, 10)), abs(rng.gauss(0, 1)))
    assert at(losses, 0.0) == pytest.approx(0.8, abs=0.2)
    assert at(losses, 10.0) < 1.5


def test_a_larger_distance_never_means_a_smaller_error() -> None:
    losses = ExpectedLoss()
    for index in range(100):
        losses.learn(float(index), float(100 - index))
    assert at(losses, 0.0) <= at(losses, 10.0) <= at(losses, 1000.0)


def test_the_past_is_forgotten() -> None:
    losses = ExpectedLoss()
    for _ in range(3000):
        losses.learn(1.0, 10.0)
    for _ in range(3000):
        losses.learn(1.0, 1.0)
    assert at(losses, 1.0) == pytest.approx(1.0, abs=0.2)


def test_without_any_distance_it_is_the_mean_error() -> None:
    losses = ExpectedLoss()
    for loss in (1.0, 3.0):
        losses.learn(0.0, loss)
    assert at(losses, 0.0) == pytest.approx(2.0, abs=0.01)


def test_weights_count() -> None:
    losses = ExpectedLoss()
    losses.learn(0.0, 1.0, weight=3.0)
    losses.learn(0.0, 5.0)
    assert at(losses, 0.0) == pytest.approx(2.0, abs=0.01)
