"""The gate: deterministic decisions, an honest propensity, and a state that survives settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from streamal.core.batch import Batch
from streamal.core.budgets import BudgetPolicy, build_budget
from streamal.core.chance import draw
from streamal.core.features import Vector
from streamal.core.gate import STATE_FORMAT, Gate
from streamal.core.parameters import Range
from streamal.core.strategies import Strategy, build_strategy
from streamal.core.types import (
    Conditions,
    Context,
    Decision,
    JsonState,
    JsonValue,
    Production,
    Reason,
)

NOON = Conditions(now=43_200.0, pending=0)
CERTAINTIES: list[float] = default_rng(1).random(20_000).tolist()


def item(number: int) -> Context:
    p = CERTAINTIES[number]
    return Context(f"event-{number}", {}, Production(), {"cat": p, "dog": 1 - p})


def gate(
    strategy: str = "margin",
    policy: str = "quantile",
    *,
    budget: float = 0.1,
    seed: int = 7,
    parameters: Mapping[str, JsonValue] | None = None,
    max_per_hour: float | None = None,
) -> Gate:
    built = build_budget(policy, {}, budget=budget, max_per_hour=max_per_hour)
    return Gate(build_strategy(strategy, parameters or {}), built, seed=seed)


def play(gate: Gate, first: int, last: int) -> list[Decision]:
    return [*gate.decide(Batch.of([item(number) for number in range(first, last)]), NOON)]


def next_decision(gate: Gate, number: int, conditions: Conditions = NOON) -> Decision:
    """The decision on one item, of which the gate then knows nothing."""
    before = gate.state()
    (decision,) = gate.decide(Batch.of([item(number)]), conditions)
    gate.restore(before)
    return decision


class Counting(Strategy):
    """A strategy with a memory: the share of its window that has been filled.

    Args:
        window: how many items fill it.
    """

    name: ClassVar[str] = "counting"

    def __init__(self, window: Annotated[int, Range(low=1)] = 10) -> None:
        self.window = window
        self._seen = 0

    def score(self, batch: Batch) -> Vector:
        counts = self._seen + np.arange(len(batch))
        self._seen += len(batch)
        return np.minimum(1.0, counts / self.window)

    def state(self) -> JsonState:
        return {"seen": self._seen}

    def restore(self, state: JsonState) -> None:
        seen = state.get("seen", 0)
        assert isinstance(seen, int)
        self._seen = seen


def test_only_the_hashed_draw_decides() -> None:
    for decision, number in zip(play(gate(), 0, 300), range(300), strict=True):
        assert decision.query == (draw(7, f"event-{number}", "query") < decision.propensity)


def test_replicas_agree_and_another_seed_routes_others() -> None:
    assert play(gate(), 0, 500) == play(gate(), 0, 500)
    routed = [[d.query for d in play(gate(seed=seed), 0, 500)] for seed in (7, 8)]
    assert routed[0] != routed[1]


def test_a_gate_that_is_taken_back_decides_the_same_again() -> None:
    looked_at = gate(max_per_hour=100)
    play(looked_at, 0, 50)
    before = json.dumps(looked_at.state())
    assert len({next_decision(looked_at, 99) for _ in range(20)}) == 1
    assert json.dumps(looked_at.state()) == before


def test_a_decision_tells_what_led_to_it() -> None:
    decision = next_decision(gate("least_confidence"), 3)
    assert decision.strategy == "least_confidence"
    assert decision.score == build_strategy("least_confidence", {}).score(Batch.of([item(3)]))[0]
    assert decision.reason is Reason.AT_THRESHOLD
    assert decision.propensity == pytest.approx(0.1)


def test_inverse_propensity_weights_count_the_items() -> None:
    items = 20_000
    decisions = play(gate("entropy", budget=0.2), 0, items)
    estimate = sum(1 / d.propensity for d in decisions if d.query)
    deviation = sum((1 - d.propensity) / d.propensity for d in decisions) ** 0.5
    assert abs(estimate - items) < 4 * deviation


@pytest.mark.parametrize("policy", ["quantile", "fixed_threshold"])
def test_a_restored_gate_goes_on_as_if_nothing_had_happened(policy: str) -> None:
    original = gate(policy=policy, max_per_hour=500)
    play(original, 0, 400)
    restored = gate(policy=policy, max_per_hour=500)
    restored.restore(json.loads(json.dumps(original.state())))
    assert play(restored, 400, 800) == play(original, 400, 800)


def test_an_aborted_batch_leaves_no_trace() -> None:
    running = gate()
    play(running, 0, 100)
    committed = running.state()
    first = play(running, 100, 150)
    running.restore(committed)
    assert play(running, 100, 150) == first


def test_an_empty_state_is_a_fresh_start() -> None:
    used = gate()
    play(used, 0, 100)
    used.restore({})
    assert used.state() == gate().state()


def test_the_state_names_its_format_strategy_and_policies() -> None:
    state = gate(parameters={"source": "production"}, max_per_hour=10).state()
    assert state["format"] == STATE_FORMAT
    assert state["strategy"] == {
        "name": "margin",
        "parameters": {"source": "production"},
        "state": {},
    }
    policy = state["policy"]
    assert isinstance(policy, dict)
    assert set(policy) == {"quantile", "max_per_hour"}


@pytest.mark.parametrize("strategy", ["margin", "weighted_sum", "bandit"])
def test_its_state_needs_no_look_at_signatures(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = gate(strategy)
    before = asked.state()

    def look(_: object) -> object:
        raise AssertionError("a commit waits for this")

    monkeypatch.setattr("streamal.core.gate.parameters_of", look)
    monkeypatch.setattr("streamal.core.parameters.get_type_hints", look)
    assert asked.state() == before
    asked.restore(before)
    assert asked.state() == before


def test_a_state_of_another_format_is_not_read() -> None:
    used = gate()
    play(used, 0, 100)
    other = gate()
    other.restore({**used.state(), "format": STATE_FORMAT + 1})
    assert other.state() == gate().state()


@pytest.mark.parametrize("torn", [{"policy": None}, {"strategy": 3}, {"policy": {"quantile": []}}])
def test_parts_that_are_not_there_start_fresh(torn: JsonState) -> None:
    used = gate()
    used.restore({**used.state(), **torn})
    assert used.state() == gate().state()


def test_another_policy_starts_fresh_and_an_added_limit_costs_nothing() -> None:
    used = gate()
    play(used, 0, 100)
    other = gate(policy="fixed_threshold")
    other.restore(used.state())
    assert other.state() == gate(policy="fixed_threshold").state()
    limited = gate(max_per_hour=1e6)
    limited.restore(used.state())
    assert play(limited, 100, 200) == play(used, 100, 200)


def counting_gate(window: int = 10, policy: BudgetPolicy | None = None) -> Gate:
    return Gate(Counting(window), policy or build_budget("quantile", {}, budget=0.1), seed=1)


def test_a_strategy_with_a_memory_learns_of_every_item_and_restores_it() -> None:
    used = counting_gate()
    play(used, 0, 4)
    assert next_decision(used, 5).score == 0.4
    again = counting_gate()
    again.restore(json.loads(json.dumps(used.state())))
    assert next_decision(again, 5).score == 0.4


def test_another_strategy_starts_fresh_but_the_account_goes_on() -> None:
    used = counting_gate()
    play(used, 0, 40)
    for changed in (counting_gate(window=11), gate()):
        changed.restore(used.state())
        assert changed.state()["policy"] == used.state()["policy"]
    rewound = counting_gate(window=11)
    play(rewound, 0, 5)
    rewound.restore(used.state())
    assert next_decision(rewound, 5).score == 0.0


def test_more_exploration_costs_no_more() -> None:
    def course(exploration: float | None) -> list[Decision]:
        policy = build_budget("quantile", {}, budget=0.1, exploration=0.1)
        each = Gate(build_strategy("margin", {}), policy, seed=5)
        made: list[Decision] = []
        for number in range(0, 6_000, 50):
            conditions = Conditions(now=float(number), exploration=exploration)
            batch = Batch.of([item(number + place) for place in range(50)])
            made += each.decide(batch, conditions)
        return made

    usual, more = course(None), course(0.6)
    assert min(decision.propensity for decision in usual) == pytest.approx(0.01)
    assert min(decision.propensity for decision in more) == pytest.approx(0.06)
    for course_ in (usual, more):
        assert sum(decision.query for decision in course_) == pytest.approx(600, abs=40)


@pytest.mark.parametrize("policy", ["quantile", "propensity_sampling", "variable_threshold"])
def test_a_raised_budget_is_spent_now_and_saved_later(policy: str) -> None:
    budget = build_budget(policy, {}, budget=0.05, exploration=0.2)
    each = Gate(build_strategy("margin", {}), budget, seed=5)
    routed: list[bool] = []
    for number in range(0, 12_000, 50):
        conditions = Conditions(now=float(number), budget_factor=2.0 if number < 2_000 else 1.0)
        batch = Batch.of([item(number + place) for place in range(50)])
        routed += each.decide(batch, conditions).queries
    assert sum(routed[:2_000]) == pytest.approx(200, abs=30)
    assert sum(routed[2_000:6_000]) < 170
    assert sum(routed) == pytest.approx(600, abs=45)


def test_a_limit_stands_above_more_exploration() -> None:
    policy = build_budget("quantile", {}, budget=0.5, exploration=0.1, max_pending=5)
    each = Gate(build_strategy("margin", {}), policy, seed=5)
    busy = Conditions(now=0.0, pending=9, exploration=0.9)
    assert next_decision(each, 1, busy).propensity == pytest.approx(0.05)


def test_a_batch_that_stops_at_a_query_leaves_the_rest_undecided() -> None:
    stopping, going_on = gate(budget=0.05), gate(budget=0.05)
    decisions: list[Decision] = []
    while len(decisions) < 300:
        first = len(decisions)
        batch = Batch.of([item(number) for number in range(first, first + 20)])
        part = stopping.decide(batch, NOON, until_query=True)
        assert part.queries[-1] or len(part) == 20
        assert not any(part.queries[:-1])
        decisions += part
    assert decisions == play(going_on, 0, len(decisions))
    assert stopping.state() == going_on.state()


def test_an_advance_that_is_spent_costs_and_changes_nothing_more() -> None:
    conditions = Conditions(now=0.0)
    policy = build_budget("quantile", {}, budget=0.1, advance_labels=5.0)
    assert policy.in_force(conditions) is policy
    for _ in range(100):
        offer = policy.preview(0.5, conditions)
        policy.commit(0.5, offer, query=False, conditions=conditions)
    inner = policy.in_force(conditions)
    assert inner.name == "quantile"
    before = policy.state()["advance"]
    policy.commit(0.5, policy.preview(0.5, conditions), query=True, conditions=conditions)
    assert policy.state()["advance"] == before
