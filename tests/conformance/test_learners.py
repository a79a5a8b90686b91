"""The contract of every registered learner, alone and as a committee."""

from __future__ import annotations

import json
import math
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from streamal.core.learners import LEARNERS, Learner, Parameter, build_learner
from streamal.core.types import Features, FeatureValue, Probabilities, top_class
from streamal.errors import SettingsInvalid
from tests.support.single import distance_of, members_of, probabilities_of

Item = tuple[str, dict[str, FeatureValue], str]

#: Features that no learner may stumble over, before or after learning.
ODD: list[Features] = [
    {},
    {"size": math.nan, "colour": None, "shape": ()},
    {"size": math.inf, "weight": -math.inf},
    {"size": 1e308, "weight": -(10**400)},
    {"size": "large", "colour": 3.5, "flag": (1.0, 2.0), "place": "here"},
    {"colour": "never seen", "brand new": 1.0, "also new": "text", "vector": (1.0,) * 256},
    {"colour": "", "": 1.0, "colour=red": 2.0, "size?": "yes", "place.0": "x"},
    {"colour": "x" * 10_000},
]


def stream(count: int, seed: int = 5) -> Iterator[Item]:
    """Mixed features, three classes, learnable: by a number and a category."""
    rng = random.Random(seed)
    for index in range(count):
        size = rng.gauss(10, 3)
        colour = rng.choice(["red", "green", "blue"])
        features: dict[str, FeatureValue] = {
            "size": size,
            "weight": rng.expovariate(0.01) if rng.random() < 0.9 else None,
            "colour": colour,
            "flag": rng.random() < 0.5,
            "place": (rng.random(), rng.random()),
        }
        yield f"event-{index}", features, "abc"[(size > 10) + (colour == "red")]


def made(
    name: str, committee_size: int = 0, parameters: Mapping[str, object] | None = None
) -> Learner:
    return build_learner(name, parameters=parameters or {}, committee_size=committee_size, seed=11)


def taught(learner: Learner, count: int = 300, seed: int = 5, weight: float = 1.0) -> Learner:
    for event_id, features, label in stream(count, seed):
        learner.learn(features, label, event_id=event_id, weight=weight)
    return learner


def answers(learner: Learner, count: int = 40) -> list[tuple[Probabilities, Any]]:
    items = [features for _, features, _ in stream(count, seed=77)] + ODD
    return [(probabilities_of(learner, x), members_of(learner, x)) for x in items]


def assert_valid(probabilities: Probabilities) -> None:
    assert all(isinstance(label, str) for label in probabilities)
    assert all(math.isfinite(p) and p >= 0 for p in probabilities.values())
    if probabilities:
        assert math.fsum(probabilities.values()) == pytest.approx(1.0, abs=1e-9)


every_learner = pytest.mark.parametrize("name", list(LEARNERS))
with_and_without_committee = pytest.mark.parametrize("committee_size", [0, 3])


@every_learner
@with_and_without_committee
def test_same_events_give_the_same_predictions(name: str, committee_size: int) -> None:
    first, second = (taught(made(name, committee_size), 150) for _ in range(2))
    assert answers(first) == answers(second)


