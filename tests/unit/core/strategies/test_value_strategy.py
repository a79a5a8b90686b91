"""The strategies of regression, and the scale that they share."""

from __future__ import annotations

import itertools
import math

import pytest

from streamal.core.strategies import (
    CoefficientOfVariation,
    ExpectedAbsoluteError,
    Strategy,
    Variance,
    build_strategy,
    strategies_for,
)
from streamal.core.types import Context, Production, Task
from tests.support.scoring import note, score_one


def disagreeing(*values: float) -> Context:
    return Context("e", {}, Production(value=1.0), committee_values=values)


def expecting(loss: float | None) -> Context:
    return Context("e", {}, Production(value=1.0), expected_loss=loss)


@pytest.mark.parametrize("strategy", [Variance(), CoefficientOfVariation()])
def test_agreement_is_certainty_and_fewer_than_two_know_nothing(strategy: Strategy) -> None:
    assert score_one(strategy, disagreeing(3.0, 3.0, 3.0)) == 0.0
    assert score_one(strategy, disagreeing(3.0)) == score_one(strategy, disagreeing()) == 1.0


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_an_ordinary_item_scores_one_half_in_any_unit(unit: float) -> None:
    strategy = ExpectedAbsoluteError()
    for loss in (1.0, 2.0, 3.0):
        note(strategy, expecting(loss * unit))
    assert score_one(strategy, expecting(2.0 * unit)) == pytest.approx(0.5)
    assert score_one(strategy, expecting(6.0 * unit)) == pytest.approx(0.75)


def test_the_first_item_is_an_ordinary_one() -> None:
    assert score_one(ExpectedAbsoluteError(), expecting(7.0)) == 0.5


def test_the_order_of_items_is_that_of_the_measure() -> None:
    strategy = Variance()
    for spread in range(1, 50):
        note(strategy, disagreeing(0.0, float(spread)))
    scores = [score_one(strategy, disagreeing(0.0, spread)) for spread in (0.0, 0.1, 1.0, 1e3, 1e5)]
    assert scores == sorted(set(scores))


def test_the_order_of_members_does_not_matter() -> None:
    strategy = Variance()
    note(strategy, disagreeing(0.1, 0.7))
    values = (0.1, 0.2, 0.3, 1e9)
    assert len({score_one(strategy, disagreeing(*v)) for v in itertools.permutations(values)}) == 1


def test_the_scale_follows_the_stream_and_no_single_item() -> None:
    strategy = ExpectedAbsoluteError()
    for _ in range(3000):
        note(strategy, expecting(1.0))
    note(strategy, expecting(1e200))
    assert score_one(strategy, expecting(1.0)) == pytest.approx(0.5)
    for _ in range(10 * ExpectedAbsoluteError.MEMORY):
        note(strategy, expecting(100.0))
    assert score_one(strategy, expecting(100.0)) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("huge", [1e200, 1e308, -1e308])
def test_what_cannot_be_measured_is_unknown(huge: float) -> None:
    strategy = Variance()
    note(strategy, disagreeing(huge, 0.0))
    assert score_one(strategy, disagreeing(huge, 0.0)) == 1.0
    note(strategy, disagreeing(1.0, 3.0))
    assert score_one(strategy, disagreeing(1.0, 3.0)) == pytest.approx(0.5)


def test_relative_disagreement_ignores_the_size_of_the_numbers() -> None:
    strategy = CoefficientOfVariation()
    note(strategy, disagreeing(90.0, 110.0))
    assert score_one(strategy, disagreeing(9e6, 11e6)) == pytest.approx(0.5)
    assert score_one(strategy, disagreeing(-1.0, 1.0)) == 1.0
    assert score_one(strategy, disagreeing(0.0, 0.0)) == 0.0


def test_states_go_on_where_they_were() -> None:
    strategy, again = Variance(), Variance()
    for spread in range(5):
        note(strategy, disagreeing(0.0, float(spread)))
    again.restore(strategy.state())
    assert score_one(again, disagreeing(0.0, 2.0)) == score_one(strategy, disagreeing(0.0, 2.0))
    assert math.isfinite(score_one(again, disagreeing(0.0, 2.0)))


def test_the_strategies_of_each_task() -> None:
    both = {"random", "half_space_trees", "expected_error"}
    own = {"variance", "coefficient_of_variation", "expected_absolute_error"}
    assert set(strategies_for(Task.REGRESSION)) >= both | own
    assert both <= set(strategies_for(Task.CLASSIFICATION))
    assert not own & set(strategies_for(Task.CLASSIFICATION))
    assert "entropy" not in strategies_for(Task.REGRESSION)


def test_a_combination_works_where_all_of_its_parts_do() -> None:
    def tasks(*names: str) -> frozenset[Task]:
        parts = [{"strategy": name} for name in names]
        return build_strategy("weighted_sum", {"strategies": parts}).tasks  # type: ignore[dict-item]  # JSON

    assert tasks("variance", "random") == {Task.REGRESSION}
    assert tasks("expected_error", "random") == set(Task)
    assert tasks("variance", "margin") == set()
