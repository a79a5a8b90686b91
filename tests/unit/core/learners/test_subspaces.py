"""Members that see different features."""

from __future__ import annotations

import pickle

from streamal.core.learners import CommitteeKind, build_model
from streamal.core.learners.online import OnlineModel
from streamal.core.types import Production, top_class
from tests.support.single import margin_of, outlook_of

FEATURES = [f"f{number}" for number in range(20)]


def model(kind: CommitteeKind = CommitteeKind.SUBSPACES, seed: int = 3) -> OnlineModel:
    return build_model(
        "logistic_regression", parameters={}, committee_size=6, committee_kind=kind, seed=seed
    )


def taught(count: int = 300, seed: int = 3) -> OnlineModel:
    """Every feature says the same: the class."""
    made = model(seed=seed)
    for number in range(count):
        label, sign = ("a", 1.0) if number % 2 else ("b", -1.0)
        item = {name: sign + ((number * 7 + k) % 5 - 2) / 5 for k, name in enumerate(FEATURES)}
        made.learn(item, Production(), label, event_id=str(number))
    return made


def opinions(made: OnlineModel, features: dict[str, float]) -> list[str | None]:
    return [top_class(member) for member in outlook_of(made, features, Production()).committee]


def test_members_agree_where_all_features_do() -> None:
    made = taught()
    assert opinions(made, dict.fromkeys(FEATURES, 1.0)) == ["a"] * 6
    assert opinions(made, dict.fromkeys(FEATURES, -1.0)) == ["b"] * 6


def test_members_disagree_where_features_do() -> None:
    split = {name: 1.0 if number < 10 else -1.0 for number, name in enumerate(FEATURES)}
    assert set(opinions(taught(), split)) == {"a", "b"}


def test_a_member_looks_at_about_half_of_the_features_and_always_at_the_same() -> None:
    made = taught()
    base = dict.fromkeys(FEATURES, 0.0)
    before = outlook_of(made, base, Production()).committee
    moved = [0] * 6
    for name in FEATURES:
        after = outlook_of(made, base | {name: 5.0}, Production()).committee
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            moved[number] += old != new
    assert all(3 <= count <= 17 for count in moved)
    assert 45 <= sum(moved) <= 75


def test_another_seed_draws_other_subspaces_and_the_same_seed_the_same() -> None:
    split = {name: 1.0 if number < 10 else -1.0 for number, name in enumerate(FEATURES)}
    first, again, other = (outlook_of(taught(seed=seed), split, Production()) for seed in (3, 3, 4))
    assert first.committee == again.committee != other.committee
    copy: OnlineModel = pickle.loads(pickle.dumps(taught()))  # noqa: S301 - our own bytes
    assert outlook_of(copy, split, Production()) == first


def test_an_item_with_one_feature_is_seen_by_all() -> None:
    made = model()
    for number in range(50):
        sign = 1.0 if number % 2 else -1.0
        made.learn({"only": sign}, Production(), "ab"[number % 2], event_id=str(number))
    assert opinions(made, {"only": 1.0}) == ["b"] * 6


def test_the_serving_learner_is_that_of_a_model_without_a_committee() -> None:
    alone = build_model("logistic_regression", parameters={}, committee_size=0, seed=3)
    made = model()
    for number in range(40):
        item = {"x": float(number % 5), "y": float(number % 3)}
        for each in (alone, made):
            each.learn(item, Production(), "ab"[number % 2], event_id=str(number))
    asked = {"x": 1.0, "y": 2.0}
    assert outlook_of(made, asked, Production()).probabilities == (
        outlook_of(alone, asked, Production()).probabilities
    )
    assert margin_of(made, asked, Production()) is not None
