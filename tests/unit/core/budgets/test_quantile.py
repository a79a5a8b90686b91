"""The quantile policy: exact at ties, and at the budget whatever the scores do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from streamal.core.budgets import Quantile
from streamal.core.budgets.base import BudgetPolicy
from streamal.core.budgets.spend import RESPONSE_LABELS
from streamal.core.types import Conditions, Offer, Reason

NOON = Conditions(now=43_200.0)

Numbers = NDArray[np.float64]
Scores = Callable[[int, Generator], Numbers]


def constant(score: float) -> Scores:
    return lambda n, _rng: np.full(n, score)


def around(means: Callable[[Numbers], Numbers], deviation: float) -> Scores:
    """Normal scores around means that depend on the item's number and on the last one's."""
    return lambda n, rng: rng.normal(means(np.arange(float(n))), deviation).clip(0.0, 1.0)


def two_values(n: int, rng: Generator) -> Numbers:
    return (rng.random(n) < 0.07).astype(np.float64)


STREAMS: dict[str, Scores] = {
    "uniform": lambda n, rng: rng.random(n),
    "skewed": lambda n, rng: rng.beta(2, 8, n),
    "tied": lambda n, rng: rng.beta(2, 5, n).round(1),
    "two values": two_values,
    "all 0": constant(0.0),
    "all 0.5": constant(0.5),
    "all 1": constant(1.0),
    "slowly up": around(lambda i: 0.2 + 0.6 * i / i[-1], 0.1),
    "slowly down": around(lambda i: 0.8 - 0.6 * i / i[-1], 0.1),
    "jumps": around(lambda i: np.where(i // 10_000 % 2 == 1, 0.8, 0.2), 0.05),
    "seasons": around(lambda i: 0.5 + 0.3 * np.sin(i / 800), 0.1),
}

#: No noise at all: in a rising stream every score is the highest so far, in a falling the lowest.
RELENTLESS: dict[str, Scores] = {
    "rising": lambda n, _rng: np.linspace(0.0, 1.0, n),
    "falling": lambda n, _rng: np.linspace(1.0, 0.0, n),
    "sorted batches": lambda n, _rng: np.arange(n) % 3000 / 3000,
    "reversely sorted batches": lambda n, _rng: 1.0 - np.arange(n) % 3000 / 3000,
}


@dataclass
class Course:
    spent: int = 0
    most_over: float = 0.0
    most_under: float = 0.0


def play(
    policy: Quantile, scores: Iterable[float], seed: int = 1
) -> list[tuple[float, Offer, bool]]:
    """Decide and commit every score; with each its offer and whether it was routed."""
    values = list(scores)
    course = []
    for score, drawn in zip(values, default_rng(seed).random(len(values)).tolist(), strict=True):
        offer = policy.preview(score, NOON)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=NOON)
        course.append((score, offer, query))
    return course


def run(policy: Quantile, scores: Iterable[float], seed: int = 1) -> Course:
    """How far the spend was from the budget, in labels, over a stream."""
    course = Course()
    for count, (_, _, query) in enumerate(play(policy, scores, seed), start=1):
        course.spent += query
        error = course.spent - policy.budget * count
        course.most_over = max(course.most_over, error)
        course.most_under = max(course.most_under, -error)
    return course


def stream(scores: Scores, items: int, seed: int = 1) -> list[float]:
    values: list[float] = scores(items, default_rng(1000 + seed)).tolist()
    return values


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    ("budget", "items"),
    [
        (0.005, 100_000),
        (0.01, 60_000),
        (0.02, 40_000),
        (0.05, 20_000),
        (0.1, 20_000),
        (0.25, 20_000),
        (0.5, 20_000),
    ],
)
def test_long_run_spend_is_the_budget(budget: float, items: int, name: str) -> None:
    course = run(Quantile(budget), stream(STREAMS[name], items))
    assert course.spent == pytest.approx(budget * items, rel=0.02)
    assert course.most_over < RESPONSE_LABELS + 5
    assert course.most_under < RESPONSE_LABELS * math.log(1 / budget) + 10


@pytest.mark.parametrize("name", RELENTLESS)
@pytest.mark.parametrize("budget", [0.005, 0.05, 0.5])
def test_even_relentless_scores_move_the_account_no_further_than_derived(
    budget: float, name: str
) -> None:
    course = run(Quantile(budget), stream(RELENTLESS[name], 30_000))
    assert course.most_over < RESPONSE_LABELS + 5
    assert course.most_under < RESPONSE_LABELS * math.log(1 / budget) + 10


@pytest.mark.parametrize("exploration", [0.0, 0.5, 0.9])
def test_exploration_is_paid_from_the_budget(exploration: float) -> None:
    course = run(Quantile(0.05, exploration), stream(STREAMS["skewed"], 30_000))
    assert course.spent == pytest.approx(1500, rel=0.02)


def test_a_budget_of_one_routes_everything() -> None:
    assert run(Quantile(1.0), stream(STREAMS["uniform"], 500)).spent == 500


def test_before_any_score_all_items_are_alike() -> None:
    offer = Quantile(0.05).preview(0.3, NOON)
    assert offer.propensity == pytest.approx(0.05)
    assert offer.threshold == 0.3
    assert offer.reason is Reason.AT_THRESHOLD


def _after(scores: list[float], budget: float, exploration: float) -> Quantile:
    """A policy with these scores in its window and a debt of zero."""
    policy = Quantile(budget, exploration, window=len(scores))
    play(policy, scores * 2)
    state = policy.state()
    own = state["quantile"]
    assert isinstance(own, dict)
    policy.restore({"quantile": {**own, "debt": 0.0}})
    return policy


def test_the_top_share_is_routed_for_sure_and_the_rest_explored() -> None:
    policy = _after([i / 100 for i in range(100)], budget=0.1, exploration=0.2)
    sure, unlikely = policy.preview(0.99, NOON), policy.preview(0.5, NOON)
    assert (sure.propensity, sure.reason) == (1.0, Reason.ABOVE_THRESHOLD)
    assert unlikely.propensity == pytest.approx(0.02)
    assert unlikely.reason is Reason.EXPLORATION
    # (0.1 - 0.02) / 0.98 of the items are above: 8 of 100.
    assert sure.threshold == unlikely.threshold == pytest.approx(0.91)


def test_equals_at_the_threshold_share_what_is_left() -> None:
    # 5 % score 0.9, and half of the 10 % that may be routed are left for the 50 % that score 0.5.
    policy = _after([0.9] * 50 + [0.5] * 500 + [0.1] * 450, budget=0.1, exploration=0.0)
    assert policy.preview(0.9, NOON).propensity == 1.0
    at = policy.preview(0.5, NOON)
    assert at.propensity == pytest.approx(0.1, abs=0.002)
    assert at.reason is Reason.AT_THRESHOLD
    assert policy.preview(0.1, NOON).propensity == 0.0


def test_routed_items_are_the_top_scores() -> None:
    course = play(Quantile(0.05), stream(STREAMS["uniform"], 20_000))
    routed = [score for score, _, query in course if query]
    top = sum(score > 0.95 for score in routed) / len(routed)
    # A fifth explores, the rest should come from the top 5 %; the threshold moves a little.
    assert 0.7 < top < 0.85


def test_realised_propensities_are_the_stated_ones() -> None:
    course = play(Quantile(0.1), stream(STREAMS["tied"], 20_000))
    for reason in (Reason.EXPLORATION, Reason.AT_THRESHOLD):
        offered = [(o.propensity, query) for _, o, query in course if o.reason is reason]
        surprise = sum(query - propensity for propensity, query in offered)
        variance = sum(propensity * (1 - propensity) for propensity, _ in offered)
        assert abs(surprise) < 4 * variance**0.5


def test_reviewers_who_come_back_are_not_flooded() -> None:
    policy = Quantile(0.05)
    play(policy, stream(STREAMS["uniform"], 2_000))
    for score in stream(STREAMS["uniform"], 20_000, seed=2):
        limited = Offer(0.0, policy.preview(score, NOON).threshold, Reason.RATE_LIMITED)
        policy.commit(score, limited, query=False, conditions=NOON)
    # Without the limit 1,000 would have been routed in the meantime.
    assert run(policy, stream(STREAMS["uniform"], 500, seed=3), seed=3).spent < 50


def test_another_budget_or_window_keeps_what_is_owed_and_known() -> None:
    policy = Quantile(0.1, window=100)
    run(policy, stream(STREAMS["skewed"], 500))
    changed = Quantile(0.2, window=50)
    changed.restore(policy.state())
    before, after = policy.state()["quantile"], changed.state()["quantile"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["debt"] == before["debt"]
    assert isinstance(before["scores"], str)
    assert isinstance(after["scores"], str)
    # 50 of 100 single precision numbers: the second half of the encoded bytes.
    assert 0.45 < len(after["scores"]) / len(before["scores"]) < 0.55


@pytest.mark.parametrize("decimals", [1, 17])
def test_a_batch_is_decided_as_previews_and_commits_decide_it(decimals: int) -> None:
    """Also where the budget is raised in between, and where the loan is paid back."""
    random, one, many = default_rng(3), Quantile(0.1, window=40), Quantile(0.1, window=40)
    for number in range(60):
        scores = random.random(random.integers(0, 30)).round(decimals).tolist()
        drawn = random.random(len(scores)).tolist()
        conditions = Conditions(
            now=0.0,
            budget_factor=2.0 if 10 <= number < 15 else 1.0,
            exploration=0.5 if 30 <= number < 35 else None,
        )
        until_query = number % 4 == 0
        expected = BudgetPolicy.decide(one, scores, drawn, conditions, until_query=until_query)
        assert many.decide(scores, drawn, conditions, until_query=until_query) == expected
        assert many.state() == one.state()
