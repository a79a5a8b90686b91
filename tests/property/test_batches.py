"""A batch decides exactly as its items one by one: scores, propensities, draws and what is kept.

Whatever the batch sizes are, also where a transaction fails in between and its events are decided
again, and where another gate takes over.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final

import numpy as np
import pytest

from streamal.core.assess import Items, Seats, assess
from streamal.core.batch import Outputs
from streamal.core.budgets import BUDGETS, build_budget
from streamal.core.features import FeatureColumns
from streamal.core.gate import Gate
from streamal.core.learners import LEARNERS, Model, build_model
from streamal.core.strategies import build_strategy, strategies_for
from streamal.core.types import Conditions, Features, Production, Task

CONDITIONS: Final = Conditions(now=43_200.0, pending=1)
CLASSES: Final = ("cat", "dog", "owl")
STRATEGIES: Final = strategies_for(Task.CLASSIFICATION)
SEATS: Final = Seats(production=True)


def stream(events: int) -> tuple[list[Features], list[Production], list[str]]:
    """Mixed features with gaps, production's probabilities, and the truth."""
    draw = np.random.default_rng(11)
    features: list[Features] = []
    production: list[Production] = []
    truths: list[str] = []
    for _ in range(events):
        x, y = draw.normal(size=2).tolist()
        truths.append(CLASSES[int(x + 0.4 * draw.normal() > 0) + int(y > 1.0)])
        row: dict[str, Any] = {"x": x, "y": y if draw.random() > 0.1 else None}
        if draw.random() > 0.3:
            row["colour"] = ("red", "blue", "green")[draw.integers(3)]
        if draw.random() > 0.8:
            row["place"] = (x * y, 1.0)
        features.append(row)
        p = dict(zip(CLASSES, draw.dirichlet([1.0, 1.0, 0.5]).tolist(), strict=True))
        production.append(Production(max(p, key=lambda label: p[label]), p))
    return features, production, truths


FEATURES, PRODUCTION, TRUTHS = stream(140)
#: Items that the model has learned before; the gate decides the others.
LEARNED: Final = 60


def taught(learner: str, committee: int) -> Model:
    model = build_model(
        learner, parameters={}, committee_size=committee, keep_labelled=True, seed=3
    )
    for number in range(LEARNED):
        model.learn(FEATURES[number], PRODUCTION[number], TRUTHS[number], event_id=f"e{number}")
    return model


def fresh_gate(strategy: str, policy: str) -> Gate:
    budget = build_budget(policy, {}, budget=0.2, advance_labels=3.0, max_per_hour=500.0)
    return Gate(build_strategy(strategy, {}), budget, seed=9)


def play(gate: Gate, model: Model, sizes: Iterator[int], fails: float = 0.0) -> list[Any]:
    """Everything that is decided, in batches of these sizes, some of which are taken back."""
    draw, start = np.random.default_rng(1), LEARNED
    decided: list[Any] = []
    while start < len(FEATURES):
        stop = min(len(FEATURES), start + next(sizes))
        items = Items(
            [f"e{number}" for number in range(start, stop)],
            FeatureColumns(FEATURES[start:stop]),
            Outputs.of(PRODUCTION[start:stop]),
        )
        before = json.dumps(gate.state())
        known = assess(items, model, gate.strategy, SEATS)
        decisions = gate.decide(known.batch, CONDITIONS)
        if draw.random() < fails:
            gate.restore(json.loads(before))
            continue
        decided += zip(decisions, known.outlooks.expected_correct.tolist(), strict=True)
        start = stop
    return decided


def check(strategy: str, policy: str, learner: str, committee: int) -> None:
    model = taught(learner, committee)
    one, many, failing = (fresh_gate(strategy, policy) for _ in range(3))
    expected = play(one, model, cycle([1]))
    sizes = cycle(np.random.default_rng(4).integers(1, 40, 50).tolist())
    assert play(many, model, sizes) == expected
    assert many.state() == one.state()
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    assert play(failing, again, cycle([7, 1, 30]), fails=0.4) == expected
    assert failing.state() == one.state()
    assert any(decision.query for decision, _ in expected)


#: A window is decided as a whole: its size is the policy's, not the batch's.
ONE_BY_ONE: Final = [name for name in BUDGETS if name != "windowed_top_k"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategies_and_policies(strategy: str) -> None:
    for policy in ONE_BY_ONE:
        check(strategy, policy, "logistic_regression", committee=3)


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners(learner: str) -> None:
    for strategy in ("margin", "entropy", "expected_error"):
        check(strategy, "quantile", learner, committee=0)
    check("vote_entropy", "quantile", learner, committee=4)
