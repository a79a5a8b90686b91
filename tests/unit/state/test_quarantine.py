"""Annotators in quarantine, and that every verdict is for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from streamal.state import JudgeRules, Lesson, PendingView, Standing
from tests.support.label_log import RULES, Log, poison, quarantined, taught

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


@pytest.fixture
def view() -> Iterator[PendingView]:
    opened = PendingView(":memory:", pipeline="orders", rules=RULES)
    yield opened
    opened.close()


@pytest.fixture
def log(view: PendingView, make: Records) -> Log:
    return Log(view, make)


# Agreement and quarantine


def test_a_poisoner_is_quarantined_and_honest_annotators_are_not(log: Log) -> None:
    answers = poison(log, 12)
    assert [name for answer in answers for name in quarantined(answer)] == ["mal"]
    assert log.standing("mal") is Standing.QUARANTINED
    assert {log.standing(name) for name in ("ann", "bob")} == {Standing.TRUSTED}
    assert "held" in [answer.verdict for answer in answers if answer.content.annotator == "mal"]
    assert "bad" not in [answer for _, answer in taught(answers)]


def test_a_tie_that_nobody_resolved_counts_against_nobody(log: Log) -> None:
    for number in range(10):
        log.ask(f"e{number}", required=2)
        log.say("ann", f"e{number}", "good")
        log.say("mal", f"e{number}", "bad")
    assert {log.view.annotators.get(name).compared for name in ("ann", "mal")} == {0}
    for number in range(10):
        log.say("lead", f"e{number}", "good", adjudicates=True)
    assert log.view.annotators.get("ann").agreement == 1
    assert log.standing("mal") is Standing.QUARANTINED
    assert log.standing("ann") is Standing.TRUSTED


def test_an_answer_that_one_gave_says_nothing_about_who_contradicts(log: Log) -> None:
    log.ask("e")
    log.say("mal", "e", "bad")
    log.say("ann", "e", "good")
    assert log.view.annotators.get("ann").compared == 0
    log.say("bob", "e", "bad")
    found = {name: log.view.annotators.get(name).agreement for name in ("ann", "bob", "mal")}
    assert found == {"ann": 0, "bob": 1, "mal": 1}


def test_held_answers_are_learned_on_release(log: Log) -> None:
    log.rule("mal", "quarantine")
    log.ask("e")
    log.ask("f", required=2)
    held = [
        log.say("mal", "e", "bad"),
        log.say("mal", "f", "good"),
        log.say("mal", "own", "bad", features={"x": 2.0}),
        log.say("mal", "e", "good", arrived=20),
    ]
    assert [answer.verdict for answer in held] == ["held"] * 4
    assert taught(held) == []
    assert log.view.workforce(log.make.start).held == 3
    assert log.say("ann", "f", "good").verdict == "vote"
    released = log.rule("mal", "release", arrived=5000)
    assert released.verdict == "ruling"
    assert sorted(taught([released])) == [("e", "good"), ("f", "good"), ("own", "bad")]
    assert released.lessons[-1].features == {"x": 2.0} or released.lessons[0].features
    assert log.standing("mal") is Standing.TRUSTED
    assert log.view.workforce(log.make.start).held == 0


def test_held_answers_are_dropped_on_dismissal_and_later_ones_turned_away(log: Log) -> None:
    log.rule("mal", "quarantine")
    log.ask("e")
    log.say("mal", "e", "bad")
    dismissed = log.rule("mal", "dismiss")
    assert dismissed.effects == ()
    assert log.say("mal", "e", "bad").verdict == "dismissed"
    assert taught([log.say("ann", "e", "good")]) == [("e", "good")]
    log.rule("mal", "release")
    log.ask("f")
    assert taught([log.say("mal", "f", "good")]) == [("f", "good")]


def test_quarantine_takes_votes_out_of_undecided_items(log: Log) -> None:
    log.ask("e", required=2)
    log.ask("f")
    log.say("mal", "e", "bad")
    log.say("mal", "f", "bad")
    ruled = log.rule("mal", "quarantine")
    assert quarantined(ruled) == ["mal"]
    assert log.final("f") == "bad"
    assert log.say("ann", "e", "good").verdict == "vote"
    assert taught([log.say("bob", "e", "good")]) == [("e", "good")]
    released = log.rule("mal", "release")
    assert taught([released]) == []
    assert log.final("e") == "good"


def test_quarantine_can_settle_what_the_annotator_had_kept_open(log: Log) -> None:
    log.ask("e", required=2)
    log.say("mal", "e", "bad")
    log.say("ann", "e", "good")
    log.say("bob", "e", "ugly")
    log.say("bob", "e", "good", arrived=11)
    assert log.final("e") == "good"
    log.ask("f", required=2)
    for name, label in (("mal", "bad"), ("ann", "good"), ("cyd", "ugly"), ("bob", "good")):
        log.say(name, "f", label)
    assert log.final("f") is None
    settled = log.rule("mal", "quarantine")
    assert taught([settled]) == [("f", "good")]
    assert log.final("f") == "good"


def test_whoever_is_quarantined_cannot_change_old_answers_either(log: Log) -> None:
    log.ask("e")
    log.say("mal", "e", "good")
    log.rule("mal", "quarantine")
    assert log.say("mal", "e", "bad").verdict == "held"
    assert log.final("e") is None
    assert taught([log.rule("mal", "release")]) == []
    assert log.final("e") == "bad"


def test_quarantining_twice_changes_nothing(log: Log) -> None:
    assert quarantined(log.rule("mal", "quarantine")) == ["mal"]
    assert quarantined(log.rule("mal", "quarantine")) == []


def test_a_released_annotator_starts_with_a_clean_test(log: Log) -> None:
    poison(log, 12)
    log.rule("mal", "release")
    assert log.view.annotators.get("mal").wealth == ()
    assert log.standing("mal") is Standing.TRUSTED
    log.ask("g", gold="item-1")
    assert quarantined(log.say("mal", "g", "bad")) == []


def test_without_a_detector_nobody_is_quarantined(make: Records) -> None:
    view = PendingView(":memory:", pipeline="orders", rules=JudgeRules())
    log = Log(view, make)
    poison(log, 12)
    assert log.standing("mal") is Standing.TRUSTED
    assert view.annotators.get("mal").agreement == 0
    view.close()


# Once for all


def test_everything_is_the_same_when_asked_again(log: Log) -> None:
    first = poison(log, 12)
    log.ask("e")
    first += [
        log.say("mal", "e", "bad"),
        log.say("mal", "own", "bad", features={"x": 2.0}),
        log.rule("mal", "release"),
    ]
    log.ask("f", required=2)
    first += [log.say("ann", "f", "good"), log.say("bob", "f", "bad")]
    again = log.view.register_labels(log.records).answers
    assert [answer.effects for answer in again] == [answer.effects for answer in first]
    assert list(again) == first


def test_another_pass_over_the_same_log_says_the_same(log: Log, make: Records) -> None:
    first = poison(log, 12)
    other = PendingView(":memory:", pipeline="orders", rules=RULES)
    other.apply_reviews([make.review(n, f"p{n}", required=3) for n in range(12)])
    assert list(other.register_labels(log.records).answers) == first
    other.close()


def test_a_purged_verdict_is_looked_at_again_without_being_remembered(log: Log) -> None:
    log.ask("e")
    log.say("ann", "e", "good")
    source = log.records[0].source
    log.view.purge(log.make.start + 1e6, {source: 1})
    before = log.view._connection.total_changes
    (answer,) = log.view.register_labels(log.records).answers
    assert answer.verdict == "unknown"
    assert log.view.measures.answers("e") == ()
    assert log.view._connection.total_changes >= before


def test_a_held_answer_and_its_review_outlive_their_age(log: Log) -> None:
    log.rule("mal", "quarantine")
    log.ask("e")
    log.say("mal", "e", "good")
    source = log.records[0].source
    log.view.purge(log.make.start + 1e6, {source: 99})
    assert taught([log.rule("mal", "release")]) == [("e", "good")]


def test_what_follows_a_review_leaves_with_it(log: Log) -> None:
    log.ask("e", required=2)
    log.ask("g", gold="item-1")
    log.say("ann", "e", "good")
    log.say("bob", "e", "bad")
    log.say("lead", "e", "bad", adjudicates=True)
    log.say("ann", "g", "good")
    log.view.purge(log.make.start + 1e6, {log.records[0].source: 99})
    tables = ("reviews", "labels", "effects", "votes", "answers", "disputes", "adjudications")
    for table in (*tables, "gold", "gold_answers"):
        query = f"SELECT count(*) FROM {table}"  # noqa: S608 - our own names
        assert log.view._connection.execute(query).fetchone() == (0,), table
    assert log.view.annotators.get("ann").compared > 0


def test_lessons_are_lessons(log: Log) -> None:
    log.ask("e")
    (effect,) = log.say("ann", "e", "good").effects
    assert isinstance(effect, Lesson)
    assert effect.review is not None
