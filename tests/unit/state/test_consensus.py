"""Rules of consensus over what is known of the annotators."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import pytest

from streamal.core.annotation import Fit, Vote
from streamal.state.annotators import KEPT_PANELS, Annotators, Guard
from streamal.state.consensus import ConsensusRules, outcome, refit
from streamal.state.schema import SCHEMA


@pytest.fixture
def annotators() -> Iterator[Annotators]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield Annotators(connection, Guard())
    connection.close()


def known(annotators: Annotators, name: str, agreed: int, compared: int) -> None:
    for number in range(compared):
        annotators.observe(name, float(number < agreed))


def test_one_vote_decides_alone(annotators: Annotators) -> None:
    for method in ("majority", "weighted"):
        rules = ConsensusRules(method, least_confidence=0.9)
        assert outcome(rules, annotators, [Vote("new", "a")]).answer == "a"


def test_weights_follow_what_is_known(annotators: Annotators) -> None:
    known(annotators, "expert", 60, 60)
    known(annotators, "guess", 25, 50)
    votes = [Vote("expert", "a"), Vote("guess", "b")]
    assert outcome(ConsensusRules("majority"), annotators, votes).answer is None
    assert outcome(ConsensusRules("weighted"), annotators, votes).answer == "a"
    sure = ConsensusRules("weighted", least_confidence=0.99)
    assert outcome(sure, annotators, votes).answer is None


def test_newcomers_weigh_the_same(annotators: Annotators) -> None:
    votes = [Vote("x", "a"), Vote("y", "b")]
    assert outcome(ConsensusRules("weighted"), annotators, votes).answer is None


def test_dawid_skene_uses_its_fit_and_weights_without_one(annotators: Annotators) -> None:
    rules = ConsensusRules("dawid_skene")
    votes = [Vote("liar", "a"), Vote("weak", "b")]
    assert outcome(rules, annotators, votes).answer is None
    row = {"a": {"a": 0.1, "b": 0.9}, "b": {"a": 0.9, "b": 0.1}}
    weak = {"a": {"a": 0.6, "b": 0.4}, "b": {"a": 0.4, "b": 0.6}}
    annotators.keep_fit(Fit({"a": 0.5, "b": 0.5}, {"liar": row, "weak": weak}))
    assert outcome(rules, annotators, votes).answer == "b"
    assert annotators.fit() == Fit({"a": 0.5, "b": 0.5}, {"liar": row, "weak": weak})
    strange = [Vote("liar", "c"), Vote("weak", "c")]
    assert outcome(rules, annotators, strange).answer == "c"


class Fitter:
    """Stands for Dawid and Skene's model; remembers how many panels it saw."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def fit(self, panels: Iterable[Mapping[str, str]]) -> Fit:
        self.seen.append(len(list(panels)))
        return Fit({"a": 1.0}, {})


def test_it_is_fitted_now_and_then_over_a_bounded_past(annotators: Annotators) -> None:
    fitter = Fitter()
    rules = ConsensusRules("dawid_skene", dawid_skene=fitter)  # type: ignore[arg-type]  # stands for it
    for number in range(KEPT_PANELS + 60):
        refit(rules, annotators, annotators.set_panel(f"e{number}", {"x": "a", "y": "b"}))
    assert fitter.seen == [*range(25, KEPT_PANELS + 1, 25), KEPT_PANELS, KEPT_PANELS]
    assert len(annotators.panels()) == KEPT_PANELS


def test_a_panel_is_replaced_and_leaves_with_its_answers(annotators: Annotators) -> None:
    assert annotators.set_panel("e", {"x": "a"}) is None
    assert annotators.set_panel("e", {"x": "a", "y": "b"}) == 1
    assert annotators.set_panel("e", {"x": "a", "y": "a"}) is None
    assert annotators.panels() == [{"x": "a", "y": "a"}]
    assert annotators.number_panels() == []
    annotators.set_panel("e", {"x": "a"})
    assert annotators.panels() == []
    assert annotators.set_panel("numbers", {"x": 1.0, "y": 2.5}) == 1
    assert annotators.number_panels() == [{"x": 1.0, "y": 2.5}]
    assert annotators.panels() == []
