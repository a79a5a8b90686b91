"""Every policy that promises to spend the budget: over long streams, at any time, and quickly."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from streamal.core.budgets import BUDGETS, BudgetPolicy, build_budget
from streamal.core.budgets.spend import RESPONSE_LABELS
from streamal.core.types import Conditions

NOON = Conditions(now=43_200.0)

#: `fixed_threshold` may spend less by nature; `quantile` has these tests in a file of its own, as
#: has `windowed_top_k`, which gets many items at once.
NAMES = sorted(set(BUDGETS) - {"fixed_threshold", "quantile", "windowed_top_k"})

Numbers = NDArray[np.float64]
Scores = Callable[[int, Generator], Numbers]


def around(means: Callable[[Numbers], Numbers], deviation: float) -> Scores:
    """Normal scores around means that depend on the item's number."""
    return lambda n, rng: rng.normal(means(np.arange(float(n))), deviation).clip(0.0, 1.0)


def cold_start(n: int, rng: Generator) -> Numbers:
    """All is maximally uncertain, and then a model knows nearly everything."""
    return np.where(np.arange(n) < n // 10, 1.0, rng.beta(1, 8, n))


STREAMS: dict[str, Scores] = {
    "uniform": lambda n, rng: rng.random(n),
    "tied": lambda n, rng: rng.beta(2, 5, n).round(1),
    "two values": lambda n, rng: (rng.random(n) < 0.07).astype(np.float64),
    "close to 0": lambda n, rng: rng.beta(1, 200, n),
    "all 0": lambda n, _rng: np.zeros(n),
    "all 0.3": lambda n, _rng: np.full(n, 0.3),
    "all 1": lambda n, _rng: np.ones(n),
    "slowly up": around(lambda i: 0.2 + 0.6 * i / i[-1], 0.1),
    "slowly down": around(lambda i: 0.8 - 0.6 * i / i[-1], 0.1),
    "jumps": around(lambda i: np.where(i // 10_000 % 2 == 1, 0.8, 0.2), 0.05),
    "cold start": cold_start,
}

#: No noise at all: in a rising stream every score is the highest so far, in a falling the lowest.
RELENTLESS: dict[str, Scores] = {
    "rising": lambda n, _rng: np.linspace(0.0, 1.0, n),
    "falling": lambda n, _rng: np.linspace(1.0, 0.0, n),
    "sorted batches": lambda n, _rng: np.arange(n) % 3000 / 3000,
    "reversely sorted batches": lambda n, _rng: 1.0 - np.arange(n) % 3000 / 3000,
    "all or nothing": lambda n, _rng: (np.arange(n) // 3000 % 2 == 0).astype(np.float64),
}


def errors(policy: BudgetPolicy, scores: Numbers, seed: int = 1) -> list[float]:
    """Overspend in labels after each item of a stream."""
    spent, course = 0, []
    draws = default_rng(seed).random(len(scores)).tolist()
    for count, (score, drawn) in enumerate(zip(scores.tolist(), draws, strict=True), start=1):
        offer = policy.preview(score, NOON)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=NOON)
        spent += query
        course.append(spent - policy.budget * count)
    return course


def most_under(name: str, budget: float) -> float:
    """The underspend that the policy's docstring states, in labels, and a few for chance."""
    response = RESPONSE_LABELS * math.log(1 / budget)
    stated = {
        "balanced_incremental_quantile_filter": 50 + 100 * budget,
        "propensity_sampling": response,
        "randomised_variable_threshold": response + 2 * budget / 0.01,
        "split": response + budget / 0.01,
        "variable_threshold": response + budget / 0.01,
    }
    return stated[name] + 10


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("budget", "items"), [(0.005, 100_000), (0.05, 20_000), (0.5, 10_000)])
def test_long_run_spend_is_the_budget(budget: float, items: int, name: str, stream: str) -> None:
    scores = STREAMS[stream](items, default_rng(1001))
    course = errors(build_budget(name, {}, budget=budget), scores)
    assert abs(course[-1]) <= 0.02 * budget * items
    assert max(course) < RESPONSE_LABELS + 5
    assert -min(course) < most_under(name, budget)


@pytest.mark.parametrize("stream", RELENTLESS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [0.005, 0.05, 0.5])
def test_even_relentless_scores_move_the_account_no_further_than_stated(
    budget: float, name: str, stream: str
) -> None:
    scores = RELENTLESS[stream](15_000, default_rng(1002))
    course = errors(build_budget(name, {}, budget=budget), scores)
    assert max(course) < RESPONSE_LABELS + 5
    assert -min(course) < most_under(name, budget)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exploration", [0.0, 0.5, 0.9])
def test_exploration_is_paid_from_the_budget(name: str, exploration: float) -> None:
    policy = build_budget(name, {}, budget=0.05, exploration=exploration)
    course = errors(policy, default_rng(7).beta(2, 8, 30_000))
    assert abs(course[-1]) <= 0.02 * 1500


@pytest.mark.parametrize("name", NAMES)
def test_a_budget_of_one_routes_everything(name: str) -> None:
    course = errors(build_budget(name, {}, budget=1.0), default_rng(7).random(500))
    assert course[-1] == 0.0


def play(policy: BudgetPolicy, scores: Numbers) -> list[tuple[float, bool]]:
    course = []
    for score, drawn in zip(scores.tolist(), default_rng(4).random(len(scores)), strict=True):
        offer = policy.preview(score, NOON)
        query = bool(drawn < offer.propensity)
        policy.commit(score, offer, query=query, conditions=NOON)
        course.append((score, query))
    return course


@pytest.mark.parametrize("name", NAMES)
def test_higher_scores_get_more_of_the_budget(name: str) -> None:
    policy, scores = build_budget(name, {}, budget=0.1), default_rng(3).random(20_000)
    routed = [score for score, drawn in play(policy, scores) if drawn]
    assert float(np.mean(routed)) > 0.56


@pytest.mark.parametrize("name", NAMES)
def test_stated_propensities_are_the_realised_ones(name: str) -> None:
    policy, surprise, variance = build_budget(name, {}, budget=0.1), 0.0, 0.0
    for score, drawn in default_rng(5).random((20_000, 2)).tolist():
        offer = policy.preview(score, NOON)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=NOON)
        surprise += (query - offer.propensity) * score
        variance += offer.propensity * (1.0 - offer.propensity) * score**2
    assert abs(surprise) < 4 * variance**0.5


@pytest.mark.parametrize("name", NAMES)
def test_reviewers_who_come_back_are_not_flooded(name: str) -> None:
    policy, rng = build_budget(name, {}, budget=0.05, max_pending=1), default_rng(6)
    errors(policy, rng.random(2_000))
    away = Conditions(now=NOON.now, pending=5)
    for score in rng.random(20_000).tolist():
        policy.commit(score, policy.preview(score, away), query=False, conditions=away)
    # Without the limit 1,000 would have been routed in the meantime.
    assert errors(policy, rng.random(500))[-1] < 25
