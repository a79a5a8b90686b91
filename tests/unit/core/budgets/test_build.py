"""Budget policies by name, inside their limits."""

from __future__ import annotations

from typing import Any

import pytest

from streamal.core.budgets import (
    BUDGETS,
    SHARED_PARAMETERS,
    FixedThreshold,
    MaxPending,
    MaxPerHour,
    Quantile,
    build_budget,
)
from streamal.core.parameters import describe
from streamal.errors import SettingsInvalid


def test_the_registered_names() -> None:
    assert set(BUDGETS) == {
        "balanced_incremental_quantile_filter",
        "fixed_threshold",
        "propensity_sampling",
        "quantile",
        "randomised_variable_threshold",
        "split",
        "variable_threshold",
        "windowed_top_k",
    }


def test_settings_reach_the_policy() -> None:
    policy = build_budget("quantile", {"window": 77}, budget=0.03, exploration=0.5)
    assert isinstance(policy, Quantile)
    assert (policy.budget, policy.exploration, policy.window) == (0.03, 0.5, 77)
    assert policy.floor == pytest.approx(0.015)


def test_the_hard_limit_stands_outermost() -> None:
    policy = build_budget(
        "fixed_threshold", {}, budget=0.1, max_per_hour=100, max_pending=5, share=0.25
    )
    assert isinstance(policy, MaxPerHour)
    assert policy.allowance == 25.0
    assert isinstance(policy.inner, MaxPending)
    assert policy.inner.max_pending == 5
    assert isinstance(policy.inner.inner, FixedThreshold)
    assert (policy.budget, policy.floor) == (0.1, policy.inner.inner.floor)


def test_without_exploration_no_estimate_is_promised() -> None:
    assert build_budget("quantile", {}, budget=0.1).guarantees_exploration
    assert not build_budget("quantile", {}, budget=0.1, exploration=0).guarantees_exploration
    limited = build_budget("quantile", {}, budget=0.1, exploration=0, max_pending=3)
    assert not limited.guarantees_exploration


def test_the_catalogue_shows_a_policy_s_own_parameters() -> None:
    own = {name: describe(cls, without=SHARED_PARAMETERS) for name, cls in BUDGETS.items()}
    assert [p.name for p in own["quantile"].parameters] == ["window"]
    assert [p.name for p in own["fixed_threshold"].parameters] == ["threshold"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"name": "p"},
            "gate.policy: 'p' is not a budget policy; one of " + ", ".join(sorted(BUDGETS)),
        ),
        ({"budget": 0.0}, "gate.budget: 0.0 is not allowed; a number, in (0, 1]"),
        ({"budget": 1.5}, "gate.budget: 1.5 is not allowed; a number, in (0, 1]"),
        ({"exploration": 1.0}, "gate.exploration: 1.0 is not allowed; a number, in [0, 0.9]"),
        ({"max_pending": 0}, "gate.max_pending: 0 is not allowed; an integer or null, at least 1"),
        ({"max_per_hour": 0}, "gate.max_per_hour: 0 is not allowed; a number or null, above 0"),
        ({"share": 1.5}, "share: 1.5 is not allowed; a number, in (0, 1]"),
        (
            {"parameters": {"window": 1.5}},
            "gate.policy_parameters.window: 1.5 is not allowed; an integer, in [10, 100000]",
        ),
        (
            {"parameters": {"budget": 0.5}},
            "gate.policy_parameters.budget: unknown parameter; allowed: window",
        ),
    ],
)
def test_a_mistake_is_one_line(arguments: dict[str, Any], problem: str) -> None:
    defaults: dict[str, Any] = {"name": "quantile", "parameters": {}, "budget": 0.1}
    with pytest.raises(SettingsInvalid) as caught:
        build_budget(**{**defaults, **arguments})
    assert caught.value.problems == (problem,)
