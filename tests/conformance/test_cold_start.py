"""Every learner with every strategy and every policy starts from nothing and does not lock up.

Published gates do: a model that has seen one class is certain, certain items are not asked about,
and the second class is never seen.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from streamal.core.assess import Items, Seats, assess
from streamal.core.batch import Outputs
from streamal.core.budgets import BUDGETS, build_budget
from streamal.core.features import FeatureColumns
from streamal.core.gate import Gate
from streamal.core.learners import LEARNERS, OnlineModel, build_model
from streamal.core.strategies import STRATEGIES, build_strategy
from streamal.core.types import Conditions, Production

EVENTS: Final = 60
BUDGET: Final = 0.3
NOON: Final = Conditions(now=43_200.0)


def arrived(number: int) -> Items:
    """An event of which nothing but two numbers and production's class are known."""
    features = FeatureColumns([{"x": float(number % 7), "y": float(number % 3)}])
    return Items([f"e{number}"], features, Outputs.of([Production("a")]))


def probe() -> tuple[FeatureColumns, Outputs]:
    return FeatureColumns([{"x": 1.0, "y": 1.0}]), Outputs.of([Production("a")])


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
        items = arrived(number)
        batch = assess(items, model, gate.strategy, Seats()).batch
        (decision,) = gate.decide(batch, NOON)
        if decision.query:
            asked[late] += 1
            label = "b" if late and number % 2 else "a"
            context = batch.item(0)
            model.credit(context.features, context.production, label, decision.selection)
            model.learn(context.features, context.production, label, event_id=context.event_id)
    return model, min(asked)


@pytest.mark.parametrize(("strategy", "learner"), [*product(STRATEGIES, LEARNERS)])
def test_every_learner_strategy_and_policy_start_from_cold(strategy: str, learner: str) -> None:
    for policy in BUDGETS:
        model, asked = started(learner, strategy, policy)
        assert asked >= 2, f"{policy} locked up"
        known = model.outlook(*probe()).probabilities.top_classes()
        assert known[0] in {"a", "b"}, policy
