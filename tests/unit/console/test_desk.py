"""Taking, answering, undoing: leases, expiry, the outbox and the audit."""

from __future__ import annotations

import pytest

from streamal.console.desk import Choice, Desk, Refused
from streamal.console.items import Filters
from tests.support.desk import ReviewDesk

YES = Choice("label", label="yes")
EVERYTHING = Filters()


def work(desk: ReviewDesk) -> Desk:
    assert desk.role._store is not None
    return desk.role._store.desk


def taken(desk: ReviewDesk, annotator: str) -> str | None:
    item = work(desk).take_next(annotator, EVERYTHING)
    return None if item is None else item.review.event_id


def asked(desk: ReviewDesk, *names: str, **fields: object) -> None:
    for name in names:
        desk.ask(name, **fields)  # type: ignore[arg-type]  # any field
        desk.clock.advance(1)
    desk.step()


def test_an_answer_is_published_after_the_time_for_undoing(desk: ReviewDesk) -> None:
    asked(desk, "e1")
    work(desk).answer("ana", "e1", Choice("label", label="yes", note="  sure  "))
    desk.step()
    assert desk.labels() == []

    desk.pass_time(5)

    (label,) = desk.labels()
    assert (label.event_id, label.label, label.annotator, label.note) == (
        "e1",
        "yes",
        "ana",
        "sure",
    )
    assert desk.metrics.value("streamal_console_answers_total", {"outcome": "label"}) == 1
    assert desk.metrics.value("streamal_console_outbox_labels") == 0


def test_unsure_and_skip_are_published_and_leave_the_item_to_others(desk: ReviewDesk) -> None:
    asked(desk, "e1", "e2")
    work(desk).answer("ana", "e1", Choice("unsure"))
    work(desk).answer("ana", "e2", Choice("skip"))
    assert taken(desk, "ana") is None
    assert taken(desk, "ben") == "e1"

    desk.pass_time(5)

    assert [(label.unsure, label.skip) for label in desk.labels()] == [(True, False), (False, True)]


def test_two_reviewers_never_hold_the_same_item(desk: ReviewDesk) -> None:
    asked(desk, "e1", "e2")

    assert taken(desk, "ana") == "e1"
    assert taken(desk, "ben") == "e2"
    assert taken(desk, "ana") == "e1"
    assert taken(desk, "lea") is None
    assert work(desk).take("lea", "e1") == "ana"
    with pytest.raises(Refused, match="gone to ana"):
        work(desk).answer("lea", "e1", YES)


def test_an_item_that_needs_two_labels_is_held_by_two(desk: ReviewDesk) -> None:
    asked(desk, "e1", required_labels=2)

    assert taken(desk, "ana") == "e1"
    assert taken(desk, "ben") == "e1"
    assert taken(desk, "lea") is None
    work(desk).answer("ana", "e1", YES)
    assert taken(desk, "lea") is None
    work(desk).answer("ben", "e1", YES)
    assert taken(desk, "lea") is None
    assert work(desk).items.get("e1").done  # type: ignore[union-attr]  # it is there


def test_a_lease_ends_by_time_by_answering_and_by_taking_another(desk: ReviewDesk) -> None:
    asked(desk, "e1", "e2", "e3")
    assert taken(desk, "ana") == "e1"
    assert work(desk).take("ana", "e3") is None
    assert taken(desk, "ben") == "e1"

    desk.pass_time(61)

    assert taken(desk, "lea") == "e1"
    with pytest.raises(Refused, match="gone to lea"):
        work(desk).answer("ben", "e1", YES)
    work(desk).release("lea")
    work(desk).answer("ben", "e1", YES)


def test_an_item_that_expires_while_it_is_held_is_refused(desk: ReviewDesk) -> None:
    asked(desk, "e1", ttl=30)
    assert taken(desk, "ana") == "e1"
    desk.clock.advance(30)

    with pytest.raises(Refused, match="expired while it was open"):
        work(desk).answer("ana", "e1", YES)
    desk.pass_time(5)
    assert desk.labels() == []


