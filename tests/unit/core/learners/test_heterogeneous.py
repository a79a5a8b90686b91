"""Different learners as a committee."""

from __future__ import annotations

import pickle

from streamal.core.learners import CommitteeKind, build_learner, build_model
from streamal.core.learners.online import OnlineModel
from streamal.core.types import Production
from tests.support.single import margin_of, outlook_of, probabilities_of

MEMBERS = ("gaussian_nb", "knn_classifier")


def taught(learners: tuple[str, ...] = MEMBERS) -> OnlineModel:
    made = build_model(
        "logistic_regression",
        parameters={},
        committee_size=0,
        committee_kind=CommitteeKind.HETEROGENEOUS,
        committee_learners=learners,
    )
    for number in range(100):
        x = (number % 20 - 9.5) / 5
        made.learn({"x": x}, Production(), "in" if abs(x) < 1 else "out", event_id=str(number))
    return made


def test_each_member_is_what_it_would_be_alone() -> None:
    made = taught()
    asked = {"x": 0.4}
    for name, member in zip(MEMBERS, outlook_of(made, asked, Production()).committee, strict=True):
        alone = build_learner(name, parameters={}, committee_size=0, seed=0)
        for number in range(100):
            x = (number % 20 - 9.5) / 5
            alone.learn({"x": x}, "in" if abs(x) < 1 else "out", event_id=str(number))
        assert member == probabilities_of(alone, asked)


def test_a_line_and_a_density_disagree_about_what_no_line_can_separate() -> None:
    made = taught(("logistic_regression", "gaussian_nb"))
    middle, edge = (outlook_of(made, {"x": x}, Production()).committee for x in (0.0, 1.9))
    line, density = (inside["in"] - far["in"] for inside, far in zip(middle, edge, strict=True))
    assert density > abs(line) + 0.1


def test_the_serving_learner_and_its_boundary_are_the_named_one_s() -> None:
    made = taught()
    alone = build_model("logistic_regression", parameters={}, committee_size=0)
    for number in range(100):
        x = (number % 20 - 9.5) / 5
        alone.learn({"x": x}, Production(), "in" if abs(x) < 1 else "out", event_id=str(number))
    at, nothing = {"x": 0.3}, Production()
    assert (
        outlook_of(made, at, nothing).probabilities == outlook_of(alone, at, nothing).probabilities
    )
    assert margin_of(made, at, nothing) == margin_of(alone, at, nothing)


def test_a_pickled_copy_says_the_same() -> None:
    made = taught()
    copy: OnlineModel = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
    assert outlook_of(copy, {"x": 0.4}, Production()) == outlook_of(made, {"x": 0.4}, Production())
