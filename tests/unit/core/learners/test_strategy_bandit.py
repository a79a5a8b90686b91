"""Exp4.P on a stream of labels: credit where it is due, and not for ever."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest

from streamal.core.chance import draw
from streamal.core.learners import build_model
from streamal.core.learners.strategy_bandit import DELTA, HORIZON_LABELS, StrategyBandit
from streamal.core.types import Advice, Production, Selection

FLOOR = sqrt(log(2) / (2 * HORIZON_LABELS))


def asked(by: dict[str, float], mixture: dict[str, float] | None = None) -> Selection:
    """A label that was asked for by those whose rank reaches 0.9."""
    shares = mixture or dict.fromkeys(by, 1 / len(by))
    return Selection(1.0, 0.9, Advice(next(iter(by)), shares, by))


BY_GOOD, BY_POOR = asked({"good": 0.95, "poor": 0.1}), asked({"good": 0.1, "poor": 0.95})


def test_without_a_reward_there_is_no_mixture() -> None:
    bandit = StrategyBandit()
    bandit.credit(Selection(0.5, 0.5), wrong=True)
    assert bandit.mixture == {}


def test_one_step_by_hand() -> None:
    bandit = StrategyBandit()
    bandit.credit(BY_GOOD, wrong=True)
    width = sqrt(log(2 / DELTA) / (2 * HORIZON_LABELS)) / 0.5
    good = exp(FLOOR / 2 * (1 / 0.5 + width))
    poor = exp(FLOOR / 2 * width)
    share = good / (good + poor)
    share = (1 - 1 / HORIZON_LABELS) * share + 0.5 / HORIZON_LABELS
    assert bandit.mixture["good"] == pytest.approx((1 - 2 * FLOOR) * share + FLOOR)


def followed(bandit: StrategyBandit, rounds: int, news: dict[str, float]) -> None:
    """Labels come by the mixture; each is news with its strategy's probability."""
    for number in range(rounds):
        mixture = dict(bandit.mixture) or {"good": 0.5, "poor": 0.5}
        name = "good" if draw(1, str(number), "whom") < mixture["good"] else "poor"
        ranks = {other: 0.95 if other == name else 0.1 for other in mixture}
        bandit.credit(asked(ranks, mixture), wrong=draw(1, str(number), "news") < news[name])


def test_whose_labels_are_news_is_followed_more_and_nobody_is_given_up() -> None:
    bandit = StrategyBandit()
    followed(bandit, 3000, {"good": 0.4, "poor": 0.1})
    assert bandit.mixture["good"] > 0.65
    assert bandit.mixture["poor"] >= FLOOR
    assert sum(bandit.mixture.values()) == pytest.approx(1.0)


def test_a_label_that_all_asked_for_changes_nothing() -> None:
    bandit = StrategyBandit()
    for _ in range(500):
        bandit.credit(asked({"one": 0.9, "two": 1.0}), wrong=True)
    assert bandit.mixture == pytest.approx({"one": 0.5, "two": 0.5})


def test_what_exploration_found_is_nobody_s_merit() -> None:
    bandit = StrategyBandit()
    for _ in range(50):
        bandit.credit(asked({"one": 0.2, "two": 0.3}), wrong=True)
    assert bandit.mixture == pytest.approx({"one": 0.5, "two": 0.5})


def test_the_less_it_is_followed_the_more_a_success_counts() -> None:
    rare, usual = StrategyBandit(), StrategyBandit()
    rare.credit(asked({"a": 0.95, "b": 0.0}, {"a": 0.1, "b": 0.9}), wrong=True)
    usual.credit(asked({"a": 0.95, "b": 0.0}, {"a": 0.9, "b": 0.1}), wrong=True)
    assert rare.mixture["a"] > usual.mixture["a"] > 0.5


def test_old_merits_fade() -> None:
    bandit = StrategyBandit()
    followed(bandit, 3000, {"good": 0.4, "poor": 0.1})
    before = bandit.mixture["good"]
    followed(bandit, 4 * HORIZON_LABELS, {"good": 0.1, "poor": 0.4})
    assert before > 0.65
    assert bandit.mixture["good"] < 0.45


def test_a_strategy_that_joins_starts_in_the_middle() -> None:
    bandit = StrategyBandit()
    for _ in range(300):
        bandit.credit(BY_GOOD, wrong=True)
    mixture = {"good": 0.4, "poor": 0.3, "new": 0.3}
    bandit.credit(asked({"good": 0.1, "poor": 0.1, "new": 0.1}, mixture), wrong=True)
    assert bandit.mixture["poor"] < bandit.mixture["new"] < bandit.mixture["good"]


def test_the_model_rewards_what_it_did_not_know() -> None:
    model = build_model("logistic_regression", parameters={})
    production = Production("a")
    for number in range(60):
        x, selection = ((1.0, BY_GOOD), (-1.0, BY_POOR))[number % 2]
        label = "ab"[number % 4 // 2] if x > 0 else "b"  # a coin above, always the same below
        model.credit({"x": x}, production, label, selection)
        model.learn({"x": x}, production, label, event_id=str(number))
    assert model.strategy_weights["good"] > 0.55


def test_labels_without_advice_leave_the_weights_alone() -> None:
    model = build_model("logistic_regression", parameters={})
    model.credit({"x": 1.0}, Production(), "a", Selection(0.5, 0.5))
    assert model.strategy_weights == {}
