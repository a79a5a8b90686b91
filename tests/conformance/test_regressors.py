"""The contract of every registered regression learner, alone and as a committee."""

from __future__ import annotations

import json
import math
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from streamal.core.learners import Parameter
from streamal.core.learners.regression import (
    LARGEST_VALUE,
    REGRESSORS,
    ValueLearner,
    build_regressor,
)
from streamal.core.types import Features, FeatureValue
from streamal.errors import Reject, SettingsInvalid
from tests.support.single import value_of, values_of

Item = tuple[str, dict[str, FeatureValue], float]

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
    """Mixed features; the truth, in thousands, depends on a number and a category."""
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
        yield f"event-{index}", features, 5000 + 300 * size + 2000 * (colour == "red")


def made(
    name: str, committee_size: int = 0, parameters: Mapping[str, object] | None = None
) -> ValueLearner:
    return build_regressor(
        name, parameters=parameters or {}, committee_size=committee_size, seed=11
    )


def taught(learner: ValueLearner, count: int = 300, seed: int = 5) -> ValueLearner:
    for event_id, features, value in stream(count, seed):
        learner.learn(features, value, event_id=event_id)
    return learner


def answers(
    learner: ValueLearner, count: int = 40
) -> list[tuple[float | None, tuple[float | None, ...]]]:
    items = [features for _, features, _ in stream(count, seed=77)] + ODD
    return [(value_of(learner, x), values_of(learner, x)) for x in items]


def is_valid(value: float | None) -> bool:
    return value is None or math.isfinite(value)


every_learner = pytest.mark.parametrize("name", list(REGRESSORS))
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
        "print(json.dumps({n: t['answers'](t['taught'](t['made'](n))) for n in t['REGRESSORS']}))"
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
    copy: ValueLearner = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own bytes
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
    value_of(learner, {"size": 1.0})
    answers(learner)
    before = len(pickle.dumps(learner))
    for index in range(300):
        value_of(learner, {f"name {index}": 1.0, "colour": f"value {index}"})
    assert len(pickle.dumps(learner)) == before


@every_learner
def test_cold_it_knows_nothing_and_two_different_truths_end_that(name: str) -> None:
    learner = made(name, 3)
    assert set(answers(learner)) == {(None, (None, None, None))}
    item: Features = {"size": 1.0, "colour": "red"}
    for event_id in "12":
        learner.learn(item, 7.0, event_id=event_id)
        assert value_of(learner, item) is None, "it has seen one truth only"
    learner.learn(item, 9.0, event_id="3")
    value = value_of(learner, item)
    assert value is not None
    assert 5.0 <= value <= 11.0, "at most one range beyond what was seen"


@every_learner
@with_and_without_committee
def test_odd_values_are_predicted_and_learned(name: str, committee_size: int) -> None:
    learner = made(name, committee_size)
    for round_ in range(6):
        for index, features in enumerate(ODD):
            learner.learn(features, 10.0 * (index % 2), event_id=f"{round_}-{index}")
            for value, committee in answers(learner, 2):
                assert is_valid(value)
                assert len(committee) == committee_size
                assert all(map(is_valid, committee))


@every_learner
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e101])
def test_a_truth_that_is_no_usable_number_is_refused(name: str, value: float) -> None:
    learner = taught(made(name), 50)
    before = answers(learner)
    with pytest.raises(Reject, match="unlearnable"):
        learner.learn({"size": 1.0}, value, event_id="x")
    assert [answer is None for answer, _ in answers(learner)] == [a is None for a, _ in before]


@every_learner
def test_the_largest_truths_stay_finite(name: str) -> None:
    learner = taught(made(name), 50)
    for index, value in enumerate((LARGEST_VALUE, -LARGEST_VALUE, 1.0, 2.0)):
        learner.learn({"size": float(index)}, value, event_id=str(index))
        assert all(is_valid(answer) for answer, _ in answers(learner))


