"""The window of events as a learner sees them."""

from __future__ import annotations

import json
import math

import pytest

from streamal.core.features import FeatureColumns
from streamal.core.learners import LEARNERS, build_learner
from streamal.core.strategies.recent_inputs import RecentInputs
from streamal.core.types import Features

MIXED: list[Features] = [
    {"size": 3, "colour": "red", "flag": True, "place": (0.5, 2), "weight": 0.1},
    {"size": None, "colour": "", "flag": False, "place": (math.nan, 1.0)},
    {"size": math.inf, "weight": -(10**400), "place": ()},
    {"size": 10**18, "colour": "x" * 5_000},
    {},
]


def through_json(window: RecentInputs) -> RecentInputs:
    again = RecentInputs(10)
    again.restore(json.loads(json.dumps(window.state(), allow_nan=False)))
    return again


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_sees_no_difference(name: str) -> None:
    learner = build_learner(name, parameters={}, committee_size=0, seed=1)
    for number, features in enumerate(MIXED * 4):
        learner.learn(features, "ab"[number % 2], event_id=str(number))
    window = RecentInputs(10)
    for features in MIXED:
        window.add(features)
    held, restored = window.items, through_json(window).items
    for original, kept, again in zip(MIXED, held, restored, strict=True):
        expected, *others = learner.predict_proba(FeatureColumns([original, kept, again])).items()
        assert others == [expected, expected]


def test_the_latest_are_kept() -> None:
    window = RecentInputs(3)
    for number in range(5):
        window.add({"x": number})
    assert [item["x"] for item in window.items] == [2.0, 3.0, 4.0]
    assert through_json(window).items == window.items


def test_wide_events_make_it_shorter_and_the_last_stays() -> None:
    window = RecentInputs(100)
    for number in range(100):
        window.add({f"feature {column}": number + 1 / 3 for column in range(100)})
    assert 5 < len(window.items) < 20
    assert len(json.dumps(window.state())) <= RecentInputs.CHARACTERS + 100
    assert window.items[-1]["feature 0"] == 99 + 1 / 3
    window.add({f"feature {column}": 1 / 3 for column in range(5_000)})
    assert len(window.items) == 1


def test_an_empty_state_is_a_fresh_start() -> None:
    window = RecentInputs(3)
    window.add({"x": 1.0})
    window.restore({})
    assert window.items == ()
