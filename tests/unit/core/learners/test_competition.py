"""The best learner serves, judged without bias by the labels that were chosen."""

from __future__ import annotations

import random

import numpy as np
import pytest

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners import Learner, build_learner
from streamal.core.learners.competition import Competition
from streamal.core.types import Features
from streamal.errors import SettingsInvalid
from tests.support.single import distance_of, members_of, probabilities_of


class Always(Learner):
    """Predicts what the feature that it is named after says."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.learned = 0

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        return Distributions.of([{str(row[self.name]): 1.0} for row in features.rows])

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        return (self.predict_proba(features),)

    def boundary_distance(self, features: FeatureColumns) -> Vector:
        return np.full(len(features), float(self.name == "second"))

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:  # noqa: ARG002 - same
        self.learned += 1


def competition(half_life: float = 100.0) -> Competition:
    return Competition({"first": Always("first"), "second": Always("second")}, half_life=half_life)


def teach(both: Competition, right: tuple[bool, bool], count: int = 1, weight: float = 1.0) -> None:
    said = ["x" if each else "y" for each in right]
    for _ in range(count):
        both.learn({"first": said[0], "second": said[1]}, "x", event_id="e", weight=weight)


def test_the_first_serves_until_another_leads() -> None:
    both = competition()
    teach(both, (True, True), 50)
    assert both.serving == "first"
    teach(both, (False, True), 2)
    assert both.serving == "second"
    assert probabilities_of(both, {"first": "y", "second": "x"}) == {"x": 1.0}
    assert members_of(both, {"first": "y", "second": "x"}) == ({"x": 1.0},)
    assert distance_of(both, {}) == 1.0


def test_every_learner_learns_whoever_serves() -> None:
    first, second = Always("first"), Always("second")
    both = Competition({"first": first, "second": second}, half_life=100.0)
    teach(both, (False, True), 10)
    assert (first.learned, second.learned) == (10, 10)


@pytest.mark.parametrize(("half_life", "least", "most"), [(5.0, 1, 15), (1e6, 100, 140)])
def test_a_drift_hands_over_the_sooner_the_shorter_the_memory(
    half_life: float, least: int, most: int
) -> None:
    both = competition(half_life)
    teach(both, (False, True), 100)
    labels = 0
    while both.serving == "second":
        teach(both, (True, False))
        labels += 1
    assert least <= labels <= most


def test_labels_count_for_the_items_that_they_stand_for() -> None:
    """One learner is right about the easy nine tenths, the other where the gate asks most."""
    rng = random.Random(4)
    both, plain = competition(1000.0), competition(1000.0)
    for _ in range(3000):
        hard = rng.random() < 0.1
        propensity = 0.9 if hard else 0.05
        if rng.random() < propensity:
            teach(both, (not hard, hard), weight=1.0 / propensity)
            teach(plain, (not hard, hard))
    assert both.serving == "first"
    assert plain.serving == "second", "more of the labels are hard items"


def test_it_is_built_by_name_and_learns() -> None:
    learner = build_learner(
        "best_of",
        parameters={"learners": "gaussian_nb+logistic_regression", "half_life": 50},
        committee_size=3,
        seed=1,
    )
    rng = random.Random(5)
    for n in range(300):
        x = rng.uniform(-1, 1)
        learner.learn({"x": x}, "ab"[abs(x) > 0.5], event_id=str(n))
    assert isinstance(learner, Competition)
    assert learner.serving == "gaussian_nb", "no line separates these"
    assert len(members_of(learner, {"x": 0.0})) == 3


@pytest.mark.parametrize("names", ["", "default", "default+default", "default+best_of"])
def test_names_that_make_no_competition(names: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"learner.parameters.learners"):
        build_learner("best_of", parameters={"learners": names}, committee_size=0, seed=1)


def test_an_unknown_member_is_named() -> None:
    with pytest.raises(SettingsInvalid, match="'nobody' is not a learner"):
        build_learner(
            "best_of", parameters={"learners": "default+nobody"}, committee_size=0, seed=1
        )
