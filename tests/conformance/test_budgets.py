"""What every registered budget policy owes, alone and inside every limit."""

from __future__ import annotations

import doctest
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from numpy.random import default_rng

from streamal.core.budgets import (
    BUDGETS,
    SHARED_PARAMETERS,
    Advance,
    BudgetPolicy,
    MaxPending,
    MaxPerHour,
    Stopping,
    build_budget,
)
from streamal.core.chance import draw
from streamal.core.parameters import describe, parameters_of
from streamal.core.types import Candidate, Conditions, JsonState, JsonValue, Offer, Reason
from streamal.errors import SettingsInvalid

_BUDGET: tuple[list[JsonValue], list[JsonValue]] = (
    [0.005, 0.5, 1.0, 1],
    [0, -0.1, 1.0001, float("nan"), float("inf"), "0.1", None, True],
)
_EXPLORATION: tuple[list[JsonValue], list[JsonValue]] = (
    [0, 0.2, 0.9],
    [-0.1, 0.91, 1, float("nan"), "0.2", None, False],
)

_STEP: tuple[list[JsonValue], list[JsonValue]] = (
    [0.001, 0.05, 0.2],
    [0, -0.01, 0.21, float("nan"), "0.01", None, True],
)
_WINDOW: tuple[list[JsonValue], list[JsonValue]] = (
    [10, 250, 100_000],
    [9, 100_001, 50.0, "100", None, True],
)

#: (policy, parameter) to values that work and values that must be refused. A parameter without an
#: entry fails `test_every_parameter_has_an_entry`.
VALUES: dict[tuple[str, str], tuple[list[JsonValue], list[JsonValue]]] = {
    ("fixed_threshold", "threshold"): ([0, 0.5, 1.0], [-0.1, 1.1, float("nan"), "half", None]),
    **{(name, "budget"): _BUDGET for name in BUDGETS},
    **{(name, "exploration"): _EXPLORATION for name in BUDGETS},
    **{(name, "step"): _STEP for name in ("variable_threshold", "split")},
    ("randomised_variable_threshold", "step"): _STEP,
    ("randomised_variable_threshold", "deviation"): (
        [1e-6, 0.2, 0.3],
        [0, -0.1, 0.31, float("nan"), "0.2", None, True],
    ),
    ("balanced_incremental_quantile_filter", "window"): _WINDOW,
    ("balanced_incremental_quantile_filter", "tolerance"): (
        [1, 50.0, 10_000],
        [0.9, 0, -1, 10_001, float("nan"), "50", None, True],
    ),
    ("propensity_sampling", "window"): _WINDOW,
    ("propensity_sampling", "account_labels"): (
        [1, 10.0, 10_000],
        [0.9, 0, -1, 10_001, float("nan"), "50", None, True],
    ),
    ("propensity_sampling", "power"): (
        [0, 0.5, 1, 4.0],
        [-0.1, 4.1, float("inf"), float("nan"), "0.5", None, False],
    ),
    ("quantile", "window"): _WINDOW,
    ("windowed_top_k", "window"): ([1, 50, 2000], [0, 2001, 50.0, "100", None, True]),
    ("windowed_top_k", "seconds"): ([0.5, 60, 86_400], [0, -1, 86_401, "60", None, True]),
    ("windowed_top_k", "diversity"): ([0, 0.5, 1], [-0.1, 1.1, float("nan"), "0.5", None, True]),
}

PARAMETERS = [(name, p.name) for name, cls in BUDGETS.items() for p in describe(cls).parameters]

#: What stands around a policy, as `build_budget` puts them.
LIMITS: dict[str, dict[str, Any]] = {
    "free": {},
    "max_pending": {"max_pending": 20},
    "max_per_hour": {"max_per_hour": 300, "share": 0.5},
    "stopping": {"stop_at_accuracy": 0.9},
    "advance": {"advance_labels": 10, "share": 0.5},
    "all": {
        "advance_labels": 10,
        "max_pending": 20,
        "max_per_hour": 300,
        "share": 0.5,
        "stop_at_accuracy": 0.9,
    },
}

CLASSES = [*BUDGETS.values(), Advance, MaxPending, MaxPerHour, Stopping]


def build(name: str, **arguments: JsonValue) -> BudgetPolicy:
    settings: dict[str, Any] = {"budget": 0.1}
    for key in SHARED_PARAMETERS:
        if key in arguments:
            settings[key] = arguments.pop(key)
    return build_budget(name, arguments, **settings)


