"""What a guarded River classifier promises, with classifiers that break their word."""

from __future__ import annotations

import math

import pytest
from river.compose import Pipeline
from river.linear_model import LogisticRegression
from river.multiclass import OneVsRestClassifier
from river.naive_bayes import GaussianNB
from river.preprocessing import StandardScaler

from streamal.core.learners import classifier
from streamal.core.learners.classifier import GuardedClassifier, takes_weight
from streamal.errors import Reject
from tests.support.single import classified


class Says:
    """A classifier that answers whatever it is told to."""

    _multiclass = True

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.learned: list[tuple[dict[str, float], int]] = []

    def learn_one(self, x: dict[str, float], y: int) -> None:
        self.learned.append((x, y))
        if isinstance(self.answer, Exception):
            raise self.answer

    def predict_proba_one(self, x: dict[str, float]) -> object:  # noqa: ARG002 - River's interface
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def saying(answer: object) -> GuardedClassifier:
    guarded = GuardedClassifier(Says(answer))
    for label in ("yes", "no"):
        if not isinstance(answer, Exception):
            guarded.learn({}, label)
    return guarded


@pytest.mark.parametrize(
    "answer",
    [{}, {0: 0.0, 1: 0.0}, {0: math.nan, 1: 0.5}, {0: math.inf, 1: 1.0}, {0: -1.0, 1: 0.0}],
)
def test_an_answer_that_is_no_distribution_is_nothing(answer: object) -> None:
    assert classified(saying(answer), {}) == {}


def test_an_answer_is_normalised_and_names_every_class() -> None:
    assert classified(saying({0: 3.0, 1: 1.0}), {}) == {"yes": 0.75, "no": 0.25}
    assert classified(saying({1: 0.2}), {}) == {"yes": 0.0, "no": 1.0}
    assert classified(saying({0: 0.5, 1: -0.1}), {}) == {"yes": 1.0, "no": 0.0}


def test_a_model_that_cannot_work_with_an_item_predicts_nothing_and_rejects_the_label() -> None:
    guarded = saying(TypeError("text"))
    with pytest.raises(Reject, match="Says: TypeError: text") as caught:
        guarded.learn({}, "yes")
    assert caught.value.reason == "unlearnable"
    assert classified(guarded, {}) == {}


def test_a_defect_is_not_hidden() -> None:
    guarded = saying({0: 1.0})
    guarded._model.answer = RuntimeError("defect")
    with pytest.raises(RuntimeError):
        classified(guarded, {})


def test_a_classifier_for_two_classes_learns_three() -> None:
    guarded = GuardedClassifier(Pipeline(StandardScaler(), LogisticRegression()))
    for index in range(300):
        guarded.learn({"x": float(index % 3)}, "abc"[index % 3])
    assert set(classified(guarded, {"x": 0.0})) == {"a", "b", "c"}


def test_copies_repeat_an_item_where_no_weight_is_taken() -> None:
    model = Says({})
    GuardedClassifier(model).learn({"x": 1.0}, "a", weight=5.0, copies=3)
    assert model.learned == [({"x": 1.0}, 0)] * 3


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LogisticRegression(), True),
        (OneVsRestClassifier(LogisticRegression()), True),
        (Pipeline(StandardScaler(), LogisticRegression()), True),
        (GaussianNB(), False),
        (OneVsRestClassifier(GaussianNB()), False),
    ],
)
def test_who_takes_weights(model: object, expected: bool) -> None:
    assert takes_weight(model) is expected


def test_free_text_as_labels_ends_in_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "MAX_CLASSES", 2)
    guarded = saying({0: 1.0})
    with pytest.raises(Reject, match="would be class 3"):
        guarded.learn({}, "a long story")
    guarded.learn({}, "yes")