@every_learner
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_it_learns_mixed_features_even_after_wild_values_in_any_unit(
    name: str, unit: float
) -> None:
    learner = made(name)
    for index, features in enumerate(ODD):
        learner.learn(features, unit * 1000 * (index % 2), event_id=f"odd-{index}")
    for event_id, features, value in stream(600):
        learner.learn(features, unit * value, event_id=event_id)
    items = list(stream(200, seed=77))
    mean = sum(value for _, _, value in items) / len(items)
    loss = sum(abs((value_of(learner, x) or 0.0) / unit - value) for _, x, value in items)
    assert loss < 0.75 * sum(abs(mean - value) for _, _, value in items), "knows the mean at least"


@every_learner
def test_null_and_absent_are_the_same(name: str) -> None:
    def variant(features: dict[str, FeatureValue], index: int) -> dict[str, FeatureValue]:
        gone = list(features)[index % len(features)]
        return {key: value for key, value in features.items() if key != gone}

    def nulled(features: dict[str, FeatureValue], index: int) -> dict[str, FeatureValue]:
        gone = list(features)[index % len(features)]
        return {key: None if key == gone else value for key, value in features.items()}

    absent, null = made(name), made(name)
    for index, (event_id, features, value) in enumerate(stream(80)):
        absent.learn(variant(features, index), value, event_id=event_id)
        null.learn(nulled(features, index), value, event_id=event_id)
    for index, (_, features, _) in enumerate(stream(20, seed=9)):
        assert value_of(absent, variant(features, index)) == value_of(null, nulled(features, index))


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
        learner.learn(features, float(index % 17), event_id=str(index))
        if index + 1 in (2000, 4000):
            sizes.append(len(pickle.dumps(learner)))
    assert sizes[1] < 1.2 * sizes[0] + 2000


ALTERNATIVES: dict[str, object] = {
    "alpha": 100.0,
    "beta": 0.01,
    "bootstrap_sampling": False,
    "delta": 0.4,
    "drift_window_threshold": 1,
    "grace_period": 150,
    "l2": 0.1,
    "lambda_value": 2,
    "leaf_prediction": "mean",
    "learning_rate": 0.02,
    "max_categories": 1,
    "max_columns": 3,
    "max_depth": 1,
    "max_nodes": 5,
    "n_estimators": 3,
    "n_models": 3,
    "n_neighbors": 3,
    "share": 0.5,
    "step": 0.1,
    "tau": 0.9,
    "weighted": False,
    "window_size": 20,
}
#: Parameters that matter once there is drift only; here it is enough that they are accepted.
SLOW = {"drift_window_threshold"}

every_parameter = pytest.mark.parametrize(
    ("name", "parameter"),
    [
        pytest.param(spec.name, parameter, id=f"{spec.name}-{parameter.name}")
        for spec in REGRESSORS.values()
        for parameter in spec.parameters
    ],
)


@every_parameter
def test_every_parameter_reaches_the_model(name: str, parameter: Parameter) -> None:
    value = ALTERNATIVES[parameter.name]
    assert value != parameter.default
    other, same = made(name, parameters={parameter.name: value}), made(name)
    differs = False
    for round_ in range(4):
        taught(other, 300, seed=round_)
        taught(same, 300, seed=round_)
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
def test_weights_have_an_effect_exactly_where_the_catalogue_says_so(name: str) -> None:
    plain, weighted = made(name), made(name)
    for event_id, features, value in stream(150):
        plain.learn(features, value, event_id=event_id)
        weighted.learn(features, value, event_id=event_id, weight=3.0 if value > 8000 else 1.0)
    assert (answers(plain) != answers(weighted)) is REGRESSORS[name].weights


@every_learner
def test_the_catalogue_is_complete(name: str) -> None:
    spec = REGRESSORS[name]
    assert spec.name == name == name.lower()
    assert "(" in spec.source, "says authors and year"
    for text in (spec.summary, *(parameter.description for parameter in spec.parameters)):
        assert text.endswith(".")
    for parameter in spec.parameters:
        assert parameter.checked(parameter.default) == parameter.default
