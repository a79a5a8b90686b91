"""What each label amounts to: late, repeated, revised, withdrawn, contradicting, disputed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from streamal.state import ConsensusRules, JudgeRules, PendingView
from tests.support.label_log import RULES, Log, disputes, taught

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


# One required label


def test_a_revision_changes_the_final_answer_and_not_the_model(log: Log) -> None:
    log.ask("e")
    first = log.say("ann", "e", "good")
    revised = log.say("ann", "e", "bad")
    assert (first.verdict, revised.verdict) == ("learned", "revised")
    assert taught([first, revised]) == [("e", "good")]
    assert log.final("e") == "bad"


def test_the_same_answer_again_changes_nothing(log: Log) -> None:
    log.ask("e")
    log.say("ann", "e", "good")
    assert log.say("ann", "e", "good").verdict == "duplicate"
    assert log.view.annotators.get("ann").answers == 1


@pytest.mark.parametrize("how", ["withdrawn", "unsure", "skip"])
def test_an_answer_taken_back_opens_the_event_again(log: Log, how: str) -> None:
    log.ask("e")
    log.say("ann", "e", "good")
    assert log.say("ann", "e", None, **{how: True}).verdict == "withdrawn"
    assert log.final("e") is None
    assert log.view.measures.pending(log.make.start) == 1
    again = log.say("bob", "e", "bad")
    assert (again.verdict, taught([again])) == ("settled", [])
    assert log.final("e") == "bad"


def test_a_withdrawal_without_an_answer_is_nothing(log: Log) -> None:
    log.ask("e")
    assert log.say("ann", "e", None, withdrawn=True).verdict == "withdrawn"
    assert taught([log.say("ann", "e", "good")]) == [("e", "good")]


def test_a_contradiction_leaves_the_final_answer(log: Log) -> None:
    log.ask("e")
    log.say("ann", "e", "good")
    assert log.say("bob", "e", "bad").verdict == "contradictory"
    assert log.say("cyd", "e", "good").verdict == "duplicate"
    assert log.final("e") == "good"


def test_when_the_first_is_withdrawn_the_next_one_counts(log: Log) -> None:
    log.ask("e")
    log.say("ann", "e", "good")
    log.say("bob", "e", "bad")
    log.say("ann", "e", None, withdrawn=True)
    assert log.final("e") == "bad"


def test_corrections_count_after_the_deadline_and_first_answers_do_not(log: Log) -> None:
    log.ask("e")
    log.ask("other")
    log.say("ann", "e", "good")
    assert log.say("ann", "e", "bad", arrived=101).verdict == "revised"
    assert log.final("e") == "bad"
    assert log.say("bob", "e", "bad", arrived=102).verdict == "late"
    late = log.say("ann", "other", "good", arrived=103)
    assert (late.verdict, late.effects) == ("late", ())


def test_nothing_is_learned_from_corrections_after_the_deadline(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("bob", "e", "bad")
    log.say("bob", "e", None, withdrawn=True)
    revised = log.say("ann", "e", "bad", arrived=90)
    assert (revised.verdict, revised.effects) == ("revised", ())
    log.ask("f", required=2)
    log.say("ann", "f", "good")
    log.say("bob", "f", "bad")
    settled = log.say("bob", "f", "good", arrived=500)
    assert (settled.verdict, settled.effects) == ("revised", ())
    assert log.final("f") == "good"


def test_estimates_see_the_answer_as_it_stood_at_the_horizon(log: Log) -> None:
    log.ask("e")
    log.say("ann", "e", "good", arrived=10)
    log.say("ann", "e", "bad", arrived=30)
    log.say("ann", "e", None, withdrawn=True, arrived=60)
    seen = [log.outcome("e", horizon).label for horizon in (5, 20, 40, 70)]
    assert seen == [None, "good", "bad", None]
    assert log.outcome("e", 70).answered_at is None
    (report,) = [log.outcome("e", 20)]
    assert report.answered_at == log.make.start + 10


# Several required labels


def test_votes_wait_until_the_last_one_decides(log: Log) -> None:
    log.ask("e", required=3)
    answers = [
        log.say(name, "e", label)
        for name, label in (("ann", "good"), ("bob", "bad"), ("cyd", "good"))
    ]
    assert [answer.verdict for answer in answers] == ["vote", "vote", "learned"]
    assert taught(answers) == [("e", "good")]
    (review,) = log.view.measures.labelled(0, 1e12)
    assert [(each.annotator, each.label) for each in review.answers] == [
        ("ann", "good"),
        ("bob", "bad"),
        ("cyd", "good"),
    ]
    assert review.annotators == ("ann", "bob", "cyd")


def test_one_annotator_has_one_vote(log: Log) -> None:
    log.ask("e", required=2)
    assert [log.say("ann", "e", "good").verdict for _ in range(3)] == [
        "vote",
        "duplicate",
        "duplicate",
    ]
    assert log.say("ann", "e", "bad").verdict == "revised"
    assert taught([log.say("bob", "e", "bad")]) == [("e", "bad")]


def test_a_tie_is_disputed_once_and_a_lead_decides(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    tie = log.say("bob", "e", "bad", arrived=20)
    assert tie.verdict == "disputed"
    (dispute,) = disputes(tie)
    assert dispute.answers == {"ann": "good", "bob": "bad"}
    assert dispute.review.event_id == "e"
    assert log.final("e") is None
    assert log.view.workforce(log.make.start + 30).disputes == 1
    ruled = log.say("lead", "e", "bad", adjudicates=True, arrived=40)
    assert (ruled.verdict, taught([ruled])) == ("adjudicated", [("e", "bad")])
    assert log.view.workforce(log.make.start + 41).disputes == 0
    (review,) = log.view.measures.labelled(0, 1e12)
    assert (review.label, review.adjudicated_by) == ("bad", "lead")


def test_a_third_vote_may_settle_what_two_could_not(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("bob", "e", "bad")
    third = log.say("cyd", "e", "bad")
    assert (third.verdict, taught([third])) == ("learned", [("e", "bad")])
    assert log.view.workforce(log.make.start).disputes == 0


def test_a_vote_on_an_open_dispute_that_settles_nothing_asks_nobody_again(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("bob", "e", "bad")
    third = log.say("cyd", "e", "ugly")
    assert (third.verdict, third.effects) == ("vote", ())


def test_a_lead_may_be_late_for_the_review_but_not_for_the_adjudication(log: Log) -> None:
    for event_id in ("e", "f"):
        log.ask(event_id, required=2)
        log.say("ann", event_id, "good", arrived=90)
        log.say("bob", event_id, "bad", arrived=95)
    in_time = log.say("lead", "e", "good", adjudicates=True, arrived=145)
    assert taught([in_time]) == [("e", "good")]
    late = log.say("lead", "f", "good", adjudicates=True, arrived=146)
    assert (late.verdict, late.effects) == ("adjudicated", ())
    assert log.final("f") == "good"


def test_a_lead_stands_above_all_votes_until_the_verdict_is_taken_back(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("bob", "e", "good")
    log.say("lead", "e", "bad", adjudicates=True)
    assert log.final("e") == "bad"
    log.say("ann", "e", "ugly")
    assert log.final("e") == "bad"
    log.say("lead", "e", "ugly", adjudicates=True)
    assert log.final("e") == "ugly"
    log.say("ann", "e", "good")
    assert log.say("lead", "e", None, adjudicates=True, withdrawn=True).verdict == "withdrawn"
    assert log.final("e") == "good"


def test_an_adjudication_needs_a_review(log: Log) -> None:
    assert log.say("lead", "nobody", "bad", adjudicates=True).verdict == "unknown"


def test_a_revision_after_consensus_can_open_a_dispute(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("bob", "e", "good")
    revised = log.say("bob", "e", "bad")
    assert (revised.verdict, len(disputes(revised))) == ("revised", 1)
    assert log.final("e") is None
    back = log.say("ann", "e", "bad")
    assert (back.verdict, taught([back])) == ("revised", [])
    assert log.final("e") == "bad"


def test_a_withdrawn_vote_is_waited_for_again(log: Log) -> None:
    log.ask("e", required=2)
    log.say("ann", "e", "good")
    log.say("ann", "e", None, withdrawn=True)
    assert log.say("bob", "e", "bad").verdict == "vote"
    assert taught([log.say("cyd", "e", "bad")]) == [("e", "bad")]


def test_numbers_agree_within_the_tolerance(make: Records) -> None:
    rules = JudgeRules(ConsensusRules(tolerance=1.0))
    log = Log(PendingView(":memory:", pipeline="orders", rules=rules), make)
    for event_id in ("near", "far"):
        log.ask(event_id, required=2)
    log.say("ann", "near", None, value=10.0)
    assert taught([log.say("bob", "near", None, value=11.0)]) == [("near", 10.5)]
    log.say("ann", "far", None, value=10.0)
    assert log.say("bob", "far", None, value=20.0).verdict == "disputed"
    assert taught([log.say("lead", "far", None, value=12.0, adjudicates=True)]) == [("far", 12.0)]
    assert log.outcome("near").value == 10.5
    log.view.close()


# Unsolicited feedback


def test_feedback_is_learned_without_votes_and_kept_out_of_estimates(log: Log) -> None:
    first = log.say("ann", "own", "good", features={"x": 1.0})
    assert (first.verdict, taught([first])) == ("unsolicited", [("own", "good")])
    assert first.lessons[0].review is None
    assert log.say("bob", "own", "bad", features={"x": 1.0}).verdict == "contradictory"
    assert log.say("cyd", "own", "good", features={"x": 1.0}).verdict == "duplicate"
    assert log.view.measures.outcomes(0, 1e12) == []
    assert list(log.view.measures.labelled(0, 1e12)) == []


def test_feedback_is_no_vote_on_a_request_that_comes_later(log: Log) -> None:
    log.say("ann", "own", "good", features={"x": 1.0})
    log.ask("own")
    answered = log.say("ann", "own", "bad")
    assert (answered.verdict, taught([answered])) == ("settled", [])
    assert log.final("own") == "bad"


# Gold items


def test_gold_items_measure_and_do_nothing_else(log: Log) -> None:
    log.ask("g", gold="item-1")
    assert log.say("ann", "g", "good").verdict == "gold"
    assert log.say("ann", "g", "bad").verdict == "gold"
    wrong = log.say("bob", "g", "bad")
    assert wrong.effects == ()
    ann, bob = (log.view.annotators.get(name) for name in ("ann", "bob"))
    assert (ann.gold_agreed, ann.gold_compared) == (1, 1)
    assert (bob.gold_agreed, bob.gold_compared) == (0, 1)
    assert log.view.measures.outcomes(0, 1e12) == []
    assert log.view.measures.pending(log.make.start) == 0
    assert log.view.lookup("g") is None


def test_a_gold_item_that_left_the_file_is_still_not_learned(log: Log) -> None:
    log.ask("g", gold="removed")
    answer = log.say("ann", "g", "good")
    assert (answer.verdict, answer.effects) == ("gold", ())
    assert log.view.annotators.get("ann").compared == 0
