"""The online model: targets, outlooks, and what it falls back to."""

from __future__ import annotations

import math
import pickle

import pytest

from streamal.core.learners import OnlineModel, Target, build_model
from streamal.core.types import FeatureValue, Production
from streamal.errors import Reject
from tests.support.single import outlook_of

CAT = Production(label="cat", probabilities={"cat": 0.7, "dog": 0.3})


def model(target: Target = Target.LABEL, committee_size: int = 0) -> OnlineModel:
    return build_model(
        "logistic_regression", parameters={}, committee_size=committee_size, target=target, seed=1
    )


def teach(online: OnlineModel, count: int = 200) -> None:
    """Dogs are large; production always says cat."""
    for index in range(count):
        large = index % 2 == 0
        label = "dog" if large else "cat"
        online.learn({"size": float(large)}, CAT, label, event_id=str(index))


@pytest.mark.parametrize("target", list(Target))
def test_cold_it_knows_nothing_and_believes_production(target: Target) -> None:
    outlook = outlook_of(model(target, committee_size=3), {"size": 1.0}, CAT)
    assert outlook.probabilities == {}
    assert outlook.committee == ({}, {}, {})
    assert outlook.expected_correct == 0.7


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("production", [Production(), Production(value=3.0), Production("cat")])
def test_cold_with_no_probability_of_productions_class_it_is_even_odds(
    target: Target, production: Production
) -> None:
    assert outlook_of(model(target), {"size": 1.0}, production).expected_correct == 0.5


@pytest.mark.parametrize("target", list(Target))
def test_one_class_is_no_prediction_of_productions_being_right(target: Target) -> None:
    online = model(target)
    online.learn({"size": 1.0}, CAT, "cat", event_id="1")
    assert outlook_of(online, {"size": 1.0}, CAT).expected_correct == 0.7


def test_with_target_label_it_learns_the_class() -> None:
    online = model()
    teach(online)
    large = outlook_of(online, {"size": 1.0}, CAT)
    assert set(large.probabilities) == {"cat", "dog"}
    assert large.expected_correct == large.probabilities["cat"] < 0.2
    assert outlook_of(online, {"size": 0.0}, CAT).expected_correct > 0.8
    assert outlook_of(online, {"size": 0.0}, Production("bird")).expected_correct == 0.0


def test_with_target_error_it_learns_whether_production_is_wrong() -> None:
    online = model(Target.ERROR)
    teach(online)
    large = outlook_of(online, {"size": 1.0}, CAT)
    assert set(large.probabilities) == {"right", "wrong"}
    assert large.expected_correct == large.probabilities["right"] < 0.2


def test_with_target_error_productions_own_words_are_evidence() -> None:
    online = model(Target.ERROR)
    unsure = Production("cat", {"cat": 0.51, "dog": 0.49})
    sure = Production("cat", {"cat": 0.99, "dog": 0.01})
    for index in range(200):
        said, truth = (unsure, "dog") if index % 2 else (sure, "cat")
        online.learn({}, said, truth, event_id=str(index))
    assert outlook_of(online, {}, sure).expected_correct > 0.8
    assert outlook_of(online, {}, unsure).expected_correct < 0.2


def test_an_events_features_cannot_pose_as_productions_words() -> None:
    plain, posing = model(Target.ERROR), model(Target.ERROR)
    fake: dict[str, FeatureValue] = {
        "production::label": "dog",
        "production::p(bird)": 1.0,
        "production::confidence": 0.0,
    }
    for index in range(50):
        truth = "dog" if index % 3 else "cat"
        plain.learn({"size": 1.0}, CAT, truth, event_id=str(index))
        posing.learn({"size": 1.0, **fake}, CAT, truth, event_id=str(index))
    assert outlook_of(posing, {"size": 1.0, **fake}, CAT) == outlook_of(plain, {"size": 1.0}, CAT)


def test_with_target_error_a_label_without_productions_class_is_rejected() -> None:
    online = model(Target.ERROR)
    with pytest.raises(Reject) as caught:
        online.learn({"size": 1.0}, Production(value=2.0), "cat", event_id="1")
    assert caught.value.reason == "missing_prediction"
    assert online.labels_learned == 0


@pytest.mark.parametrize("target", list(Target))
def test_expected_correct_stays_within_bounds_for_odd_events(target: Target) -> None:
    online = model(target, committee_size=2)
    teach(online, 40)
    for features in ({}, {"size": math.nan}, {"size": "huge"}, {"size": 1e300}):
        for production in (Production(), CAT, Production("cat", {"cat": 1.0 + 1e-12})):
            assert 0.0 <= outlook_of(online, features, production).expected_correct <= 1.0
    cold = outlook_of(model(target), {}, Production("cat", {"cat": 1.0 + 1e-12}))
    assert cold.expected_correct == 1.0


def test_a_pickled_copy_goes_on_where_it_was() -> None:
    online = model(Target.ERROR, committee_size=3)
    teach(online, 60)
    copy: OnlineModel = pickle.loads(pickle.dumps(online))  # noqa: S301 - our own bytes
    assert copy.labels_learned == 60
    teach(online, 30)
    teach(copy, 30)
    assert outlook_of(copy, {"size": 1.0}, CAT) == outlook_of(online, {"size": 1.0}, CAT)
    assert copy.labels_learned == 90
