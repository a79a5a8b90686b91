"""The online model of a regression: targets, outlooks, and what it falls back to."""

from __future__ import annotations

import math
import pickle

import pytest

from streamal.core.learners import Target
from streamal.core.learners.regression import OnlineRegression, build_regression_model
from streamal.core.types import Features, Production
from streamal.errors import Reject
from tests.support.single import outlook_of

TOLERANCE = 2.0


def model(target: Target = Target.LABEL, committee_size: int = 0) -> OnlineRegression:
    return build_regression_model(
        "linear_regression",
        parameters={},
        tolerance=TOLERANCE,
        committee_size=committee_size,
        target=target,
        seed=1,
    )


def said(value: float | None) -> Production:
    return Production(value=value)


def teach(online: OnlineRegression, count: int = 600) -> None:
    """The truth is 10 times size; production always says 20, so is off by up to 20."""
    for index in range(count):
        size = float(index % 5)
        online.learn({"size": size}, said(20.0), 10.0 * size, event_id=str(index))


@pytest.mark.parametrize("target", list(Target))
def test_cold_it_knows_nothing(target: Target) -> None:
    outlook = outlook_of(model(target, committee_size=3), {"size": 1.0}, said(20.0))
    assert outlook.probabilities == {}
    assert outlook.value is outlook.expected_loss is None
    assert outlook.committee_values == ()
    assert outlook.expected_correct == 0.5


def test_with_target_label_it_learns_the_number() -> None:
    online = model(committee_size=3)
    teach(online)
    right, wrong = (outlook_of(online, {"size": size}, said(20.0)) for size in (2.0, 4.0))
    assert right.value == pytest.approx(20.0, abs=2.0)
    assert wrong.value == pytest.approx(40.0, abs=4.0)
    assert len(wrong.committee_values) == 3
    assert right.expected_loss is not None
    assert wrong.expected_loss is not None
    assert right.expected_loss < 3.0 < 15.0 < wrong.expected_loss
    assert wrong.expected_correct < 0.3 < right.expected_correct


def test_with_target_error_it_learns_how_far_production_is_off() -> None:
    online = model(Target.ERROR, committee_size=3)
    for index in range(600):
        size = float(index % 5)
        online.learn({"size": size}, said(size), 11.0 * size, event_id=str(index))
    small, large = (outlook_of(online, {"size": size}, said(size)) for size in (0.0, 4.0))
    assert small.value is large.value is None
    assert small.expected_loss == pytest.approx(0.0, abs=3.0)
    assert large.expected_loss is not None
    assert large.expected_loss == pytest.approx(40.0, abs=4.0)
    assert large.expected_correct == pytest.approx(-math.expm1(-TOLERANCE / large.expected_loss))
    assert len(large.committee_values) == 3


def test_with_target_error_productions_number_is_evidence_and_reserved() -> None:
    online = model(Target.ERROR)
    for index in range(400):
        wild = float(index % 2)
        features: Features = {"production::value": 1.0 - wild}
        online.learn(features, said(10.0 * wild), 20.0 * wild, event_id=str(index))
    assert (outlook_of(online, {}, said(10.0)).expected_loss or 0.0) > 5.0
    assert (outlook_of(online, {}, said(0.0)).expected_loss or 0.0) < 5.0


@pytest.mark.parametrize("target", list(Target))
def test_production_without_a_number_is_even_odds(target: Target) -> None:
    online = model(target)
    teach(online, 100)
    outlook = outlook_of(online, {"size": 1.0}, said(None))
    if target is Target.LABEL:
        assert outlook.expected_loss is None
        assert outlook.expected_correct == 0.5
    else:
        assert outlook.expected_loss is not None


def test_no_error_at_all_is_certainly_right() -> None:
    online = model(Target.ERROR)
    for index in range(300):
        production = float(index % 2)
        online.learn({"x": production}, said(0.0), production, event_id=str(index))
    assert outlook_of(online, {"x": -9.0}, said(0.0)).expected_correct == 1.0


def test_what_cannot_be_learned() -> None:
    with pytest.raises(Reject, match="unsupported_task"):
        model().learn({}, said(1.0), "cat", event_id="1")
    with pytest.raises(Reject, match="missing_prediction"):
        model(Target.ERROR).learn({}, said(None), 1.0, event_id="1")
    with pytest.raises(Reject, match="unlearnable"):
        model().learn({}, said(1.0), math.nan, event_id="1")


def test_feedback_without_production_teaches_the_number() -> None:
    online = model()
    for index in range(100):
        online.learn({"x": float(index % 2)}, Production(), float(index % 2), event_id=str(index))
    assert online.labels_learned == 100
    assert outlook_of(online, {"x": 1.0}, said(3.0)).expected_loss is not None


def test_the_whole_state_survives_pickling() -> None:
    original = model(committee_size=3)
    teach(original, 100)
    copy: OnlineRegression = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own bytes
    for online in (original, copy):
        teach(online, 50)
    item: Features = {"size": 3.0}
    assert outlook_of(copy, item, said(20.0)) == outlook_of(original, item, said(20.0))
    assert copy.labels_learned == original.labels_learned == 150
