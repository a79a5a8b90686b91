"""What a model would predict after one more label, and that it never notices the question."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from streamal.core.learners import LEARNERS, CommitteeKind, OnlineModel, Target, build_model
from streamal.core.learners.regression import build_regression_model
from streamal.core.types import Features, Production
from streamal.errors import Reject
from tests.support.single import outlook_of

EVENTS = 60
#: Every label moves all of their probabilities.
SMOOTH = {"default", "logistic_regression", "softmax_regression", "gaussian_nb"}


def items(count: int, first: int = 0) -> Iterator[tuple[str, Features, Production, str]]:
    for number in range(first, first + count):
        x = (number * 37) % 20 / 10
        label = "high" if x > 1 else "low"
        said = Production(label if number % 5 else "low", {"high": x / 2, "low": 1 - x / 2})
        features: Features = {
            "x": x,
            "colour": ("red", "blue", "green")[number % 3],
            "y": None if number % 4 else 1.5,
        }
        yield f"event-{number}", features, said, label


def taught(model: OnlineModel, count: int = EVENTS, first: int = 0) -> OnlineModel:
    for event_id, features, production, label in items(count, first):
        model.learn(features, production, label, event_id=event_id)
    return model


def really_taught(model: OnlineModel, number: int, truth: str) -> OnlineModel:
    copy: OnlineModel = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    ((event_id, features, production, _),) = items(1, number)
    copy.learn(features, production, truth, event_id=event_id)
    return copy


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("kind", [None, *CommitteeKind])
def test_it_is_what_the_model_predicts_once_it_is_taught(
    name: str, target: Target, kind: CommitteeKind | None
) -> None:
    model = taught(
        build_model(
            name,
            parameters={},
            committee_size=3 if kind else 0,
            committee_kind=kind or CommitteeKind.BAGGING,
            target=target,
            seed=4,
        )
    )
    before = pickle.dumps(model)
    window = list(items(8, 200))
    aheads = [model.lookahead(x, said, event_id=each) for each, x, said, _ in window]
    asked = [ahead.inputs for ahead in aheads]
    for (event_id, _, production, _), ahead in zip(window[:2], aheads, strict=False):
        for truth in ("high", "low"):
            label = truth
            if target is Target.ERROR:
                label = "right" if production.label == truth else "wrong"
            learned = really_taught(model, int(event_id[6:]), truth)
            expected = [outlook_of(learned, x, said).probabilities for _, x, said, _ in window]
            assert ahead.after(label, asked) == expected
            assert expected != ahead.now(asked) or name not in SMOOTH
        ahead.now(asked)
    assert pickle.dumps(model) == before
    now = [outlook_of(model, x, said).probabilities for _, x, said, _ in window]
    assert [ahead.now(asked) for ahead in aheads] == [now] * 8


@pytest.mark.parametrize("name", LEARNERS)
def test_who_was_asked_learns_as_who_was_not(name: str) -> None:
    asked, left_alone = (
        taught(build_model(name, parameters={}, committee_size=2, seed=4)) for _ in range(2)
    )
    for event_id, features, production, label in items(20, EVENTS):
        ahead = asked.lookahead(features, production, event_id=event_id)
        ahead.after(label, [{"x": 0.5}, features])
        ahead.now([{"x": 0.5}])
        for each in (asked, left_alone):
            each.learn(features, production, label, event_id=event_id)
    ends = [
        [outlook_of(each, x, said) for _, x, said, _ in items(10, 300)]
        for each in (asked, left_alone)
    ]
    assert ends[0] == ends[1]


def test_it_speaks_of_the_model_as_it_was_even_when_asked_for_the_first_time_later() -> None:
    model = taught(build_model("logistic_regression", parameters={}, committee_size=0))
    before: OnlineModel = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    window: list[Features] = [{"x": 0.1}, {"x": 1.9, "colour": "red"}]
    early = model.lookahead({"x": 0.9}, Production(), event_id="e")
    taught(model, 30, 500)
    late = model.lookahead({"x": 0.9}, Production(), event_id="e")
    expected = before.lookahead({"x": 0.9}, Production(), event_id="e")
    assert early.after("high", window) == expected.after("high", window)
    assert early.now(window) == expected.now(window)
    assert late.now(window) != early.now(window)


def test_other_items_get_another_answer() -> None:
    model = taught(build_model("logistic_regression", parameters={}, committee_size=0))
    ahead = model.lookahead({"x": 0.9}, Production(), event_id="e")
    first, second = ahead.after("low", [{"x": 0.1}]), ahead.after("low", [{"x": 1.8}])
    assert len(first) == len(second) == 1
    assert first != second
    assert ahead.now([{"x": 0.1}]) != ahead.now([{"x": 1.8}])


def test_an_answer_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = taught(build_model("logistic_regression", parameters={}, committee_size=0))
    ahead, other = (model.lookahead({"x": x}, Production(), event_id="e") for x in (0.9, 0.8))
    window: list[Features] = [{"x": 0.1}, {"x": 1.8}]
    first = ahead.after("low", window), ahead.now(window)
    other.now(window)

    def fail(*_: object) -> None:
        raise AssertionError("worked out again")

    monkeypatch.setattr("streamal.core.learners.river_learner.RiverLearner.predict_proba", fail)
    assert (ahead.after("low", window), ahead.now(window)) == first
    assert other.now(window) == first[1]
    with pytest.raises(AssertionError):
        other.after("low", window)


def test_what_cannot_be_learned_changes_nothing() -> None:
    model = build_model("river.linear_model:LogisticRegression", parameters={}, committee_size=0)
    for number in range(20):
        model.learn({"x": float(number)}, Production(), "ab"[number > 9], event_id=str(number))
    with pytest.raises(Reject):
        model.learn({"x": "text"}, Production(), "a", event_id="e")
    ahead = model.lookahead({"x": "text"}, Production(), event_id="e")
    window: list[Features] = [{"x": 1.0}, {"x": 15.0}]
    assert ahead.after("a", window) == ahead.now(window)


def test_a_stored_model_looks_ahead_as_before() -> None:
    model = taught(build_model("gaussian_nb", parameters={}, committee_size=2))
    model.lookahead({"x": 1.0}, Production(), event_id="e").now([{"x": 1.0}])
    stored: OnlineModel = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    window: list[Features] = [{"x": 0.3}]
    answers = [
        each.lookahead({"x": 1.0}, Production(), event_id="e").after("low", window)
        for each in (model, stored)
    ]
    assert answers[0] == answers[1]


def test_numbers_have_no_lookahead() -> None:
    model = build_regression_model("linear_regression", parameters={}, tolerance=1.0)
    assert model.lookahead({"x": 1.0}, Production(value=1.0), event_id="e") is None