def test_an_item_that_somebody_else_answered_is_refused(desk: ReviewDesk) -> None:
    asked(desk, "e1")
    taken(desk, "ana")
    desk.label("e1")
    desk.step()

    with pytest.raises(Refused, match="answered by somebody else"):
        work(desk).answer("ana", "e1", YES)
    with pytest.raises(Refused, match="not in the queue"):
        work(desk).answer("ana", "e2", YES)


@pytest.mark.parametrize(
    "choice", [Choice("label", label="maybe"), Choice("label", value=2.0), Choice("label")]
)
def test_an_answer_that_could_not_be_learned_is_refused(desk: ReviewDesk, choice: Choice) -> None:
    asked(desk, "e1")

    with pytest.raises(Refused, match="cannot be used"):
        work(desk).answer("ana", "e1", choice)
    assert taken(desk, "ana") == "e1"


def test_undo_in_time_leaves_no_trace_on_the_topic(desk: ReviewDesk) -> None:
    asked(desk, "e1")
    work(desk).answer("ana", "e1", YES)

    done = work(desk).undo("ana")

    assert (done.event_id, done.withdrawn) == ("e1", False)
    assert taken(desk, "ana") == "e1"
    desk.pass_time(10)
    assert desk.labels() == []
    assert [entry.undone for entry in work(desk).audit()] == ["dropped"]


def test_undo_after_publication_withdraws_the_label(desk: ReviewDesk) -> None:
    asked(desk, "e1")
    work(desk).answer("ana", "e1", YES)
    desk.pass_time(5)

    done = work(desk).undo("ana")
    desk.step()

    assert done.withdrawn
    assert [label.withdrawn for label in desk.labels()] == [False, True]
    assert taken(desk, "ana") == "e1"
    assert desk.metrics.value("streamal_console_answers_total", {"outcome": "withdrawn"}) == 1


def test_undo_goes_back_answer_by_answer_and_only_over_ones_own(desk: ReviewDesk) -> None:
    asked(desk, "e1", "e2", "e3")
    work(desk).answer("ana", "e1", YES)
    work(desk).answer("ben", "e3", YES)
    work(desk).answer("ana", "e2", YES)

    assert [work(desk).undo("ana").event_id for _ in range(2)] == ["e2", "e1"]
    with pytest.raises(Refused, match="nothing to undo"):
        work(desk).undo("ana")


def test_undoing_a_revision_in_time_restores_the_answer_before_it(desk: ReviewDesk) -> None:
    asked(desk, "e1", required_labels=2)
    work(desk).answer("ana", "e1", Choice("unsure"))
    desk.pass_time(5)
    work(desk).answer("ana", "e1", YES)
    work(desk).undo("ana")
    desk.pass_time(5)

    assert [answer.kind for answer in work(desk).items.answers("e1")] == ["unsure"]
    assert len(desk.labels()) == 1


def test_a_lead_decides_what_reviewers_disagree_on(desk: ReviewDesk) -> None:
    asked(desk, "e1")
    adjudication = {"asked_at": "2024-01-01T00:00:00Z", "answers": {"ana": "yes", "ben": "no"}}
    asked(desk, "e1", adjudication=adjudication)
    with pytest.raises(Refused, match="a lead decides"):
        work(desk).answer("ana", "e1", YES)

    asked(desk, "e2")
    with pytest.raises(Refused, match="needs no verdict"):
        work(desk).answer("lea", "e2", Choice("verdict", label="no"))
    work(desk).answer("lea", "e1", Choice("verdict", label="no"))
    desk.pass_time(5)

    (label,) = desk.labels()
    assert label.adjudicates
    assert work(desk).take_next("lea", EVERYTHING, adjudication=True) is None


def test_the_audit_says_who_answered_what(desk: ReviewDesk) -> None:
    asked(desk, "e1", "e2")
    work(desk).answer("ana", "e1", Choice("label", label="yes", note="clear"))
    work(desk).answer("ben", "e2", Choice("skip"))

    told = [(each.annotator, each.action, each.answer, each.note) for each in work(desk).audit()]

    assert told == [("ben", "skip", None, None), ("ana", "label", "yes", "clear")]
    assert [each.event_id for each in work(desk).audit("ana")] == ["e1"]
    assert work(desk).answered_since("ana", desk.clock.now() - 10) == 1
