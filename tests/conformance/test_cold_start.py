"""Every learner with every strategy and every policy starts from nothing and does not lock up.

Published gates do: a model that has seen one class is certain, certain items are not asked about,
and the second class is never seen.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from streamal.core.budgets import BUDGETS, build_budget
from streamal.core.gate import Gate
from streamal.core.learners import LEARNERS, OnlineModel, build_model
from streamal.core.strategies import STRATEGIES, Strategy, build_strategy
from streamal.core.types import Conditions, Context, Production, top_class

EVENTS: Final = 60
BUDGET: Final = 0.3
NOON: Final = Conditions(now=43_200.0)


def appraised(model: OnlineModel, number: int, strategy: Strategy) -> Context:
    """An event of which nothing but two numbers and production's class are known."""
    features = {"x": float(number % 7), "y": float(number % 3)}
    production = Production("a")
    outlook = model.outlook(features, production)
    return Context(
        event_id=f"e{number}",
        features=features,
        production=production,
        model=outlook.probabilities,
        committee=outlook.committee,
        expected_correct=outlook.expected_correct,
        boundary_distance=model.boundary_distance(features, production)
        if strategy.asks_boundary
        else None,
        strategy_weights=model.strategy_weights,
        labelled=model.labelled(margins=strategy.asks_boundary),
        lookahead=model.lookahead(features, production, event_id=f"e{number}")
        if strategy.asks_lookahead
        else None,
    )


def started(learner: str, strategy: str, policy: str) -> tuple[OnlineModel, int]:
    """The model after some events, and how many of them were asked about.

    All of the first half are of class "a", which is where a gate would lock up.
    """
    gate = Gate(build_strategy(strategy, {}), build_budget(policy, {}, budget=BUDGET), seed=2)
    size = 2 if gate.strategy.asks_committee else 0
    model = build_model(
        learner,
        parameters={},
        committee_size=size,
        keep_labelled=gate.strategy.asks_labelled,
        seed=2,
    )
    asked = [0, 0]
    for number in range(EVENTS):
        late = number >= EVENTS // 2
        context = appraised(model, number, gate.strategy)
        decision = gate.decide(context, NOON)
        gate.commit(context, decision, NOON)
        if decision.query:
            asked[late] += 1
            label = "b" if late and number % 2 else "a"
            model.credit(context.features, context.production, label, decision.selection)
            model.learn(context.features, context.production, label, event_id=context.event_id)
    return model, min(asked)


@pytest.mark.parametrize(("strategy", "learner"), [*product(STRATEGIES, LEARNERS)])
def test_every_learner_strategy_and_policy_start_from_cold(strategy: str, learner: str) -> None:
    for policy in BUDGETS:
        model, asked = started(learner, strategy, policy)
        assert asked >= 2, f"{policy} locked up"
        known = model.outlook({"x": 1.0, "y": 1.0}, Production("a")).probabilities
        assert top_class(known) in {"a", "b"}, policy
