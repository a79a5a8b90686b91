"""The limit on unanswered reviews: only exploration goes on."""

from __future__ import annotations

import pytest
from numpy.random import default_rng

from streamal.core.budgets import FixedThreshold, MaxPending, MaxPerHour, Quantile
from streamal.core.types import Conditions, Offer, Reason


def test_at_the_limit_only_the_floor_is_offered() -> None:
    policy = MaxPending(FixedThreshold(0.1), max_pending=3)
    free, full = Conditions(0.0, pending=2), Conditions(0.0, pending=3)
    assert policy.preview(1.0, free).propensity == 1.0
    for score in (0.0, 1.0):
        offer = policy.preview(score, full)
        assert offer.propensity == policy.floor == pytest.approx(0.02)
        assert offer.reason is Reason.MAX_PENDING


def test_nobody_counting_limits_nothing() -> None:
    policy = MaxPending(FixedThreshold(0.1), max_pending=1)
    assert policy.preview(1.0, Conditions(0.0, pending=None)).propensity == 1.0


def test_a_rate_limit_inside_keeps_its_word() -> None:
    inner = MaxPerHour(FixedThreshold(1.0, exploration=0.5), max_per_hour=2)
    policy = MaxPending(inner, max_pending=1)
    full = Conditions(0.0, pending=5)
    policy.commit(1.0, policy.preview(1.0, full), query=True, conditions=full)
    offer = policy.preview(1.0, full)
    assert (offer.propensity, offer.reason) == (0.0, Reason.RATE_LIMITED)


def _routed(policy: MaxPending, items: int, pending: int, seed: int) -> int:
    routed = 0
    conditions = Conditions(0.0, pending)
    for score, drawn in default_rng(seed).random((items, 2)).tolist():
        offer: Offer = policy.preview(score, conditions)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        routed += query
    return routed


def test_a_backlog_slows_down_and_is_not_made_up_for() -> None:
    policy = MaxPending(Quantile(0.1), max_pending=100)
    assert _routed(policy, 5_000, pending=0, seed=1) == pytest.approx(500, rel=0.05)
    assert _routed(policy, 5_000, pending=100, seed=2) == pytest.approx(100, rel=0.3)
    # Back at the budget at once: neither a flood nor a penance for what was explored.
    assert _routed(policy, 1_000, pending=0, seed=3) == pytest.approx(100, rel=0.15)