def factories() -> Iterator[tuple[str, Callable[[], BudgetPolicy]]]:
    """Every policy with each value of each parameter, and inside each limit."""
    for name in BUDGETS:
        for limit, settings in LIMITS.items():
            yield f"{name} {limit}", partial(build_budget, name, {}, budget=0.1, **settings)
    for (name, parameter), (valid, _) in VALUES.items():
        for value in valid:
            yield f"{name} {parameter}={value}", partial(build, name, **{parameter: value})


FACTORIES = [pytest.param(factory, id=name) for name, factory in factories()]
Factory = Callable[[], BudgetPolicy]


SCORES: list[float] = default_rng(1).normal(0.4, 0.2, 2_500).clip(0, 1).tolist()


def world(number: int) -> tuple[str, float, Conditions]:
    """An event's id, its score and the conditions it meets: drifting, tied, busy and quiet."""
    score = min(1.0, SCORES[number % len(SCORES)] + 0.2 * ((number // 700) % 2))
    if number % 3 == 0:
        score = round(score, 1)
    pending = None if number < 100 else 30 * ((number // 500) % 2)
    low = None if number < 200 else 0.95 * ((number // 300) % 2)
    return f"event-{number}", score, Conditions(1e9 + 2.0 * number, pending, accuracy_low=low)


def play(policy: BudgetPolicy, first: int, last: int) -> list[tuple[Offer, bool]]:
    course = []
    for number in range(first, last):
        event_id, score, conditions = world(number)
        offer = policy.preview(score, conditions)
        query = draw(5, event_id, "query") < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        course.append((offer, query))
    return course


def test_every_parameter_has_an_entry() -> None:
    assert set(PARAMETERS) == set(VALUES)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter_is_kept_or_refused(name: str, parameter: str) -> None:
    valid, invalid = VALUES[name, parameter]
    assert valid
    assert invalid
    for value in valid:
        assert parameters_of(build(name, **{parameter: value}))[parameter] == value
    key = "gate." if parameter in SHARED_PARAMETERS else "gate.policy_parameters."
    for value in invalid:
        with pytest.raises(SettingsInvalid) as caught:
            build(name, **{parameter: value})
        (problem,) = caught.value.problems
        assert problem.startswith(f"{key}{parameter}: {value!r} is not allowed; ")


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_is_documented(cls: type[BudgetPolicy]) -> None:
    doc = cls.__doc__ or ""
    for section in ("Formula:", "Range:", "Args:", "Examples:"):
        assert f"    {section}\n" in doc
    described = describe(cls, without=("inner",))
    assert all(parameter.description for parameter in described.parameters)
    tests = doctest.DocTestFinder(recurse=False).find(
        cls, cls.name, globs=vars(sys.modules[cls.__module__]).copy()
    )
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


@pytest.mark.parametrize("name", BUDGETS)
def test_every_policy_is_described(name: str) -> None:
    description = describe(BUDGETS[name])
    assert description.name == name == BUDGETS[name].name
    assert len(description.summary) > 20
    assert description.source
    assert all(parameter.description for parameter in description.parameters)


@pytest.mark.parametrize("factory", FACTORIES)
def test_offers_are_probabilities_above_the_floor(factory: Factory) -> None:
    policy = factory()
    assert policy.guarantees_exploration == (policy.floor > 0)
    assert 0.0 <= policy.floor <= policy.budget
    for offer, _ in play(policy, 0, 2_000):
        assert 0.0 <= offer.propensity <= 1.0
        assert 0.0 <= offer.threshold <= 1.0
        if offer.reason is not Reason.RATE_LIMITED:
            assert offer.propensity >= policy.floor


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_reason_is_the_rule_that_set_the_propensity(factory: Factory) -> None:
    policy = factory()
    for offer, _ in play(policy, 0, 2_000):
        if offer.reason is Reason.ABOVE_THRESHOLD:
            assert offer.propensity == 1.0
        if offer.reason is Reason.AT_THRESHOLD:
            assert policy.floor < offer.propensity <= 1.0
        if offer.reason in (Reason.EXPLORATION, Reason.MAX_PENDING, Reason.STOPPED):
            assert offer.propensity == policy.floor


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_same_events_get_the_same_decisions(factory: Factory) -> None:
    assert play(factory(), 0, 1_000) == play(factory(), 0, 1_000)


@pytest.mark.parametrize("factory", FACTORIES)
def test_previews_change_nothing(factory: Factory) -> None:
    policy, untouched = factory(), factory()
    play(policy, 0, 600)
    play(untouched, 0, 600)
    before = json.dumps(policy.state())
    for number in range(600, 900):
        for _ in range(2):
            policy.preview(world(number)[1], world(number)[2])
    assert json.dumps(policy.state()) == before
    assert play(policy, 600, 900) == play(untouched, 600, 900)


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_state_travels_as_json(factory: Factory) -> None:
    policy, restored = factory(), factory()
    play(policy, 0, 1_500)
    play(restored, 0, 10)
    restored.restore(json.loads(json.dumps(policy.state())))
    assert restored.state() == policy.state()
    assert play(restored, 1_500, 2_500) == play(policy, 1_500, 2_500)


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("foreign", [{}, {"another policy": {"debt": 5.0}}])
def test_a_state_without_the_policy_is_a_fresh_start(factory: Factory, foreign: JsonState) -> None:
    policy = factory()
    play(policy, 0, 300)
    policy.restore(foreign)
    assert policy.state() == factory().state()


@pytest.mark.parametrize("name", BUDGETS)
def test_memory_is_bounded(name: str) -> None:
    policy = build_budget(name, {}, budget=0.1, max_per_hour=1e6, max_pending=10**6)
    conditions, sizes = Conditions(0.0), []
    for number, (score, drawn) in enumerate(default_rng(1).random((100_000, 2)).tolist()):
        offer = policy.preview(score, conditions)
        query = drawn < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        if number % 20_000 == 19_999:
            sizes.append(len(json.dumps(policy.state())))
    assert max(sizes) < 8_000
    assert max(sizes) - min(sizes) < 32


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_equal_scores_are_neither_all_routed_nor_all_refused(name: str, score: float) -> None:
    policy = build_budget(name, {}, budget=0.1)
    conditions, routed = Conditions(0.0), 0
    for number in range(5_000):
        offer = policy.preview(score, conditions)
        query = draw(9, str(number), "query") < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        routed += query
    # At the least the exploration floor, 2 %, at the most the budget and its response.
    assert 60 <= routed <= 515


def asked(policy: BudgetPolicy, events: int, every: int) -> tuple[list[float], list[float]]:
    """When events were routed and made-up items paid for: one in `every` events that is routed."""
    routed, made_up = list[float](), list[float]()
    for number in range(events):
        event_id, score, conditions = world(number)
        offer = policy.preview(score, conditions)
        query = draw(5, event_id, "query") < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        if query:
            routed.append(conditions.now)
            if every and len(routed) % every == 0 and policy.affords(conditions):
                before = json.dumps(policy.state())
                policy.affords(conditions)
                assert json.dumps(policy.state()) == before
                policy.charge(conditions)
                made_up.append(conditions.now)
    return routed, made_up


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", BUDGETS)
def test_made_up_items_are_paid_for_by_fewer_events(name: str, every: int) -> None:
    events = 12_000
    usual, _ = asked(build_budget(name, {}, budget=0.05), events, 0)
    routed, made_up = asked(build_budget(name, {}, budget=0.05), events, every)
    assert len(made_up) == len(routed) // every > 0
    assert len(routed) + len(made_up) <= 0.05 * events + 25
    assert len(routed) + len(made_up) == pytest.approx(len(usual), rel=0.06)


@pytest.mark.parametrize("name", BUDGETS)
def test_an_hour_s_limit_holds_for_made_up_items_too(name: str) -> None:
    policy = build_budget(name, {}, budget=0.5, max_per_hour=40)
    routed, made_up = asked(policy, 8_000, 1)
    assert made_up
    questions = sorted([*routed, *made_up])
    assert all(
        later - first > 3600 for first, later in zip(questions, questions[40:], strict=False)
    )


@pytest.mark.parametrize("name", BUDGETS)
def test_what_can_be_lost_without_exploration_is_said(name: str) -> None:
    steep: dict[str, JsonValue] = {"power": 4} if name == "propensity_sampling" else {}
    without, exploring = (build(name, exploration=share, **steep) for share in (0.0, 0.2))
    assert bool(BUDGETS[name].zero_propensity) == (least(without) == 0.0)
    assert least(exploring) > 0.0


def least(policy: BudgetPolicy) -> float:
    """The least propensity among many items; in one window, if the policy has windows."""
    if policy.decision_window is None:
        return min(offer.propensity for offer, _ in play(policy, 0, 2_500))
    events = [world(number)[:2] for number in range(100)]
    window = [Candidate(event_id, score, {}) for event_id, score in events]
    return min(offer.propensity for offer in policy.offers(window, Conditions(now=0.0)))
