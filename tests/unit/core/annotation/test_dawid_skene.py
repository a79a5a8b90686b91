"""Dawid and Skene's model: the posterior by hand, and the fit by crowd-kit where it is there."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable

import pytest

from streamal.core.annotation import DawidSkene, Fit, Vote

FIT = Fit(
    priors={"a": 0.5, "b": 0.5},
    errors={
        "good": {"a": {"a": 0.9, "b": 0.1}, "b": {"a": 0.2, "b": 0.8}},
        "liar": {"a": {"a": 0.1, "b": 0.9}, "b": {"a": 0.9, "b": 0.1}},
    },
)


def test_the_posterior_is_bayes_rule_on_the_matrices() -> None:
    posterior = FIT.posterior([Vote("good", "a"), Vote("liar", "b")])
    assert posterior["a"] == pytest.approx(0.9 * 0.9 / (0.9 * 0.9 + 0.2 * 0.1))
    assert sum(posterior.values()) == pytest.approx(1)


def test_strangers_are_left_out_and_strange_classes_need_another_rule() -> None:
    alone = FIT.posterior([Vote("good", "a")])
    assert FIT.posterior([Vote("good", "a"), Vote("new", "b")]) == pytest.approx(alone)
    assert FIT.posterior([Vote("new", "a")]) == {}
    assert FIT.posterior([Vote("good", "c")]) == {}


def test_what_was_never_seen_is_rare_and_not_impossible() -> None:
    fit = Fit({"a": 1.0, "b": 0.0}, {"w": {"a": {"a": 1.0}, "b": {"b": 1.0}}})
    posterior = fit.posterior([Vote("w", "b")])
    assert 0 < posterior["b"] < 1


def test_the_fit_finds_the_liar(require_or_skip: Callable[[str, str | None], None]) -> None:
    found = importlib.util.find_spec("crowdkit")
    require_or_skip("crowd-kit", None if found else "crowd-kit is not installed")
    draws = random.Random(3)
    panels = []
    for _ in range(300):
        truth = draws.choice("ab")
        other = "b" if truth == "a" else "a"
        panels.append(
            {
                name: truth if draws.random() < right else other
                for name, right in (("ann", 0.95), ("bob", 0.9), ("mal", 0.1))
            }
        )
    fit = DawidSkene().fit(panels)
    assert set(fit.priors) == {"a", "b"}
    assert fit.errors["ann"]["a"]["a"] == pytest.approx(0.95, abs=0.05)
    assert fit.errors["mal"]["b"]["a"] == pytest.approx(0.9, abs=0.08)
    assert fit.posterior([Vote("mal", "a"), Vote("bob", "b")])["b"] > 0.9
