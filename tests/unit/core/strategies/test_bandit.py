"""The bandit: one strategy at a time, in the shares that the trainer found."""

from __future__ import annotations

from collections import Counter

import pytest
from numpy.random import default_rng

from streamal.core.batch import Batch
from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.strategies import Bandit, build_strategy
from streamal.core.types import Conditions, Context, Decision, JsonValue, Production
from tests.support.scoring import advice_on

NOON = Conditions(now=43_200.0)
PARTS: list[JsonValue] = [
    {"strategy": "margin"},
    {"strategy": "entropy", "parameters": {"source": "production"}},
]


def contexts(count: int, weights: dict[str, float] | None = None) -> list[Context]:
    """The model doubts all a little, production some of them much."""
    made = []
    for number, (p, q) in enumerate(default_rng(3).random((count, 2)).tolist()):
        model, production = {"a": 0.9 + p / 10, "b": 0.1 - p / 10}, {"a": q, "b": 1.0 - q}
        made.append(
            Context(
                f"e{number}",
                {},
                Production("a", production),
                model,
                strategy_weights=weights or {},
            )
        )
    return made


def played(items: list[Context], parts: list[JsonValue] = PARTS) -> list[Decision]:
    strategy = build_strategy("bandit", {"strategies": parts})
    gate = Gate(strategy, build_budget("quantile", {}, budget=0.1), seed=7)
    return list(gate.decide(Batch.of(items), NOON))


def steered(decisions: list[Decision]) -> Counter[str]:
    """Who is followed in what was not drawn by the exploration floor."""
    advised = [d for d in decisions if d.advice is not None and d.score >= d.threshold]
    return Counter(d.advice.followed for d in advised if d.advice is not None)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_each_part_gets_its_share_of_the_budget_whatever_its_scale(share: float) -> None:
    decisions = played(contexts(6000, {"margin": share, "entropy": 1 - share}))
    found = steered(decisions)
    assert found["margin"] / found.total() == pytest.approx(share, abs=0.07)
    assert sum(d.query for d in decisions) == pytest.approx(600, abs=20)


def test_without_weights_all_are_followed_alike() -> None:
    found = steered(played(contexts(6000)))
    assert found["margin"] / found.total() == pytest.approx(0.5, abs=0.07)


def test_a_part_that_scores_everything_alike_samples_at_random_and_hides_nobody() -> None:
    parts: list[JsonValue] = [{"strategy": "random"}, {"strategy": "margin"}]
    found = steered(played(contexts(6000), parts))
    assert found["random"] / found.total() == pytest.approx(0.5, abs=0.07)


def test_advice_comes_with_requests_only_and_explains_the_score() -> None:
    decisions = played(contexts(2000, {"margin": 0.7, "entropy": 0.3}))
    for decision in decisions:
        assert (decision.advice is not None) is decision.query
        if decision.advice is not None:
            assert decision.advice.ranks[decision.advice.followed] == decision.score
            assert decision.advice.mixture == {"margin": 0.7, "entropy": pytest.approx(0.3)}


def test_weights_of_parts_that_are_gone_and_of_new_ones() -> None:
    context = contexts(1, {"margin": 0.6, "density": 0.4})[0]
    advice = advice_on(build_strategy("bandit", {"strategies": PARTS}), context)
    assert advice is not None
    assert advice.mixture == pytest.approx({"margin": 0.6 / 1.1, "entropy": 0.5 / 1.1})
    nothing = contexts(1, {"margin": 0.0, "entropy": 0.0})[0]
    even = advice_on(build_strategy("bandit", {"strategies": PARTS}), nothing)
    assert even is not None
    assert even.mixture == {"margin": 0.5, "entropy": 0.5}


def test_the_mixture_follows_weights_that_change() -> None:
    strategy = build_strategy("bandit", {"strategies": PARTS})
    for weights in ({"margin": 1.0, "entropy": 0.0}, {"margin": 0.0, "entropy": 1.0}) * 2:
        advice = [advice_on(strategy, context) for context in contexts(20, weights)]
        (expected,) = (name for name, weight in weights.items() if weight)
        assert {each.followed for each in advice if each is not None} == {expected}
    none_yet = advice_on(strategy, contexts(1)[0])
    assert none_yet is not None
    assert none_yet.mixture == {"margin": 0.5, "entropy": 0.5}


def test_a_strategy_may_take_part_twice() -> None:
    parts: list[JsonValue] = [
        {"strategy": "entropy"},
        {"strategy": "entropy", "parameters": {"source": "production"}},
    ]
    advice = advice_on(build_strategy("bandit", {"strategies": parts}), contexts(1)[0])
    assert advice is not None
    assert set(advice.ranks) == {"entropy", "entropy 2"}


def test_advice_speaks_of_each_item_of_the_latest_batch() -> None:
    strategy, again = (build_strategy("bandit", {"strategies": PARTS}) for _ in range(2))
    items = contexts(100, {"margin": 0.7, "entropy": 0.3})
    scores = strategy.score(Batch.of(items)).tolist()
    advice = [strategy.advice(number) for number in range(100)]
    for context, score, found in zip(items, scores, advice, strict=True):
        assert found is not None
        assert found.ranks[found.followed] == score
        assert again.score(Batch.of([context])).tolist() == [score]
        assert again.advice(0) == found
    assert Bandit().advice(0) is None, "nothing was scored yet"


def test_other_strategies_give_no_advice() -> None:
    assert advice_on(build_strategy("margin", {}), contexts(1)[0]) is None
    advice = advice_on(Bandit(), contexts(1)[0])
    assert advice is not None
    assert advice.followed in {"margin", "expected_error", "random"}
