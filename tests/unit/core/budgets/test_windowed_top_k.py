"""Windowed top-k: the best of a window, unlike one another, at the budget."""

from __future__ import annotations

import pytest
from numpy.random import default_rng

from streamal.core.batch import Batch
from streamal.core.budgets import MaxPending, MaxPerHour, Stopping, WindowedTopK, build_budget
from streamal.core.gate import Gate
from streamal.core.strategies import build_strategy
from streamal.core.types import Candidate, Conditions, Context, Decision, Production, Reason

NOON = Conditions(now=43_200.0)


def candidates(scores: list[float], **xs: float) -> list[Candidate]:
    return [
        Candidate(f"e{number}", score, {"x": xs[f"x{number}"]} if f"x{number}" in xs else {})
        for number, score in enumerate(scores)
    ]


def decide_window(gate: Gate, contexts: list[Context], conditions: Conditions) -> list[Decision]:
    return [*gate.decide(Batch.of(contexts), conditions)]


def propensities(policy: WindowedTopK, window: list[Candidate]) -> list[float]:
    return [round(offer.propensity, 6) for offer in policy.offers(window, NOON)]


def test_the_top_is_sure_the_next_gets_the_rest_and_the_floor_is_for_all_others() -> None:
    policy = WindowedTopK(budget=0.4, exploration=0.25, diversity=0.0)
    found = propensities(policy, candidates([0.1, 0.9, 0.3, 0.8, 0.2]))
    # 5 * (0.4 - 0.1) / 0.9 = 1.667 places; 0.1 + 0.9 * 0.667 for the second.
    assert found == [0.1, 1.0, 0.1, 0.7, 0.1]
    assert sum(found) == pytest.approx(5 * 0.4)


def test_reasons_and_threshold_tell_which_rule_it_was() -> None:
    policy = WindowedTopK(budget=0.4, exploration=0.25, diversity=0.0)
    offers = policy.offers(candidates([0.1, 0.9, 0.3, 0.8, 0.2]), NOON)
    assert [offer.reason for offer in offers] == [
        Reason.EXPLORATION,
        Reason.ABOVE_THRESHOLD,
        Reason.EXPLORATION,
        Reason.AT_THRESHOLD,
        Reason.EXPLORATION,
    ]
    assert {offer.threshold for offer in offers} == {0.9}


def test_a_twin_of_what_is_picked_gives_way_to_something_new() -> None:
    window = candidates([0.9, 0.89, 0.6, 0.1], x0=1.0, x1=1.0, x2=-1.0, x3=0.0)
    budget = 0.5
    by_score = WindowedTopK(budget, exploration=0, diversity=0.0)
    diverse = WindowedTopK(budget, exploration=0, diversity=1.0)
    assert propensities(by_score, window) == [1.0, 1.0, 0.0, 0.0]
    assert propensities(diverse, window) == [1.0, 0.0, 1.0, 0.0]


def test_among_equals_the_hash_decides_not_the_place_in_the_window() -> None:
    policy = WindowedTopK(budget=0.1, exploration=0)
    picked = []
    for start in range(0, 2000, 20):
        window = [Candidate(f"e{start + n}", 1.0, {}) for n in range(20)]
        picked += [n for n, p in enumerate(propensities(policy, window)) if p == 1.0]
    assert len(picked) == 200
    assert 8 < sum(picked) / len(picked) < 11


def test_a_window_of_one_is_sampled_uniformly() -> None:
    policy = WindowedTopK(budget=0.1, exploration=0.2)
    for score in (0.0, 0.5, 1.0):
        assert policy.preview(score, NOON).propensity == pytest.approx(0.1)


