"""The labels that a young stream spends ahead of its budget."""

from __future__ import annotations

import pytest

from streamal.core.budgets import (
    Advance,
    BudgetPolicy,
    MaxPending,
    Quantile,
    VariableThreshold,
    WindowedTopK,
    build_budget,
)
from streamal.core.chance import draw
from streamal.core.types import Candidate, Conditions, Reason

NOW = Conditions(now=0.0)


def routed(policy: BudgetPolicy, events: int, score: float = 1.0) -> int:
    count = 0
    for number in range(events):
        offer = policy.preview(score, NOW)
        query = draw(3, f"event-{number}", "query") < offer.propensity
        policy.commit(score, offer, query=query, conditions=NOW)
        count += query
    return count


def test_the_advance_comes_first_and_is_saved_again() -> None:
    plain, advanced = Quantile(0.01), Advance(Quantile(0.01), 10.0)
    assert routed(plain, 50) <= 2
    assert 7 <= routed(advanced, 50) <= 13
    assert 95 <= routed(plain, 9_950) + 1 <= 105
    assert 80 <= routed(advanced, 9_950) <= 95, "and the whole stays at the budget"


@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_partitions_share_it(partitions: int) -> None:
    policy = Advance(Quantile(0.01), 10.0, share=1 / partitions)
    granted = 0.0
    for _ in range(100):
        offer = policy.preview(1.0, NOW)
        granted += offer.propensity if offer.reason is Reason.ADVANCE else 0.0
        policy.commit(1.0, offer, query=False, conditions=NOW)
    assert granted == pytest.approx(10.0 / partitions, rel=0.12)


def test_what_the_policy_asks_for_itself_is_part_of_it() -> None:
    alone = Advance(Quantile(0.01), 10.0)
    generous = Advance(VariableThreshold(0.01), 10.0)
    assert routed(generous, 100) <= routed(alone, 100) + 6


def test_it_is_no_offer_below_the_policys_own() -> None:
    policy = Advance(Quantile(0.5), 10.0)
    reasons = []
    for _ in range(40):
        offer = policy.preview(1.0, NOW)
        assert offer.propensity >= policy.inner.preview(1.0, NOW).propensity
        reasons.append(offer.reason)
        policy.commit(1.0, offer, query=True, conditions=NOW)
    assert reasons[0] is Reason.ADVANCE
    assert reasons[-1] is not Reason.ADVANCE


def test_a_restart_does_not_grant_it_again() -> None:
    policy, restarted = Advance(Quantile(0.01), 10.0), Advance(Quantile(0.01), 10.0)
    routed(policy, 200)
    restarted.restore(policy.state())
    assert restarted.preview(1.0, NOW) == policy.preview(1.0, NOW)
    assert restarted.preview(1.0, NOW).reason is not Reason.ADVANCE


def test_a_stream_that_began_without_it_is_no_longer_young() -> None:
    plain, upgraded = Quantile(0.01), Advance(Quantile(0.01), 10.0)
    routed(plain, 200)
    upgraded.restore(plain.state())
    assert upgraded.preview(1.0, NOW) == plain.preview(1.0, NOW)
    upgraded.restore({})
    assert upgraded.preview(1.0, NOW).reason is Reason.ADVANCE


def test_limits_hold_for_it() -> None:
    policy = build_budget("quantile", {}, budget=0.1, advance_labels=10, max_pending=5)
    assert isinstance(policy, MaxPending)
    offer = policy.preview(1.0, Conditions(now=0.0, pending=5))
    assert (offer.propensity, offer.reason) == (policy.floor, Reason.MAX_PENDING)


def test_a_window_gets_it_item_by_item() -> None:
    policy = Advance(WindowedTopK(0.1), 10.0)
    window = [Candidate(f"event-{number}", 0.5, {}) for number in range(3)]
    planned = policy.offers(window, NOW)
    made = []
    for candidate, offer in zip(window, planned, strict=True):
        changed = policy.limited(offer, NOW)
        made.append(changed.propensity)
        policy.commit(candidate.score, changed, query=True, conditions=NOW)
    assert made[0] == 1.0
    assert made == sorted(made, reverse=True)


def test_none_is_no_wrapper() -> None:
    assert build_budget("quantile", {}, budget=0.1).name == "quantile"
