"""Bootstraps by hash: distribution, independence, reproducibility."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from streamal.core.chance import draw
from streamal.core.learners import build_learner
from streamal.core.learners.committee import poisson_one
from tests.support.single import members_of, probabilities_of


def test_poisson_counts_have_the_right_frequencies() -> None:
    n = 20_000
    counts = Counter(poisson_one(draw(3, f"event-{i}", "bagging 0")) for i in range(n))
    for k in range(5):
        expected = math.exp(-1) / math.factorial(k)
        assert counts[k] / n == pytest.approx(expected, abs=4 * math.sqrt(expected / n))


def test_the_largest_draw_ends() -> None:
    assert poisson_one(1.0 - 2.0**-53) < 25


def test_members_disagree_but_serve_the_model_that_saw_every_label() -> None:
    alone = build_learner("logistic_regression", parameters={}, committee_size=0, seed=4)
    committee = build_learner("logistic_regression", parameters={}, committee_size=6, seed=4)
    for index in range(60):
        x, label = {"x": math.sin(index * 12.9898)}, "ab"[index % 7 > 3]
        alone.learn(x, label, event_id=str(index))
        committee.learn(x, label, event_id=str(index))
    probe = {"x": 0.3}
    assert probabilities_of(committee, probe) == probabilities_of(alone, probe)
    members = members_of(committee, probe)
    assert len({member["a"] for member in members}) == 6
    assert members_of(alone, probe) == ()


def test_bootstraps_depend_on_the_event_and_the_seed_only() -> None:
    def committee(seed: int, prefix: str) -> tuple[object, ...]:
        learner = build_learner("logistic_regression", parameters={}, committee_size=4, seed=seed)
        for index in range(40):
            learner.learn({"x": float(index % 5)}, "ab"[index % 2], event_id=f"{prefix}{index}")
        return members_of(learner, {"x": 2.0})

    assert committee(1, "e") == committee(1, "e")
    assert committee(1, "e") != committee(2, "e")
    assert committee(1, "e") != committee(1, "f")
