"""Expert advice for numbers."""

from __future__ import annotations

from typing import Any

import pytest
from river.base import Regressor

from streamal.core.learners.regression.mixture import FixedShareRegressor


class Always(Regressor):  # type: ignore[misc]  # River is untyped to mypy
    """Predicts one number."""

    def __init__(self, answer: float) -> None:
        self.answer = answer
        self.labels = 0

    def learn_one(self, x: dict[str, Any], y: float) -> None:  # noqa: ARG002 - the interface's
        self.labels += 1

    def predict_one(self, x: dict[str, Any]) -> float:  # noqa: ARG002 - the interface's
        return self.answer


def test_it_follows_the_better_expert_and_back_after_a_drift() -> None:
    low, high = Always(0.0), Always(1.0)
    mixture = FixedShareRegressor([low, high])
    assert mixture.predict_one({}) == 0.5
    for truth, near in ((1.0, 1.0), (0.0, 0.0)):
        for _ in range(200):
            mixture.learn_one({}, truth)
        assert mixture.predict_one({}) == pytest.approx(near, abs=0.05)
    assert low.labels == high.labels == 400


def test_share_bounds_how_far_an_expert_can_fall() -> None:
    mixture = FixedShareRegressor([Always(0.0), Always(1.0)], share=0.5)
    for _ in range(100):
        mixture.learn_one({}, 1.0)
    assert mixture.predict_one({}) == pytest.approx(0.75, abs=0.02)


def test_perfect_and_wild_experts_leave_finite_weights() -> None:
    mixture = FixedShareRegressor([Always(1.0), Always(1.0), Always(1e90)], share=0.0)
    for _ in range(2000):
        mixture.learn_one({}, 1.0)
    assert mixture.predict_one({}) == pytest.approx(1.0)
