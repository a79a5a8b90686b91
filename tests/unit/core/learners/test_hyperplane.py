"""How far an item is from the boundary of a linear model."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
from river.linear_model import (
    ALMAClassifier,
    LogisticRegression,
    PAClassifier,
    Perceptron,
    SoftmaxRegression,
)
from river.multiclass import OneVsOneClassifier, OneVsRestClassifier
from river.tree import HoeffdingTreeClassifier

from streamal.core.learners.classifier import GuardedClassifier
from streamal.core.learners.encoded import Encoded
from streamal.core.learners.hyperplane import Planes
from tests.support.single import first

LINEAR = [LogisticRegression, PAClassifier, ALMAClassifier, Perceptron, SoftmaxRegression]


def boundary_distance(
    model: object, columns: dict[str, float], codes: tuple[int, ...]
) -> float | None:
    planes = Planes.of(model, codes)
    assert planes is not None
    return first(planes.boundary_distance(Encoded.of_row({**columns})))


def classifier_distance(classifier: GuardedClassifier, columns: dict[str, Any]) -> float | None:
    return first(classifier.boundary_distance(Encoded.of_row(columns)))


def softmax(**weights: dict[str, float]) -> SoftmaxRegression:
    model = SoftmaxRegression()
    for code, own in enumerate(weights.values()):
        model.weights[code].update(own)
    return model


def test_two_classes_by_hand() -> None:
    model = softmax(a={"x": 3.0, "y": 4.0}, b={})
    assert boundary_distance(model, {"x": 1.0, "y": 0.5}, (0, 1)) == pytest.approx(1.0)
    assert boundary_distance(model, {"x": 0.0, "y": 0.0}, (0, 1)) == 0.0
    assert boundary_distance(model, {"x": -1.0, "y": -0.5}, (0, 1)) == pytest.approx(1.0)


def test_the_nearest_of_several_boundaries_counts_not_the_closest_value() -> None:
    # b is the runner-up by 1.5 but nearly parallel to a; c trails by 2 and can be reached sooner.
    model = softmax(a={"x": 2.0}, b={"x": 0.5}, c={"x": 0.0, "y": 4.0})
    at = {"x": 1.0, "y": 0.0}
    assert boundary_distance(model, at, (0, 1, 2)) == pytest.approx(2.0 / sqrt(4.0 + 16.0))


def test_one_versus_the_rest_uses_intercepts() -> None:
    model = OneVsRestClassifier(LogisticRegression())
    for code in (0, 1):
        model.classifiers[code] = LogisticRegression()
    model.classifiers[0]._weights["x"] = 1.0
    model.classifiers[0].intercept = -2.0
    model.classifiers[1]._weights["x"] = -1.0
    model.classifiers[1].intercept = 2.0
    assert boundary_distance(model, {"x": 2.0}, (0, 1)) == 0.0
    assert boundary_distance(model, {"x": 5.0}, (0, 1)) == pytest.approx(3.0)


def test_equal_weights_leave_no_boundary_or_are_one() -> None:
    model = softmax(a={"x": 1.0}, b={"x": 1.0})
    assert boundary_distance(model, {"x": 7.0}, (0, 1)) == 0.0
    ahead = OneVsRestClassifier(LogisticRegression())
    for code in (0, 1):
        ahead.classifiers[code] = LogisticRegression()
        ahead.classifiers[code].intercept = float(code)
    assert boundary_distance(ahead, {"x": 7.0}, (0, 1)) is None


@pytest.mark.parametrize("make", LINEAR)
def test_every_linear_model_of_river_is_read(make: Any) -> None:  # noqa: ANN401 - River's classes
    classifier = GuardedClassifier(make())
    for number in range(200):
        x = (number % 20 - 9.5) / 5.0
        classifier.learn({"x": x, "one": 1.0}, "up" if x > 0 else "down")
    near, far = (classifier_distance(classifier, {"x": x, "one": 1.0}) for x in (0.1, 1.9))
    assert near is not None
    assert far is not None
    assert near < far


@pytest.mark.parametrize(
    "model", [HoeffdingTreeClassifier(), OneVsOneClassifier(LogisticRegression())]
)
def test_other_models_have_none(model: Any) -> None:  # noqa: ANN401 - River's classes
    classifier = GuardedClassifier(model)
    for number in range(50):
        classifier.learn({"x": float(number % 2)}, "ab"[number % 2])
    assert classifier_distance(classifier, {"x": 0.0}) is None


def test_text_where_a_number_was_learned_is_no_error() -> None:
    classifier = GuardedClassifier(LogisticRegression())
    for number in range(10):
        classifier.learn({"x": float(number % 2)}, "ab"[number % 2])
    assert classifier_distance(classifier, {"x": "red"}) is None
