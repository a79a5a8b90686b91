"""The hourly limit: hard over every hour, and positive for as long as it can be."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from numpy.random import default_rng

from streamal.core.budgets import FixedThreshold, MaxPerHour, Quantile, build_budget
from streamal.core.budgets.base import BudgetPolicy
from streamal.core.types import Conditions, Reason
from streamal.errors import SettingsInvalid

HOUR = 3600.0


def route(policy: BudgetPolicy, times: list[float], seed: int = 1) -> list[float]:
    """The times at which items were routed, at most one item per time."""
    routed = []
    numbers = default_rng(seed).random((len(times), 2)).tolist()
    for now, (score, drawn) in zip(times, numbers, strict=True):
        conditions = Conditions(now)
        offer = policy.preview(score, conditions)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        if query:
            routed.append(now)
    return routed


def fullest_hour(times: list[float]) -> int:
    """The most of the ascending `times` that lie in one hour, both ends included."""
    return max(bisect_right(times, start + HOUR) - i for i, start in enumerate(times))


def arrivals(per_hour: float, hours: float, seed: int = 1) -> list[float]:
    gaps = default_rng(seed).exponential(HOUR / per_hour, round(per_hour * hours))
    times: list[float] = (1e9 + gaps.cumsum()).tolist()
    return times


@pytest.mark.parametrize(("limit", "share"), [(2, 1.0), (7, 1.0), (60, 1.0), (60, 1 / 3), (250, 1)])
def test_no_hour_has_more_than_the_allowance(limit: float, share: float) -> None:
    policy = MaxPerHour(Quantile(0.5), limit, share)
    routed = route(policy, arrivals(1000, 12))
    assert fullest_hour(routed) <= limit * share + 1e-9
    # A steady flood gets nine tenths; of the smallest limit, half.
    assert len(routed) >= 12 * (limit * share * 0.85 if limit * share > 10 else 1) - 1


def test_bursts_after_quiet_hours_are_within_the_limit_too() -> None:
    burst = [hour * HOUR + second for hour in (0, 5, 6, 7, 20) for second in range(900)]
    routed = route(MaxPerHour(Quantile(0.9), 40), burst)
    assert fullest_hour(routed) <= 40


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    times = arrivals(1000, 10)
    free, limited = Quantile(0.05), MaxPerHour(Quantile(0.05), 5000)
    assert route(limited, times) == route(free, times)


def test_spend_is_at_the_budget_under_a_limit_of_three_times_as_much() -> None:
    routed = route(MaxPerHour(Quantile(0.05), 150), arrivals(1000, 40))
    assert len(routed) == pytest.approx(0.05 * 40_000, rel=0.02)


def test_the_propensity_falls_before_it_vanishes_and_comes_back() -> None:
    policy = MaxPerHour(FixedThreshold(1.0), max_per_hour=100)
    offers = []
    for _ in range(11):
        offers.append(policy.preview(1.0, Conditions(0.0)))
        policy.commit(1.0, offers[-1], query=True, conditions=Conditions(0.0))
    # Ten tokens at once, the last five of them ever less likely.
    assert [round(offer.propensity, 2) for offer in offers] == [1.0] * 6 + [0.8, 0.6, 0.4, 0.2, 0.0]
    assert {offer.reason for offer in offers[6:]} == {Reason.RATE_LIMITED}
    # One token too many was taken; ninety an hour flow in.
    assert policy.preview(1.0, Conditions(79.0)).propensity == 0.0
    assert policy.preview(1.0, Conditions(81.0)).propensity == pytest.approx(0.2, abs=0.01)
    assert policy.preview(1.0, Conditions(1e12)).propensity == 1.0


def test_time_that_stumbles_back_is_not_paid_out_twice() -> None:
    late = default_rng(8).random(12_000) * 0.9 * HOUR
    times = [now - by for now, by in zip(arrivals(1000, 12), late.tolist(), strict=True)]
    clock: list[float] = []
    latest = 0.0
    policy = MaxPerHour(Quantile(0.5), 30)
    for now in times:
        latest = max(latest, now)
        clock += [latest] * len(route(policy, [now], seed=int(now * 1000)))
    assert fullest_hour(clock) <= 30
    assert len(clock) > 12 * 20


def test_a_corrected_clock_does_not_stop_the_gate_for_ever() -> None:
    policy = MaxPerHour(Quantile(0.5), 30)
    future = 4e9
    route(policy, [future + i for i in range(10)])
    routed = route(policy, arrivals(1000, 5))
    assert len(routed) > 5 * 20
    assert fullest_hour(routed) <= 30


def test_after_hours_at_the_limit_there_is_no_flood() -> None:
    policy = MaxPerHour(Quantile(0.5), 20)
    route(policy, arrivals(1000, 10))
    quiet = route(policy.inner, [1e9 + 10 * HOUR + i for i in range(200)])
    assert len(quiet) < 130


@pytest.mark.parametrize(("limit", "partitions"), [(1.9, 1), (10, 8), (1, 1)])
def test_an_allowance_below_two_is_refused_with_what_would_do(
    limit: float, partitions: int
) -> None:
    with pytest.raises(SettingsInvalid, match=rf"^gate.max_per_hour: {limit:g} leaves") as caught:
        MaxPerHour(Quantile(0.1), limit, 1 / partitions)
    assert f"allow {2 * partitions} or more" in str(caught.value)


@pytest.mark.parametrize("partitions", [1, 3, 6, 7, 49])
def test_what_the_error_asks_for_is_enough(partitions: int) -> None:
    policy = MaxPerHour(Quantile(0.1), 2 * partitions, 1 / partitions)
    assert policy.allowance >= 2.0


def test_a_lower_limit_after_a_restart_holds_at_once() -> None:
    before = build_budget("quantile", {}, budget=0.5, max_per_hour=1000)
    now = Conditions(1e9)
    before.commit(0.5, before.preview(0.5, now), query=True, conditions=now)
    after = MaxPerHour(Quantile(0.5), 20)
    after.restore(before.state())
    assert fullest_hour(route(after, arrivals(1000, 3))) <= 20


def test_an_empty_bucket_stays_empty_over_a_restart() -> None:
    policy, now = MaxPerHour(Quantile(0.5), 2), Conditions(1e9)
    policy.commit(0.5, policy.preview(0.5, now), query=True, conditions=now)
    again = MaxPerHour(Quantile(0.5), 2)
    again.restore(policy.state())
    assert again.preview(0.5, now).propensity == 0.0
