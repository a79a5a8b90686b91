"""Thresholds that move by a step: where they rest, how fast they follow, what they offer."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from numpy.random import default_rng

from streamal.core.budgets import (
    BudgetPolicy,
    RandomisedVariableThreshold,
    Split,
    VariableThreshold,
)
from streamal.core.types import Conditions, JsonValue, Reason

NOON = Conditions(now=43_200.0)


def play(policy: BudgetPolicy, scores: list[float], seed: int = 1) -> list[float]:
    """The threshold before each item."""
    thresholds = []
    for score, drawn in zip(scores, default_rng(seed).random(len(scores)).tolist(), strict=True):
        offer = policy.preview(score, NOON)
        thresholds.append(offer.threshold)
        policy.commit(score, offer, query=drawn < offer.propensity, conditions=NOON)
    return thresholds


def at(policy: BudgetPolicy, threshold: float, debt: float = 0.0) -> BudgetPolicy:
    """The policy with this threshold and debt."""
    state: dict[str, JsonValue] = {"threshold": threshold, "debt": debt}
    policy.restore({policy.name: state})
    return policy


def after(policy: BudgetPolicy, score: float, *, query: bool) -> float:
    """The threshold after one more item."""
    policy.commit(score, policy.preview(score, NOON), query=query, conditions=NOON)
    return policy.preview(0.0, NOON).threshold


def test_reaching_the_threshold_moves_it_up_and_missing_it_down() -> None:
    # 0.1 = 0.02 + 0.98 * q; the steps up and down are in the ratio (1 - q) : q.
    q = 0.08 / 0.98
    up = after(at(VariableThreshold(0.1, step=0.1), 0.5), 0.5, query=True)
    down = after(at(VariableThreshold(0.1, step=0.1), 0.5), 0.4999, query=False)
    assert up == pytest.approx(0.5 + 0.1 * (1 - q))
    assert down == pytest.approx(0.5 - 0.1 * q)


def test_what_exploration_draws_does_not_move_the_threshold() -> None:
    explored, passed = (
        after(at(VariableThreshold(0.1), 0.5), 0.2, query=query) for query in (True, False)
    )
    assert explored == passed < 0.5


def test_debt_lowers_the_threshold_faster_and_overspend_slower() -> None:
    owed, even, over = (
        after(at(VariableThreshold(0.1), 0.5, debt), 0.2, query=False) for debt in (5.0, 0.0, -5.0)
    )
    assert owed < even < over < 0.5


@pytest.mark.parametrize(("budget", "rest"), [(0.05, 0.959), (0.2, 0.8333), (0.5, 0.5556)])
def test_the_threshold_rests_where_the_budget_is_spent(budget: float, rest: float) -> None:
    # Above it are (b - f) / (1 - f) of the uniform scores.
    policy = VariableThreshold(budget, exploration=0.2, step=0.005)
    thresholds = play(policy, default_rng(2).random(40_000).tolist())
    # A little lower, because at times of overspend not all that reaches it is routed.
    assert 1.0 - rest <= 1.0 - float(np.mean(thresholds[5_000:])) < 1.2 * (1.0 - rest)


def test_a_rise_of_all_scores_is_followed_within_items_that_the_step_says() -> None:
    policy = VariableThreshold(0.1, step=0.02)
    play(policy, default_rng(2).normal(0.2, 0.05, 5_000).clip(0, 1).tolist())
    thresholds = play(policy, [0.8] * 100)
    assert thresholds[0] < 0.35
    assert thresholds[40] > 0.78


def test_the_first_item_is_asked_for_sure() -> None:
    for policy in (VariableThreshold(0.01), RandomisedVariableThreshold(0.01)):
        offer = policy.preview(0.0, NOON)
        assert (offer.propensity, offer.reason) == (1.0, Reason.ABOVE_THRESHOLD)


def test_overspend_fades_what_reaches_the_threshold_to_the_floor() -> None:
    policy = VariableThreshold(0.1)
    half = at(policy, 0.5, debt=-5.0).preview(0.9, NOON)
    none = at(policy, 0.5, debt=-10.0).preview(0.9, NOON)
    assert half.propensity == pytest.approx(0.02 + 0.98 * 0.5)
    assert half.reason is Reason.AT_THRESHOLD
    assert (none.propensity, none.reason) == (policy.floor, Reason.EXPLORATION)


def test_a_threshold_outside_of_the_scores_is_reported_within() -> None:
    assert at(VariableThreshold(0.1), -0.01).preview(0.5, NOON).threshold == 0.0
    assert at(VariableThreshold(0.1), 1.01).preview(0.5, NOON).threshold == 1.0


@pytest.mark.parametrize("score", [0.4, 0.5, 0.55])
def test_the_random_threshold_is_reached_as_often_as_stated(score: float) -> None:
    policy = at(RandomisedVariableThreshold(0.1, exploration=0.0, deviation=0.2), 0.5)
    drawn = 0.5 * default_rng(3).normal(1.0, 0.2, 200_000)
    assert policy.preview(score, NOON).propensity == pytest.approx(
        float(np.mean(score >= drawn)), abs=0.005
    )


def test_the_random_threshold_lies_on_the_floor_and_under_the_credit() -> None:
    crossing = NormalDist().cdf((0.55 / 0.5 - 1) / 0.2)
    policy = at(RandomisedVariableThreshold(0.1, exploration=0.5, deviation=0.2), 0.5, debt=-2.0)
    offer = policy.preview(0.55, NOON)
    assert offer.propensity == pytest.approx(0.05 + 0.95 * 0.8 * crossing)
    assert offer.reason is Reason.AT_THRESHOLD


def test_beyond_three_deviations_nothing_is_random() -> None:
    policy = at(RandomisedVariableThreshold(0.1, deviation=0.1), 0.5)
    assert policy.preview(0.66, NOON).reason is Reason.ABOVE_THRESHOLD
    assert policy.preview(0.34, NOON).reason is Reason.EXPLORATION
    assert policy.preview(0.64, NOON).reason is Reason.AT_THRESHOLD


def test_a_smaller_deviation_is_a_steeper_threshold() -> None:
    wide, narrow = (
        at(RandomisedVariableThreshold(0.1, deviation=deviation), 0.5) for deviation in (0.3, 0.03)
    )
    assert wide.preview(0.46, NOON).propensity > narrow.preview(0.46, NOON).propensity
    assert wide.preview(0.54, NOON).propensity < narrow.preview(0.54, NOON).propensity


def test_split_gives_the_uniform_part_of_the_stream_the_budget() -> None:
    policy = at(Split(0.1, exploration=0.4), 0.5)
    above, below = policy.preview(0.6, NOON), policy.preview(0.4, NOON)
    assert above.propensity == pytest.approx(0.4 * 0.1 + 0.6)
    assert above.reason is Reason.AT_THRESHOLD
    assert (below.propensity, below.reason) == (policy.floor, Reason.EXPLORATION)
    assert policy.floor == pytest.approx(0.04)


def test_the_threshold_of_split_is_the_quantile_of_the_budget() -> None:
    policy = Split(0.2, exploration=0.5, step=0.005)
    thresholds = play(policy, default_rng(2).random(40_000).tolist())
    assert 0.2 <= 1.0 - float(np.mean(thresholds[5_000:])) < 1.2 * 0.2


def test_split_without_exploration_is_a_variable_threshold() -> None:
    scores = default_rng(2).random(3_000).tolist()
    split, plain = Split(0.1, exploration=0.0), VariableThreshold(0.1, exploration=0.0)
    assert play(split, scores) == play(plain, scores)


@pytest.mark.parametrize("policy", [VariableThreshold, RandomisedVariableThreshold, Split])
def test_the_state_is_two_numbers(policy: type[BudgetPolicy]) -> None:
    built = policy(budget=0.1)  # type: ignore[call-arg]  # the base has no constructor
    play(built, default_rng(2).random(1_000).tolist())
    own = built.state()[built.name]
    assert isinstance(own, dict)
    assert sorted(own) == ["debt", "threshold"]
