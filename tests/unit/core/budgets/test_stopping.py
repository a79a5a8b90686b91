"""Stopping: only exploration goes on while accuracy is high enough for sure."""

from __future__ import annotations

import pytest

from streamal.core.budgets import Stopping, build_budget
from streamal.core.chance import draw
from streamal.core.types import Conditions, Offer, Reason
from streamal.errors import SettingsInvalid


def offer(low: float | None, factor: float = 1.0, score: float = 0.9) -> Offer:
    policy = build_budget("fixed_threshold", {}, budget=0.1, stop_at_accuracy=0.9)
    return policy.preview(score, Conditions(now=0.0, accuracy_low=low, budget_factor=factor))


@pytest.mark.parametrize("low", [None, 0.0, 0.8999])
def test_not_sure_is_not_enough(low: float | None) -> None:
    assert offer(low).reason is Reason.ABOVE_THRESHOLD


@pytest.mark.parametrize("low", [0.9, 0.95, 1.0])
def test_enough_leaves_the_floor(low: float) -> None:
    assert offer(low).propensity == pytest.approx(0.02)
    assert offer(low).reason is Reason.STOPPED


def test_a_drift_that_is_being_answered_lifts_it() -> None:
    assert offer(0.95, factor=2.0).reason is Reason.ABOVE_THRESHOLD


def test_what_was_not_spent_does_not_come_back_as_a_flood() -> None:
    policy = build_budget("quantile", {}, budget=0.1, stop_at_accuracy=0.9)

    def routed(first: int, last: int, low: float) -> int:
        conditions, queries = Conditions(now=0.0, accuracy_low=low), 0
        for number in range(first, last):
            score = draw(1, str(number), "score")
            made = policy.preview(score, conditions)
            query = draw(1, str(number), "query") < made.propensity
            policy.commit(score, made, query=query, conditions=conditions)
            queries += query
        return queries

    assert routed(0, 2000, 0.5) == pytest.approx(200, abs=15)
    assert routed(2000, 7000, 0.95) == pytest.approx(100, abs=30)
    assert routed(7000, 9000, 0.85) == pytest.approx(200, abs=20)


def test_inside_the_other_limits() -> None:
    policy = build_budget(
        "fixed_threshold", {}, budget=0.1, stop_at_accuracy=0.9, max_pending=5, max_per_hour=100
    )
    conditions = Conditions(now=0.0, pending=9, accuracy_low=0.99)
    assert policy.preview(0.9, conditions).reason is Reason.MAX_PENDING
    assert policy.preview(0.9, conditions).propensity == pytest.approx(0.02)


@pytest.mark.parametrize("target", [0, 1, -0.1, 1.5, float("nan"), "0.9"])
def test_the_target_is_an_accuracy(target: float) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        build_budget("quantile", {}, budget=0.1, stop_at_accuracy=target)
    assert caught.value.problems[0].startswith(f"gate.stop_at_accuracy: {target!r} is not allowed")


def test_without_exploration_nobody_would_notice_the_loss() -> None:
    with pytest.raises(SettingsInvalid, match=r"gate\.exploration above 0"):
        build_budget("quantile", {}, budget=0.1, exploration=0, stop_at_accuracy=0.9)
    assert build_budget("quantile", {}, budget=0.1, stop_at_accuracy=0.9).name == Stopping.name
