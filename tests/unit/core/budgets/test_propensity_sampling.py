"""Propensities in proportion to a power of the score."""

from __future__ import annotations

import pytest
from numpy import std
from numpy.random import default_rng

from streamal.core.budgets import PropensitySampling
from streamal.core.types import Conditions, Reason

NOON = Conditions(now=43_200.0)


def after(scores: list[float], policy: PropensitySampling, debt: float = 0.0) -> PropensitySampling:
    """The policy with these scores in its window and this debt."""
    for score in scores:
        policy.commit(score, policy.preview(score, NOON), query=False, conditions=NOON)
    own = policy.state()[policy.name]
    assert isinstance(own, dict)
    policy.restore({policy.name: {**own, "debt": debt}})
    return policy


UNIFORM = default_rng(1).random(2_000).tolist()


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_above_the_floor_propensities_are_in_proportion(power: float) -> None:
    policy = after(UNIFORM, PropensitySampling(0.1, exploration=0.2, power=power))
    low, high = (policy.preview(score, NOON).propensity - 0.02 for score in (0.2, 0.8))
    # The item itself counts in the mean, which is a part in a thousand.
    assert high / low == pytest.approx(4**power, rel=0.01)


def test_their_mean_is_the_budget() -> None:
    policy = after(UNIFORM, PropensitySampling(0.1, exploration=0.5))
    mean = sum(policy.preview(score, NOON).propensity for score in UNIFORM[-1000:]) / 1000
    assert mean == pytest.approx(0.1, rel=0.01)


def test_a_power_of_zero_is_uniform_sampling() -> None:
    policy = after(UNIFORM, PropensitySampling(0.1, power=0.0))
    for score in (0.0, 0.4, 1.0):
        assert policy.preview(score, NOON).propensity == pytest.approx(0.1)


def test_rare_high_scores_are_certain_and_the_rest_spends_what_is_left() -> None:
    policy = after(([0.01] * 19 + [1.0]) * 100, PropensitySampling(0.1, exploration=0.0, power=2))
    sure, other = policy.preview(1.0, NOON), policy.preview(0.01, NOON)
    assert (sure.propensity, sure.reason) == (1.0, Reason.ABOVE_THRESHOLD)
    assert other.propensity == pytest.approx(0.05 / 0.95, rel=0.02)
    assert other.reason is Reason.AT_THRESHOLD
    assert 0.01 < other.threshold < 1.0


def test_the_threshold_is_where_certainty_begins() -> None:
    policy = after(UNIFORM, PropensitySampling(0.6, exploration=0.0, power=1.0))
    threshold = policy.preview(0.9, NOON).threshold
    assert policy.preview(threshold + 0.005, NOON).reason is Reason.ABOVE_THRESHOLD
    assert policy.preview(threshold - 0.005, NOON).reason is Reason.AT_THRESHOLD


def test_overspend_leaves_the_floor_and_debt_routes_everything() -> None:
    over = after(UNIFORM, PropensitySampling(0.1), debt=-10.0).preview(0.9, NOON)
    assert (over.propensity, over.reason) == (0.2 * 0.1, Reason.EXPLORATION)
    assert over.threshold == 1.0
    owed = after(UNIFORM, PropensitySampling(0.1), debt=24.0).preview(0.0, NOON)
    assert (owed.propensity, owed.reason) == (1.0, Reason.ABOVE_THRESHOLD)


def test_no_label_is_drawn_that_would_outweigh_all_others() -> None:
    policy = after([1.0] * 100, PropensitySampling(0.1, exploration=0.0, power=4.0))
    offer = policy.preview(0.0, NOON)
    assert (offer.propensity, offer.reason) == (0.0, Reason.EXPLORATION)


def test_another_power_or_window_keeps_what_is_owed_and_known() -> None:
    policy = after(UNIFORM, PropensitySampling(0.1), debt=3.0)
    changed = PropensitySampling(0.1, window=100, power=1.0)
    changed.restore(policy.state())
    fresh = after(UNIFORM[-100:] * 2, PropensitySampling(0.1, window=100, power=1.0), debt=3.0)
    assert changed.preview(0.7, NOON).propensity == pytest.approx(
        fresh.preview(0.7, NOON).propensity, rel=0.05
    )


def test_a_slower_account_keeps_propensities_steady_and_still_the_budget() -> None:
    def course(account_labels: float) -> tuple[float, float]:
        policy = PropensitySampling(0.05, power=0.0, account_labels=account_labels)
        chance, routed, offered = default_rng(3), 0, []
        for score in UNIFORM * 10:
            offer = policy.preview(score, NOON)
            query = bool(chance.random() < offer.propensity)
            policy.commit(score, offer, query=query, conditions=NOON)
            routed += query
            offered.append(offer.propensity)
        return float(std(offered) / 0.05), routed / len(offered)

    for account_labels in (10.0, 100.0):
        deviation, spent = course(account_labels)
        assert deviation == pytest.approx((2 * account_labels) ** -0.5, rel=0.35)
        assert spent == pytest.approx(0.05, abs=0.002)
