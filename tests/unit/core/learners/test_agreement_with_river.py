"""What is computed for many items at once is what River's models say of each."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from river.linear_model import (
    ALMAClassifier,
    LogisticRegression,
    PAClassifier,
    Perceptron,
    SoftmaxRegression,
)
from river.neighbors import KNNClassifier, LazySearch
from scipy.stats import norm

from streamal.core.features import FeatureColumns
from streamal.core.learners.classifier import GuardedClassifier
from streamal.core.learners.naive_bayes import FlooredGaussianNB
from streamal.core.learners.preprocess import Encoding, Preprocessor
from streamal.core.learners.regression.guarded import GuardedRegressor
from streamal.core.learners.regression.normalised_linear import NormalisedLinearRegression
from streamal.core.types import Features

Item = tuple[Features, str]


def items(count: int, seed: int, *, digits: int = 6) -> list[Item]:
    rng = random.Random(seed)
    found: list[Item] = []
    for _ in range(count):
        x, y = round(rng.gauss(0, 2), digits), round(rng.gauss(5, 1), digits)
        features: Features = {"x": x, "y": y, "c": rng.choice("pqr"), "z": rng.choice([None, 1.0])}
        found.append((features, "low" if x < -1 else "mid" if x < y - 4 else "high"))
    return found


def compared(model: Any, encoding: Encoding, *, digits: int = 6) -> None:  # noqa: ANN401 - River's
    front_end, guarded = Preprocessor(encoding, scale=True), GuardedClassifier(model)
    for features, label in items(150, 1, digits=digits):
        item = FeatureColumns([features])
        front_end.learn(item)
        guarded.learn(front_end.encode(item).rows[0], label)
    columns = front_end.encode(FeatureColumns([x for x, _ in items(80, 2, digits=digits)]))
    assert guarded.votes(columns) is not None, "River would be asked for each"
    ours = guarded.predict_proba(columns).items()
    for row, answer in zip(columns.rows, ours, strict=True):
        theirs = guarded._model.predict_proba_one(row)
        for label, code in guarded._codes.items():
            assert answer[label] == pytest.approx(theirs.get(code, 0.0), rel=0, abs=1e-12)


@pytest.mark.parametrize(
    "make", [LogisticRegression, Perceptron, PAClassifier, ALMAClassifier, SoftmaxRegression]
)
def test_linear_classifiers(make: Any) -> None:  # noqa: ANN401 - River's
    compared(make(), Encoding.SPARSE)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("digits", [6, 0])
def test_nearest_neighbours_equal_items_included(weighted: bool, digits: int) -> None:
    engine = LazySearch(window_size=60, dist_func=None)
    compared(KNNClassifier(7, engine, weighted=weighted), Encoding.SPARSE, digits=digits)


def test_naive_bayes() -> None:
    model, rows = FlooredGaussianNB(0.1), []
    for features, label in items(100, 3):
        row = {name: float(x) for name, x in features.items() if isinstance(x, float)}
        model.learn_one(row, label)
        rows.append(row)
    for row in rows[:20]:
        logs = {
            label: norm.logpdf(
                [row[name] for name in row],
                [model.gaussians[label][name].mu for name in row],
                [max(0.1, model.gaussians[label][name].sigma ** 2) ** 0.5 for name in row],
            ).sum()
            for label in model.class_counts
        }
        answer = model.predict_proba_one({**row, "unseen": 3.0})
        total = sum(model.p_class(label) * math.exp(x) for label, x in logs.items())
        for label, x in logs.items():
            share = model.p_class(label) * math.exp(x) / total
            assert answer[label] / sum(answer.values()) == pytest.approx(share, abs=1e-12)


def test_linear_regression() -> None:
    front_end = Preprocessor(Encoding.SPARSE, scale=True)
    guarded = GuardedRegressor(NormalisedLinearRegression(), scale=False)
    for number, (features, _) in enumerate(items(100, 4)):
        item = FeatureColumns([features])
        front_end.learn(item)
        guarded.learn(front_end.encode(item).rows[0], float(number % 9))
    columns = front_end.encode(FeatureColumns([x for x, _ in items(50, 5)]))
    ours = guarded.predict(columns).tolist()
    for row, answer in zip(columns.rows, ours, strict=True):
        expected = min(16.0, max(-8.0, guarded._model.predict_one(row)))
        assert answer == pytest.approx(expected, abs=1e-12)
