"""The variance floor: columns that never vary within a class."""

from __future__ import annotations

import pytest

from streamal.core.learners.naive_bayes import FlooredGaussianNB


def test_a_class_without_a_category_is_not_lost() -> None:
    model = FlooredGaussianNB()
    for index in range(100):
        model.learn_one({"rare": float(index % 2), "x": 1.0 + index % 3}, 0)
        model.learn_one({"rare": 0.0, "x": 5.0 + index % 3}, 1)
    answer = model.predict_proba_one({"rare": 0.0, "x": 6.0})
    assert answer[1] > 100 * answer[0]
    against = model.predict_proba_one({"rare": 1.0, "x": 2.0})
    assert against[0] > 100 * against[1]


def test_the_floor_bounds_confidence() -> None:
    def odds(floor: float) -> float:
        model = FlooredGaussianNB(variance_floor=floor)
        for _ in range(10):
            model.learn_one({"x": 0.0}, 0)
            model.learn_one({"x": 1.0}, 1)
        answer = model.predict_proba_one({"x": 0.0})
        return float(answer[0] / answer[1])

    assert odds(1.0) == pytest.approx(2.718281828**0.5)
    assert odds(0.1) > odds(1.0)


def test_before_any_label_there_is_no_answer() -> None:
    assert FlooredGaussianNB().predict_proba_one({"x": 1.0}) == {}