def played(
    policy: WindowedTopK, events: int, size: int, *, worse: bool = False
) -> list[list[Decision]]:
    gate, windows = Gate(build_strategy("margin", {}), policy, seed=5), []
    rng = default_rng(2)
    for start in range(0, events, size):
        contexts = []
        for number in range(start, start + size):
            p = 0.5 + rng.random() / 2
            p = 0.5 + (number / events) / 2 if worse else p
            model = {"a": p, "b": 1 - p}
            contexts.append(Context(f"e{number}", {"x": rng.normal()}, Production(), model))
        windows.append(decide_window(gate, contexts, NOON))
    return windows


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
@pytest.mark.parametrize("budget", [0.02, 0.3])
@pytest.mark.parametrize("worse", [False, True])
def test_the_spend_keeps_the_budget(size: int, budget: float, *, worse: bool) -> None:
    windows = played(WindowedTopK(budget, window=size), 7000, size, worse=worse)
    spent = [sum(decision.query for decision in window) for window in windows]
    events = len(spent) * size
    assert sum(spent) == pytest.approx(events * budget, abs=10 + size * budget)


def test_a_large_window_does_not_swing() -> None:
    windows = played(WindowedTopK(0.1, window=1000), 20_000, 1000)
    spent = [sum(decision.query for decision in window) for window in windows]
    assert all(60 < labels < 140 for labels in spent)


def test_propensities_are_what_happens() -> None:
    floor = 0.04
    decisions = [d for w in played(WindowedTopK(0.2, window=50), 20_000, 50) for d in w]
    lowest = [d for d in decisions if d.propensity == pytest.approx(floor)]
    assert len(lowest) > 10_000
    assert sum(d.query for d in lowest) / len(lowest) == pytest.approx(floor, rel=0.15)
    assert all(d.query for d in decisions if d.propensity == 1.0)


def test_a_debt_survives_a_restart_and_a_window_does_not_have_to() -> None:
    first, second = WindowedTopK(0.1), WindowedTopK(0.1)
    window = candidates([0.1 * n for n in range(10)])
    for candidate, offer in zip(window, first.offers(window, NOON), strict=True):
        first.commit(candidate.score, offer, query=False, conditions=NOON)
    second.restore(first.state())
    assert propensities(second, window) == propensities(first, window)
    assert propensities(second, window) != propensities(WindowedTopK(0.1), window)


def test_limits_pass_the_window_on_and_cut_each_offer_in_turn() -> None:
    policy = build_budget(
        "windowed_top_k", {"window": 30}, budget=0.5, max_pending=5, max_per_hour=20
    )
    assert isinstance(policy, MaxPerHour)
    assert isinstance(policy.inner, MaxPending)
    assert policy.decision_window is not None
    assert policy.decision_window.events == 30
    gate = Gate(build_strategy("random", {}), policy, seed=1)
    contexts = [Context(f"e{number}", {}, Production()) for number in range(30)]
    decisions = decide_window(gate, contexts, NOON)
    assert sum(decision.query for decision in decisions) == 2, "a tenth of the hour's allowance"
    assert decisions[-1].reason is Reason.RATE_LIMITED
    waiting = decide_window(gate, contexts, Conditions(now=90_000.0, pending=5))
    assert {decision.reason for decision in waiting} <= {Reason.MAX_PENDING, Reason.RATE_LIMITED}


def test_other_policies_decide_at_once_and_alike_in_either_way() -> None:
    one, many = (
        Gate(build_strategy("margin", {}), build_budget("quantile", {}, budget=0.2), seed=3)
        for _ in range(2)
    )
    assert one.policy.decision_window is None
    contexts = [
        Context(f"e{n}", {}, Production(), {"a": 0.5 + n / 100, "b": 0.5 - n / 100})
        for n in range(40)
    ]
    singly = []
    for context in contexts:
        singly += decide_window(many, [context], NOON)
    assert singly == decide_window(one, contexts, NOON)


def test_stopping_holds_in_a_window() -> None:
    policy = Stopping(WindowedTopK(0.5), stop_at_accuracy=0.9)
    gate = Gate(build_strategy("random", {}), policy, seed=1)
    contexts = [Context(f"e{number}", {}, Production()) for number in range(30)]
    decisions = decide_window(gate, contexts, Conditions(now=0.0, accuracy_low=0.95))
    assert {(d.reason, round(d.propensity, 9)) for d in decisions} == {(Reason.STOPPED, 0.1)}
