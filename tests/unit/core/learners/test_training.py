"""Weights are capped and balanced; labels are learned again, by hashes of the event."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners import Learner, build_learner
from streamal.core.learners.training import TrainedLearner, Training
from streamal.core.types import Features
from streamal.errors import SettingsInvalid
from tests.support.single import distance_of, members_of, probabilities_of


class Notes(Learner):
    """Writes down what it is taught."""

    def __init__(self) -> None:
        self.lessons: list[tuple[object, str, float]] = []
        self.event_ids: list[str] = []

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        return Distributions.of([{str(row["n"]): 1.0} for row in features.rows])

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        return (self.predict_proba(features),)

    def boundary_distance(self, features: FeatureColumns) -> Vector:
        return np.full(len(features), 3.0)

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        self.lessons.append((features["n"], label, weight))
        self.event_ids.append(event_id)


def taught(
    training: Training, count: int, weight: float = 1.0, *, label: str = "a", seed: int = 1
) -> Notes:
    notes = Notes()
    learner = TrainedLearner(notes, training, seed=seed)
    for n in range(count):
        learner.learn({"n": n}, label, event_id=f"e{n}", weight=weight)
    return notes


def test_predictions_are_those_of_the_learner() -> None:
    learner = TrainedLearner(Notes(), Training(), seed=1)
    assert probabilities_of(learner, {"n": 4}) == {"4": 1.0}
    assert members_of(learner, {"n": 4}) == ({"4": 1.0},)
    assert distance_of(learner, {"n": 4}) == 3.0


@pytest.mark.parametrize(("cap", "learned"), [(1.0, 1.0), (5.0, 5.0), (100.0, 20.0)])
def test_weights_are_capped(cap: float, learned: float) -> None:
    notes = taught(Training(importance_weight_cap=cap), 1, weight=20.0)
    assert notes.lessons == [(0, "a", learned)]


def test_several_passes_learn_the_label_itself_again() -> None:
    notes = taught(Training(passes=3), 2)
    assert [n for n, _, _ in notes.lessons] == [0, 0, 0, 1, 1, 1]
    assert len(set(notes.event_ids)) == 6, "a committee resamples each pass anew"
    assert notes.event_ids[0] == "e0"


def test_with_a_buffer_earlier_labels_are_learned_again() -> None:
    notes = taught(Training(passes=2, replay_buffer=10), 200)
    fresh, again = notes.lessons[::2], notes.lessons[1::2]
    assert [n for n, _, _ in fresh] == list(range(200))
    ages = [now - int(str(n)) for now, (n, _, _) in enumerate(again)][20:]
    assert all(age > 0 for age in ages), "the label itself is not in the buffer yet"
    assert sum(age <= 5 for age in ages) == pytest.approx(90, abs=25), "half are of the latest 5"
    assert max(ages) > 100, "the sample reaches back to the start"


def test_the_sample_of_what_went_by_is_uniform() -> None:
    found: Counter[int] = Counter()
    for seed in range(300):
        notes = taught(Training(passes=2, replay_buffer=8), 60, seed=seed)
        found[int(str(notes.lessons[-1][0]))] += 1
    old = sum(count for n, count in found.items() if n < 28)
    later = sum(count for n, count in found.items() if 28 <= n < 55)
    assert old == pytest.approx(later, abs=45)
    assert old + later == pytest.approx(150, abs=45)


def test_replay_depends_on_seed_and_events_alone() -> None:
    training = Training(passes=3, replay_buffer=20)
    assert taught(training, 100).lessons == taught(training, 100).lessons
    assert taught(training, 100).lessons != taught(training, 100, seed=2).lessons


def weights_of(balance: float, labels: str) -> list[float]:
    notes = Notes()
    learner = TrainedLearner(notes, Training(class_balance=balance), seed=1)
    for n, label in enumerate(labels):
        learner.learn({"n": n}, label, event_id=str(n))
    return [weight for _, _, weight in notes.lessons]


def test_balance_weighs_by_inverse_frequency() -> None:
    assert weights_of(0.0, "aaab") == [1.0] * 4
    assert weights_of(1.0, "aaab") == [1.0, 1.0, 1.0, 2.0]
    assert weights_of(0.5, "aaab")[-1] == pytest.approx(2.0**0.5)
    assert weights_of(1.0, "aaaba")[-1] == pytest.approx(5 / 8)


def test_a_very_rare_class_does_not_outweigh_all() -> None:
    assert weights_of(1.0, "a" * 500 + "b")[-1] == 10.0


def test_a_buffer_that_is_never_used_is_a_mistake() -> None:
    with pytest.raises(SettingsInvalid, match="set passes to 2 or more"):
        build_learner(
            "logistic_regression", parameters={"replay_buffer": 5}, committee_size=0, seed=1
        )


def test_the_options_work_for_a_factory_of_ones_own() -> None:
    learner = build_learner(
        "river.linear_model:LogisticRegression",
        parameters={"passes": 2, "replay_buffer": 5, "l2": 0.01},
        committee_size=0,
        seed=1,
    )
    learner.learn({"x": 1.0}, "a", event_id="1")
    assert probabilities_of(learner, {"x": 1.0}) == {"a": 1.0}
