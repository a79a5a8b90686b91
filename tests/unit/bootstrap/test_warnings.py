"""Settings that are allowed and yet cannot do what they were chosen for."""

from __future__ import annotations

import pytest

from streamal.bootstrap import settings_warnings
from streamal.settings import Settings


def warned(strategy: str, gate: dict[str, object] | None = None, **learner: object) -> list[str]:
    sections = {
        "snapshots": {"signing_keys": ["0123456789abcdef"]},
        "gate": {"strategy": strategy, **(gate or {})},
        "learner": learner,
    }
    return settings_warnings(Settings.model_validate(sections))


@pytest.mark.parametrize("strategy", ["margin", "random", "expected_error", "half_space_trees"])
def test_most_strategies_need_nothing(strategy: str) -> None:
    assert warned(strategy) == []


def test_a_committee_strategy_without_a_committee() -> None:
    (line,) = warned("jensen_shannon")
    assert line == (
        "gate.strategy = 'jensen_shannon': asks a committee and none is set up, so events score 1 "
        "and are drawn at random; only events that carry one are told apart; set "
        "learner.committee_size"
    )
    (line,) = warned("jensen_shannon", {"committee": ["learner", "production"]})
    assert "only events" not in line


@pytest.mark.parametrize(
    ("gate", "size"), [({}, 2), ({"committee": ["production", "model"]}, 0), ({}, 10)]
)
def test_a_committee_of_two_is_enough(gate: dict[str, object], size: int) -> None:
    assert warned("vote_entropy", gate, committee_size=size) == []


def test_different_learners_are_a_committee_whatever_the_size() -> None:
    assert warned("vote_entropy", committee_kind="heterogeneous") == []


def test_members_without_a_seat_do_not_count() -> None:
    assert len(warned("vote_entropy", {"committee": ["production"]}, committee_size=10)) == 1


def test_a_committee_as_the_source_or_in_a_combination() -> None:
    parameters: dict[str, object] = {"source": "committee"}
    assert len(warned("margin", {"strategy_parameters": parameters})) == 1
    parts: dict[str, object] = {
        "strategies": [{"strategy": "margin"}, {"strategy": "vote_entropy"}]
    }
    assert len(warned("max", {"strategy_parameters": parts})) == 1


@pytest.mark.parametrize("strategy", ["hyperplane_distance", "closest_support_vector"])
def test_a_distance_needs_a_hyperplane(strategy: str) -> None:
    (line,) = warned(strategy)
    assert "learner.name = 'default' has none" in line
    assert warned(strategy, name="logistic_regression") == []
    assert warned(strategy, name="softmax_regression", committee_size=3) == []
    assert warned(strategy, name="logistic_regression", target="error") == []


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ({"consensus": "weighted"}, 1),
        ({"consensus": "weighted", "required": 2}, 0),
        ({"consensus": "weighted", "required_by_reason": {"exploration": 3}}, 0),
        ({"consensus": "weighted", "overlap": 0.1}, 0),
        ({}, 0),
    ],
)
def test_a_consensus_needs_votes(labels: dict[str, object], count: int) -> None:
    lines = settings_warnings(Settings.model_validate({"labels": labels}))
    assert len(lines) == count
    assert all(line.startswith("labels.consensus = 'weighted': every item") for line in lines)