def test_predictions_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = (
        "import json, runpy\n"
        f"t = runpy.run_path({__file__!r})\n"
        "print(json.dumps({n: t['answers'](t['taught'](t['made'](n))) for n in t['LEARNERS']}))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert json.loads(outputs[0]) == json.loads(outputs[1])


@every_learner
@with_and_without_committee
def test_a_pickled_copy_continues_identically(name: str, committee_size: int) -> None:
    original = taught(made(name, committee_size), 100)
    copy: Learner = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own bytes
    assert answers(copy) == answers(original)
    assert answers(taught(copy, 100, seed=6)) == answers(taught(original, 100, seed=6))


@every_learner
@with_and_without_committee
def test_predicting_changes_no_later_prediction(name: str, committee_size: int) -> None:
    asked, left_alone = (taught(made(name, committee_size), 100) for _ in range(2))
    before = answers(asked)
    assert answers(asked) == before
    assert answers(taught(asked, 60, seed=6)) == answers(taught(left_alone, 60, seed=6))


@every_learner
def test_predicting_never_grows_a_learner(name: str) -> None:
    learner = taught(made(name), 100)
    probabilities_of(learner, {"size": 1.0})
    answers(learner)
    before = len(pickle.dumps(learner))
    for index in range(300):
        probabilities_of(learner, {f"name {index}": 1.0, "colour": f"value {index}"})
    assert len(pickle.dumps(learner)) == before


@every_learner
def test_cold_it_knows_nothing_and_one_label_ends_that(name: str) -> None:
    learner = made(name, 3)
    for probabilities, committee in answers(learner):
        assert probabilities == {}
        assert committee == ({}, {}, {})
    learner.learn({"size": 1.0, "colour": "red"}, "a", event_id="1")
    assert probabilities_of(learner, {"size": 1.0, "colour": "red"}) == {"a": 1.0}


@every_learner
@with_and_without_committee
def test_linear_learners_and_no_others_have_a_boundary(name: str, committee_size: int) -> None:
    learner = made(name, committee_size)
    linear = name in {"logistic_regression", "softmax_regression"}
    assert distance_of(learner, {"size": 1.0}) is None
    learner.learn({"size": 1.0, "colour": "red"}, "a", event_id="1")
    assert distance_of(learner, {"size": 1.0}) is None, "one class has no boundary"
    taught(learner, 100)
    for _, features, _ in stream(40, seed=77):
        distance = distance_of(learner, features)
        assert (distance is not None) is linear
        assert distance is None or distance >= 0.0
    for odd in ODD:
        distance_of(learner, odd)


@every_learner
def test_one_class_only_stays_valid_and_recovers(name: str) -> None:
    learner = made(name)
    for event_id, features, _ in stream(100):
        learner.learn(features, "a", event_id=event_id)
        assert_valid(probabilities_of(learner, features))
        assert set(probabilities_of(learner, features)) <= {"a"}
    taught(learner, 300)
    assert {top_class(p) for p, _ in answers(learner)} >= {"b"}


@every_learner
def test_classes_may_appear_over_time(name: str) -> None:
    learner = made(name)
    for position, (event_id, features, _) in enumerate(stream(240)):
        label = f"class {position // 60}"
        learner.learn(features, label, event_id=event_id)
        probabilities = probabilities_of(learner, features)
        assert_valid(probabilities)
        assert set(probabilities) == {f"class {known}" for known in range(position // 60 + 1)}


@every_learner
@with_and_without_committee
def test_odd_values_are_predicted_and_learned(name: str, committee_size: int) -> None:
    learner = made(name, committee_size)
    for round_ in range(6):
        for index, features in enumerate(ODD):
            learner.learn(features, "ab"[index % 2], event_id=f"{round_}-{index}")
            for probabilities, committee in answers(learner, 2):
                assert_valid(probabilities)
                assert len(committee) == committee_size
                for member in committee:
                    assert_valid(member)


@every_learner
def test_it_learns_mixed_features_even_after_wild_values(name: str) -> None:
    learner = made(name)
    for index, features in enumerate(ODD):
        learner.learn(features, "ab"[index % 2], event_id=f"odd-{index}")
    # River's tree leaves take a category that a class never had for no evidence at all, so trees
    # know little before their first splits.
    taught(learner, 1000 if "hoeffding" in name else 400)
    items = list(stream(200, seed=77))
    right = sum(top_class(probabilities_of(learner, x)) == label for _, x, label in items)
    assert right / len(items) > 0.6, "the most frequent class is at 0.5"


@every_learner
def test_null_and_absent_are_the_same(name: str) -> None:
    def variant(features: dict[str, FeatureValue], index: int) -> dict[str, FeatureValue]:
        gone = list(features)[index % len(features)]
        return {key: value for key, value in features.items() if key != gone}

    def nulled(features: dict[str, FeatureValue], index: int) -> dict[str, FeatureValue]:
        gone = list(features)[index % len(features)]
        return {key: None if key == gone else value for key, value in features.items()}

    absent, null = made(name), made(name)
    for index, (event_id, features, label) in enumerate(stream(80)):
        absent.learn(variant(features, index), label, event_id=event_id)
        null.learn(nulled(features, index), label, event_id=event_id)
    for index, (_, features, _) in enumerate(stream(20, seed=9)):
        assert probabilities_of(absent, variant(features, index)) == probabilities_of(
            null, nulled(features, index)
        )


@every_learner
def test_memory_is_bounded_whatever_categories_and_names_come(name: str) -> None:
    """Each item brings a new category, a new number and a new text feature."""
    learner = made(name, parameters={"max_columns": 40, "max_categories": 10})
    sizes = []
    for index in range(4000):
        features: dict[str, FeatureValue] = {
            "size": float(index % 17),
            "id": f"id {index}",
            f"number {index}": 1.0,
            f"text {index}": "value",
        }
        learner.learn(features, "ab"[index % 17 > 8], event_id=str(index))
        if index + 1 in (2000, 4000):
            sizes.append(len(pickle.dumps(learner)))
    assert sizes[1] < 1.2 * sizes[0] + 2000


ALTERNATIVES: dict[str, object] = {
    "bootstrap_sampling": False,
    "class_balance": 1.0,
    "delta": 0.4,
    "dirichlet": 0.1,
    "drift_window_threshold": 1,
    "grace_period": 150,
    "half_life": 1.0,
    "importance_weight_cap": 3.0,
    "l2": 0.1,
    "lambda_value": 2,
    "leaf_prediction": "mc",
    "learners": "gaussian_nb+knn_classifier",
    "learning_rate": 0.01,
    "level_half_life": 5.0,
    "max_categories": 1,
    "max_columns": 3,
    "max_depth": 1,
    "max_nodes": 5,
    "memory": 0.9,
    "n_estimators": 3,
    "n_models": 3,
    "n_neighbors": 3,
    "passes": 2,
    "replay_buffer": 10,
    "share": 0.5,
    "split_criterion": "gini",
    "step": 0.1,
    "tau": 0.9,
    "variance_floor": 2.0,
    "weighted": False,
    "window_size": 20,
}
#: Parameters that matter once there is drift only; here it is enough that they are accepted.
SLOW = {"drift_window_threshold", "half_life"}

every_parameter = pytest.mark.parametrize(
    ("name", "parameter"),
    [
        pytest.param(spec.name, parameter, id=f"{spec.name}-{parameter.name}")
        for spec in LEARNERS.values()
        for parameter in spec.parameters
    ],
)


@every_parameter
def test_every_parameter_reaches_the_model(name: str, parameter: Parameter) -> None:
    value = ALTERNATIVES[parameter.name]
    assert value != parameter.default
    # No item is drawn from a replay buffer while there is one pass.
    base: dict[str, object] = {"passes": 3} if parameter.name == "replay_buffer" else {}
    other = made(name, parameters={**base, parameter.name: value})
    same = made(name, parameters=base)
    # Deep trees take a while to grow; a forest is slow, but its many trees show a change early.
    rounds = 6 if "hoeffding" in name else 2
    differs = False
    for round_ in range(rounds):
        taught(other, 300, seed=round_, weight=4.0)
        taught(same, 300, seed=round_, weight=4.0)
        differs = differs or answers(other) != answers(same)
        if differs:
            break
    assert differs is (parameter.name not in SLOW)


@every_parameter
def test_a_value_of_the_wrong_type_names_the_key(name: str, parameter: Parameter) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        made(name, parameters={parameter.name: [1]})
    (line,) = caught.value.problems
    assert line == f"learner.parameters.{parameter.name}: [1] is not allowed; {parameter.allowed}"


@every_learner
def test_an_unknown_parameter_names_the_key_and_the_known_ones(name: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        made(name, parameters={"learning_speed": 3})
    (line,) = caught.value.problems
    assert line.startswith("learner.parameters.learning_speed: 3 is for no parameter")
    assert "max_categories" in line


@pytest.mark.parametrize("name", [name for name, spec in LEARNERS.items() if spec.training])
def test_weights_have_an_effect_exactly_where_the_catalogue_says_so(name: str) -> None:
    weighted = {"importance_weight_cap", "class_balance"}
    offered = {parameter.name for parameter in LEARNERS[name].parameters} & weighted
    assert offered == (weighted if LEARNERS[name].weights else set())
    cap: dict[str, object] = {"importance_weight_cap": 10.0} if offered else {}
    plain, weighed = made(name, parameters=cap), made(name, parameters=cap)
    for event_id, features, label in stream(150):
        plain.learn(features, label, event_id=event_id)
        weighed.learn(features, label, event_id=event_id, weight=3.0 if label == "a" else 1.0)
    assert (answers(plain) != answers(weighed)) is LEARNERS[name].weights


@every_learner
def test_the_catalogue_is_complete(name: str) -> None:
    spec = LEARNERS[name]
    assert spec.name == name == name.lower()
    assert "(" in spec.source, "says authors and year"
    for text in (spec.summary, *(parameter.description for parameter in spec.parameters)):
        assert text.endswith(".")
    for parameter in spec.parameters:
        assert parameter.checked(parameter.default) == parameter.default
