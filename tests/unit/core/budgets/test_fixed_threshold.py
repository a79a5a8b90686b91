"""The fixed threshold: an upper limit that fades instead of stopping dead."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from numpy.random import default_rng

from streamal.core.budgets import FixedThreshold
from streamal.core.budgets.fixed_threshold import CARRY_OVER_LABELS
from streamal.core.budgets.spend import RESPONSE_LABELS
from streamal.core.types import Conditions, Reason

NOON = Conditions(now=43_200.0)


def overspend(policy: FixedThreshold, scores: Iterable[float]) -> float:
    """The largest overspend at any time, in labels; the policy is left at the end."""
    rng, spent, most = default_rng(2), 0, 0.0
    for count, score in enumerate(scores, start=1):
        offer = policy.preview(score, NOON)
        query = rng.random() < offer.propensity
        policy.commit(score, offer, query=query, conditions=NOON)
        spent += query
        most = max(most, spent - policy.budget * count)
    return most


def test_the_threshold_itself_is_routed() -> None:
    policy = FixedThreshold(0.1, threshold=0.8)
    above, below = policy.preview(0.8, NOON), policy.preview(0.7999, NOON)
    assert (above.propensity, above.reason) == (1.0, Reason.ABOVE_THRESHOLD)
    assert below.propensity == pytest.approx(0.02)
    assert below.reason is Reason.EXPLORATION
    assert above.threshold == below.threshold == 0.8


def test_overspend_fades_the_propensity_to_the_floor() -> None:
    policy = FixedThreshold(0.1, exploration=0.2)
    offers = []
    for _ in range(14):
        offers.append(policy.preview(1.0, NOON))
        policy.commit(1.0, offers[-1], query=True, conditions=NOON)
    propensities = [offer.propensity for offer in offers]
    assert propensities == sorted(propensities, reverse=True)
    assert propensities[1] == pytest.approx(0.02 + 0.98 * (1 - 0.09))
    assert [offers[i].reason for i in (0, 1, 13)] == [
        Reason.ABOVE_THRESHOLD,
        Reason.AT_THRESHOLD,
        Reason.EXPLORATION,
    ]
    assert propensities[13] == pytest.approx(0.02)


@pytest.mark.parametrize("budget", [0.005, 0.05, 0.5])
@pytest.mark.parametrize("constant", [0.0, 0.5, 1.0])
def test_constant_scores_route_neither_all_nor_nothing(budget: float, constant: float) -> None:
    policy = FixedThreshold(budget)
    assert overspend(policy, [constant] * 20_000) < RESPONSE_LABELS + 5
    offer = policy.preview(constant, NOON)
    assert policy.floor <= offer.propensity
    if constant >= policy.threshold:
        assert offer.propensity < 2.5 * budget


def test_few_high_scores_spend_less_than_the_budget() -> None:
    policy = FixedThreshold(0.5, exploration=0.0, threshold=0.9)
    spent = 0
    for score in default_rng(3).random(5_000).tolist():
        offer = policy.preview(score, NOON)
        spent += offer.propensity == 1.0
        policy.commit(score, offer, query=offer.propensity == 1.0, conditions=NOON)
    assert spent == pytest.approx(500, rel=0.15)


def test_a_quiet_spell_does_not_pay_for_a_flood() -> None:
    policy = FixedThreshold(0.05)
    overspend(policy, [0.0] * 50_000)
    burst = overspend(policy, [1.0] * 2_000)
    assert burst < CARRY_OVER_LABELS + RESPONSE_LABELS + 5
