"""What stands between River's regressors and the rest."""

from __future__ import annotations

import math
from typing import Any

import pytest
from river.base import Regressor

from streamal.core.learners.regression.guarded import GuardedRegressor
from streamal.errors import Reject
from tests.support.single import estimated


class Fake(Regressor):  # type: ignore[misc]  # River is untyped to mypy
    """Predicts what it is told to; remembers what it learned."""

    def __init__(self, answer: object = 0.0) -> None:
        self.answer = answer
        self.learned: list[float] = []

    def learn_one(self, x: dict[str, Any], y: float) -> None:  # noqa: ARG002 - the interface's
        self.learned.append(y)

    def predict_one(self, x: dict[str, Any]) -> float:  # noqa: ARG002 - the interface's
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # on purpose, some are no numbers


def guarded(answer: object, *truths: float, scale: bool = False) -> GuardedRegressor:
    model = GuardedRegressor(Fake(answer), scale=scale)
    for truth in truths:
        model.learn({}, truth)
    return model


def test_one_truth_however_often_is_nothing_known() -> None:
    assert estimated(guarded(3.0), {}) is None
    assert estimated(guarded(3.0, 5.0, 5.0, 5.0), {}) is None
    assert estimated(guarded(3.0, 5.0, 4.0), {}) == 3.0


@pytest.mark.parametrize("answer", [math.nan, math.inf, "text", None, KeyError("x")])
def test_what_is_no_finite_number_is_no_answer(answer: object) -> None:
    assert estimated(guarded(answer, 1.0, 2.0), {}) is None


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(RuntimeError):
        estimated(guarded(RuntimeError("bug"), 1.0, 2.0), {})


@pytest.mark.parametrize(("answer", "kept"), [(1e9, 40.0), (-1e9, -20.0), (25.0, 25.0)])
def test_predictions_stay_within_one_range_beyond_the_truths(answer: float, kept: float) -> None:
    assert estimated(guarded(answer, 0.0, 20.0), {}) == kept


def test_scaled_truths_are_standard_deviations_from_the_mean() -> None:
    inner = Fake(2.0)
    model = GuardedRegressor(inner, scale=True)
    for truth in (10.0, 14.0, 10.0, 14.0):
        model.learn({}, truth)
    assert inner.learned[0] == 0.0
    assert inner.learned[-1] == pytest.approx(1.0)
    assert estimated(model, {}) == pytest.approx(12.0 + 2.0 * 2.0)


def test_copies_are_learned_one_by_one_where_there_are_no_weights() -> None:
    inner = Fake()
    GuardedRegressor(inner, scale=False).learn({}, 7.0, weight=9.0, copies=3)
    assert inner.learned == [7.0, 7.0, 7.0]


@pytest.mark.parametrize("truth", [math.nan, math.inf, 1e101, -1e101])
def test_unusable_truths_are_refused_and_forgotten(truth: float) -> None:
    model = guarded(3.0, 1.0, 2.0)
    with pytest.raises(Reject, match="unlearnable"):
        model.learn({}, truth)
    assert estimated(model, {}) == 3.0


def test_an_item_that_river_cannot_work_with_is_refused() -> None:
    class Picky(Fake):
        def learn_one(self, x: dict[str, Any], y: float) -> None:  # noqa: ARG002 - the interface's
            raise ValueError("no columns")

    with pytest.raises(Reject, match="Picky: ValueError: no columns"):
        GuardedRegressor(Picky(), scale=False).learn({}, 1.0)
