"""A learner from settings: registered names, users' own factories, and what is wrong with them."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from river.compose import Pipeline, Select
from river.linear_model import LogisticRegression, Perceptron
from river.naive_bayes import GaussianNB
from river.preprocessing import OneHotEncoder, StandardScaler
from river.tree import HoeffdingTreeClassifier

from streamal.core.learners import LEARNERS, build_learner
from streamal.errors import Reject, SettingsInvalid
from tests.support.single import members_of, probabilities_of


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A user's module, importable as `own_models`."""
    module = ModuleType("own_models")
    monkeypatch.setitem(sys.modules, "own_models", module)

    def mixed(l2: float = 0.0) -> Pipeline:
        numbers = Select("size") | StandardScaler()
        texts = Select("colour") | OneHotEncoder()
        return (numbers + texts) | LogisticRegression(l2=l2)

    def unstorable() -> HoeffdingTreeClassifier:
        model = HoeffdingTreeClassifier()
        model.note = lambda: None
        return model

    def failing() -> None:
        raise RuntimeError("no\nluck")

    for name, value in {
        "mixed": mixed,
        "unstorable": unstorable,
        "failing": failing,
        "scaler": StandardScaler,
        "instance": GaussianNB(),
        "numbers_only": lambda: StandardScaler() | LogisticRegression(),
        "hard": lambda: 3,
        "ranks": Perceptron,
    }.items():
        setattr(module, name, value)
    return module


def build(name: str, committee_size: int = 0, **parameters: object) -> object:
    return build_learner(name, parameters=parameters, committee_size=committee_size, seed=0)


def problem(name: str, committee_size: int = 0, **parameters: object) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        build(name, committee_size, **parameters)
    (line,) = caught.value.problems
    assert "\n" not in line
    return line


@pytest.mark.usefixtures("own")
def test_a_users_pipeline_gets_the_features_as_they_are() -> None:
    learner = build_learner("own_models:mixed", parameters={"l2": 0.01}, committee_size=2, seed=0)
    for index in range(200):
        red = index % 2 == 0
        features = {"size": float(index % 5), "colour": "red" if red else "blue", "gone": None}
        learner.learn(features, "warm" if red else "cold", event_id=str(index))
    assert probabilities_of(learner, {"size": 2.0, "colour": "red"})["warm"] > 0.55
    assert probabilities_of(learner, {"size": 2.0, "colour": "blue"})["warm"] < 0.45
    assert len(members_of(learner, {"size": 2.0, "colour": "red"})) == 2


@pytest.mark.usefixtures("own")
def test_text_in_a_pipeline_for_numbers_is_one_reject_unless_preprocessed() -> None:
    raw = build_learner("own_models:numbers_only", parameters={}, committee_size=0, seed=0)
    with pytest.raises(Reject, match="TypeError"):
        raw.learn({"colour": "red"}, "a", event_id="1")
    assert probabilities_of(raw, {"colour": "red"}) == {}
    encoded = build_learner(
        "own_models:numbers_only",
        parameters={"preprocess": True, "max_columns": 10},
        committee_size=0,
        seed=0,
    )
    encoded.learn({"colour": "red"}, "a", event_id="1")
    assert probabilities_of(encoded, {"colour": "red"}) == {"a": 1.0}


def test_a_class_is_a_factory_too() -> None:
    learner = build_learner(
        "river.tree:HoeffdingTreeClassifier",
        parameters={"grace_period": 10},
        committee_size=0,
        seed=0,
    )
    learner.learn({"x": 1.0}, "a", event_id="1")
    assert probabilities_of(learner, {"x": 1.0}) == {"a": 1.0}


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("no_such_package:make", "cannot import 'no_such_package:make': ModuleNotFoundError"),
        ("own_models:absent", "cannot import 'own_models:absent': AttributeError"),
        ("own_models:", "cannot import 'own_models:'"),
        (":make", "cannot import ':make'"),
        ("own_models:instance", "is a GaussianNB; it must be a callable"),
        ("own_models:scaler", "returned a StandardScaler; it must return a River classifier"),
        ("own_models:hard", "returned a int"),
        ("own_models:failing", "RuntimeError: no luck"),
        ("own_models:unstorable", "cannot be stored"),
    ],
)
def test_a_factory_that_cannot_be_used_is_one_clear_line(path: str, says: str) -> None:
    assert says in problem(path)


@pytest.mark.usefixtures("own")
def test_parameters_of_a_factory_are_checked_by_name() -> None:
    line = problem("own_models:mixed", l3=1)
    assert line == "learner.parameters.l3: 1 is for no parameter of own_models:mixed; it takes l2"
    assert "preprocess: 'yes' is not allowed; true or false" in problem(
        "own_models:mixed", preprocess="yes"
    )
    assert "learner.parameters.max_columns" in problem(
        "own_models:mixed", preprocess=True, max_columns=0
    )


def test_an_unknown_name_lists_the_known_ones() -> None:
    line = problem("logistic")
    assert line.startswith("learner.name: 'logistic' is not a learner; one of default, ")
    assert all(name in line for name in LEARNERS)


@pytest.mark.parametrize("size", [-1, 1])
def test_a_committee_of_one_is_none(size: int) -> None:
    assert problem("default", size).startswith(f"learner.committee_size: {size}")


def test_every_wrong_parameter_gets_its_line() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        build("logistic_regression", l2=-1, learning_rate="fast", depth=3)
    assert [line.split(":")[0] for line in caught.value.problems] == [
        "learner.parameters.depth",
        "learner.parameters.learning_rate",
        "learner.parameters.l2",
    ]
