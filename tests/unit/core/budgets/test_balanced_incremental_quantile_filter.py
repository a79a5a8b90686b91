"""The balanced quantile: shifted by what is owed, and fair where nothing differs."""

from __future__ import annotations

import pytest
from numpy.random import default_rng

from streamal.core.budgets import BalancedIncrementalQuantileFilter
from streamal.core.types import Conditions, Reason

NOON = Conditions(now=43_200.0)


def filled(
    scores: list[float], debt: float = 0.0, *, exploration: float = 0.0, tolerance: float = 50.0
) -> BalancedIncrementalQuantileFilter:
    """A policy with a budget of 0.1, these scores in its window and this debt."""
    policy = BalancedIncrementalQuantileFilter(
        0.1, exploration, window=max(10, len(scores)), tolerance=tolerance
    )
    for score in scores * 3:
        policy.commit(score, policy.preview(score, NOON), query=False, conditions=NOON)
    own = policy.state()[policy.name]
    assert isinstance(own, dict)
    policy.restore({policy.name: {**own, "debt": debt}})
    return policy


HUNDRED = [number / 128 for number in range(100)]


def test_without_debt_the_threshold_is_the_quantile() -> None:
    policy = filled(HUNDRED)
    sure, below = policy.preview(90 / 128, NOON), policy.preview(89 / 128, NOON)
    assert sure.threshold == 90 / 128
    assert (sure.propensity, sure.reason) == (1.0, Reason.ABOVE_THRESHOLD)
    assert (below.propensity, below.reason) == (0.0, Reason.EXPLORATION)


def test_exploration_leaves_less_for_the_top() -> None:
    # (0.1 - 0.05) / 0.95 of the items are above: 5 of 100.
    assert filled(HUNDRED, exploration=0.5).preview(0.0, NOON).threshold == 94 / 128
    assert filled(HUNDRED, exploration=0.5).preview(0.0, NOON).propensity == 0.05


@pytest.mark.parametrize(("debt", "tolerance"), [(5.0, 50.0), (-5.0, 50.0), (5.0, 20.0)])
def test_debt_moves_the_threshold_in_parts_of_the_spread(debt: float, tolerance: float) -> None:
    offer = filled(HUNDRED, debt, tolerance=tolerance).preview(0.0, NOON)
    assert offer.threshold == pytest.approx(90 / 128 - 99 / 128 * debt / tolerance)


def test_overspend_fades_what_is_above() -> None:
    offer = filled(HUNDRED, -4.0).preview(1.0, NOON)
    assert offer.propensity == pytest.approx(0.6)
    assert offer.reason is Reason.AT_THRESHOLD
    assert filled(HUNDRED, -10.0).preview(1.0, NOON).reason is Reason.EXPLORATION


@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_equal_scores_are_sampled_uniformly(score: float) -> None:
    policy = filled([score] * 100)
    offer = policy.preview(score, NOON)
    assert offer.propensity == pytest.approx(0.1)
    assert offer.reason is Reason.AT_THRESHOLD


def test_a_score_that_stands_out_from_equals_is_routed() -> None:
    policy = filled([0.3] * 100)
    assert policy.preview(0.31, NOON).propensity == 1.0
    assert policy.preview(0.29, NOON).propensity == 0.0


def test_the_first_item_is_like_any_other() -> None:
    offer = BalancedIncrementalQuantileFilter(0.05).preview(0.7, NOON)
    assert offer.propensity == pytest.approx(0.05)


def test_only_the_window_counts() -> None:
    policy = BalancedIncrementalQuantileFilter(0.1, 0.0, window=50)
    for score in (default_rng(1).random(500) / 4 + 0.75).tolist() + [0.0, 0.125] * 25:
        policy.commit(score, policy.preview(score, NOON), query=False, conditions=NOON)
    own = policy.state()[policy.name]
    assert isinstance(own, dict)
    policy.restore({policy.name: {**own, "debt": 0.0}})
    assert policy.preview(0.125, NOON).propensity == 1.0
