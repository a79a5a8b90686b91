"""Properties of scores, policies and gates over whatever hypothesis can think of."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamal.core.batch import Batch
from streamal.core.budgets import BUDGETS, build_budget
from streamal.core.budgets.size_window import SizeWindow
from streamal.core.budgets.spend import RESPONSE_LABELS, Spend
from streamal.core.gate import Gate
from streamal.core.strategies import (
    STRATEGIES,
    LeastConfidence,
    Margin,
    Strategy,
    build_strategy,
)
from streamal.core.types import (
    Conditions,
    Context,
    Decision,
    Probabilities,
    Production,
    Reason,
    Source,
)

NOON = Conditions(now=43_200.0)

unit = st.floats(0.0, 1.0)


@st.composite
def distributions(draw: st.DrawFn, min_classes: int = 0) -> Probabilities:
    """A distribution over up to eight classes, zero and tiny probabilities included."""
    classes = draw(st.lists(st.text(max_size=5), min_size=min_classes, max_size=8, unique=True))
    weights = draw(st.lists(unit, min_size=len(classes), max_size=len(classes)))
    total = sum(weights)
    if classes and total <= 0.0:
        weights, total = [1.0] * len(classes), float(len(classes))
    return {label: weight / total for label, weight in zip(classes, weights, strict=True)}


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    return Context(
        event_id=draw(st.text(max_size=8)),
        features={},
        production=Production("a", draw(distributions())),
        model=draw(distributions()),
        committee=tuple(draw(st.lists(distributions(), max_size=5))),
    )


def turned(probabilities: Probabilities, order: Sequence[float]) -> Probabilities:
    """The same distribution with its classes in another order."""
    ranked = sorted(zip(order, probabilities.items(), strict=False), key=lambda pair: pair[0])
    return dict(item for _, item in ranked)


def score(strategy: Strategy, context: Context) -> float:
    return float(strategy.score(Batch.of([context]))[0])


@pytest.mark.parametrize("name", STRATEGIES)
@settings(deadline=None)
@given(context=contexts())
def test_any_probabilities_give_a_score(name: str, context: Context) -> None:
    assert 0.0 <= score(build_strategy(name, {}), context) <= 1.0


@pytest.mark.parametrize("name", STRATEGIES)
@settings(deadline=None)
@given(context=contexts(), order=st.lists(unit, min_size=8, max_size=8))
def test_the_order_of_classes_does_not_matter(
    name: str, context: Context, order: list[float]
) -> None:
    other = Context(
        context.event_id,
        {},
        Production("a", turned(context.production.probabilities, order)),
        turned(context.model, order),
        tuple(turned(member, order) for member in context.committee),
    )
    one, turned_ = (score(build_strategy(name, {}), each) for each in (context, other))
    assert turned_ == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("name", ["least_confidence", "margin", "entropy"])
@settings(deadline=None)
@given(context=contexts())
def test_a_source_without_two_classes_is_unknown(name: str, context: Context) -> None:
    for source in Source:
        known = Batch.of([context]).probabilities(source).item(0)
        if len(known) < 2:
            assert score(build_strategy(name, {"source": source.value}), context) == 1.0


def model_score(strategy: Strategy, probabilities: Probabilities) -> float:
    return score(strategy, Context("e", {}, Production(), probabilities))


@settings(deadline=None)
@given(probabilities=distributions(min_classes=2), share=unit)
def test_more_for_the_best_class_is_less_informative(
    probabilities: Probabilities, share: float
) -> None:
    best = max(probabilities, key=lambda label: probabilities[label])
    sharper = {label: p * (1.0 - share) for label, p in probabilities.items()}
    sharper[best] += share
    for strategy in (LeastConfidence(), Margin()):
        before, after = (model_score(strategy, p) for p in (probabilities, sharper))
        assert after <= before + 1e-9


@settings(deadline=None)
@given(first=unit, second=unit)
def test_with_two_classes_all_measures_rank_alike(first: float, second: float) -> None:
    pairs = [{"a": p, "b": 1.0 - p} for p in (first, second)]
    for name in ("least_confidence", "margin", "entropy"):
        strategy = build_strategy(name, {})
        one, other = (model_score(strategy, p) for p in pairs)
        if abs(first - 0.5) < abs(second - 0.5):
            assert one >= other - 1e-9


@settings(deadline=None)
@given(
    budget=st.floats(0.001, 1.0),
    draws=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200),
)
def test_the_account_adds_up(budget: float, draws: list[tuple[bool, bool]]) -> None:
    spend = Spend(budget, 0.2 * budget)
    granted = 0.0
    for query, throttled in draws:
        before = spend.debt
        spend.book(query=query, throttled=throttled)
        if throttled and not query:
            assert max(before, 0.0) >= spend.debt >= before
        else:
            assert spend.debt == pytest.approx(before + budget - query)
        granted += spend.debt - before + query
        assert 0.2 * budget <= spend.target <= 1.0
        assert 0.0 <= spend.credit <= 1.0
    routed = sum(query for query, _ in draws)
    assert granted <= budget * len(draws) + 1e-6
    assert spend.debt == pytest.approx(granted - routed, abs=1e-6)


@settings(deadline=None)
@given(low=st.floats(-100, 100), high=st.floats(-100, 100), budget=st.floats(0.001, 1.0))
def test_more_debt_never_spends_less(low: float, high: float, budget: float) -> None:
    low, high = min(low, high), max(low, high)
    spend = Spend(budget, 0.2 * budget)
    spend.debt = low
    target, credit = spend.target, spend.credit
    spend.debt = high
    assert spend.target >= target
    assert spend.credit >= credit


@settings(deadline=None)
@given(
    scores=st.lists(unit, min_size=1, max_size=40),
    power=st.floats(0.0, 4.0),
    share=st.floats(0.001, 0.999),
)
def test_propensities_in_proportion_to_a_size_have_the_mean_that_was_asked(
    scores: list[float], power: float, share: float
) -> None:
    # A window this small sums up after every item.
    window = SizeWindow(20, power)
    for score in scores:
        window.add(score)
    held = scores[-20:]
    factor = window.factor(share, held[0])
    own, *_ = spent = [min(1.0, factor * window.size_of(score)) for score in held]
    # While nothing in the window is certain, the item itself counts in the mean.
    assert share * len(held) - 1e-3 <= sum(spent) + own
    assert sum(spent) <= share * (len(held) + 1) + 1e-3


@pytest.mark.parametrize("policy", BUDGETS)
@settings(deadline=None)
@given(scores=st.lists(unit, max_size=60), probes=st.tuples(unit, unit), budget=st.floats(0.01, 1))
def test_a_higher_score_never_has_a_lower_propensity(
    policy: str, scores: list[float], probes: tuple[float, float], budget: float
) -> None:
    built = build_budget(policy, {}, budget=budget)
    for number, score in enumerate(scores):
        offer = built.preview(score, NOON)
        built.commit(score, offer, query=number % 5 == 0, conditions=NOON)
    lower, higher = (built.preview(score, NOON).propensity for score in sorted(probes))
    assert lower <= higher + 1e-9


@pytest.mark.parametrize("policy", BUDGETS)
@settings(deadline=None, max_examples=30)
@given(scores=st.lists(unit, min_size=1, max_size=300), budget=st.sampled_from([0.02, 0.1, 0.5]))
def test_no_sequence_of_scores_overspends_by_more_than_the_response(
    policy: str, scores: list[float], budget: float
) -> None:
    built = build_budget(policy, {}, budget=budget)
    spent = 0.0
    for count, score in enumerate(scores * 5, start=1):
        offer = built.preview(score, NOON)
        # The draws that cost most: everything that is not mere exploration is routed.
        query = offer.reason is not Reason.EXPLORATION
        built.commit(score, offer, query=query, conditions=NOON)
        spent += query
        assert spent - budget * count <= RESPONSE_LABELS + 1.0


def _play(gate: Gate, events: Sequence[tuple[Context, Conditions]]) -> list[Decision]:
    decisions: list[Decision] = []
    for context, conditions in events:
        decisions += gate.decide(Batch.of([context]), conditions)
    return decisions


events = st.tuples(
    contexts(),
    st.builds(Conditions, now=st.floats(0, 4e9), pending=st.none() | st.integers(0, 9)),
)


@settings(deadline=None, max_examples=40)
@given(
    stream=st.lists(events, max_size=30),
    cut=st.integers(0, 30),
    strategy=st.sampled_from(sorted(STRATEGIES)),
    policy=st.sampled_from(sorted(BUDGETS)),
    seed=st.integers(),
)
def test_a_replay_from_any_point_decides_the_same(
    stream: list[tuple[Context, Conditions]], cut: int, strategy: str, policy: str, seed: int
) -> None:
    def fresh() -> Gate:
        built = build_budget(policy, {}, budget=0.2, max_per_hour=30, max_pending=5)
        return Gate(build_strategy(strategy, {}), built, seed=seed)

    whole = _play(fresh(), stream)
    first, second = fresh(), fresh()
    start = _play(first, stream[:cut])
    second.restore(json.loads(json.dumps(first.state())))
    assert start + _play(second, stream[cut:]) == whole
    for decision in whole:
        assert 0.0 <= decision.propensity <= 1.0
        assert not (decision.query and decision.propensity == 0.0)
        assert decision.propensity > 0.0 or decision.reason is Reason.RATE_LIMITED
