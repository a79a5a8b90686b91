"""The queue: what is in it, for whom, in which order, and what leaves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from streamal.console.items import Filters, Items
from tests.support.desk import ReviewDesk

EVERYTHING = Filters()


def store(desk: ReviewDesk) -> Items:
    found = desk.role._store
    assert found is not None
    return found.items


def names(
    desk: ReviewDesk, annotator: str = "ana", filters: Filters = EVERYTHING, **options: bool
) -> list[str]:
    found = store(desk).queue(annotator, filters, desk.clock.now(), **options)
    return [item.review.event_id for item in found]


def test_items_come_by_priority_then_by_age(desk: ReviewDesk) -> None:
    desk.ask("late-low", priority=0.2)
    desk.ask("first", priority=0.5)
    desk.clock.advance(1)
    desk.ask("second", priority=0.5)
    desk.ask("urgent", priority=1.0)
    desk.step()

    assert names(desk) == ["urgent", "first", "second", "late-low"]


def test_items_leave_when_they_expire_or_are_answered_elsewhere(desk: ReviewDesk) -> None:
    desk.ask("short", ttl=10)
    desk.ask("long", ttl=100)
    desk.ask("answered", ttl=100)
    desk.label("answered")
    desk.step()
    assert names(desk) == ["long", "short"]

    desk.pass_time(10)

    assert names(desk) == ["long"]
    assert store(desk).open_count(desk.clock.now()) == 1


def test_a_label_before_its_review_is_read_counts_as_well(desk: ReviewDesk) -> None:
    desk.label("e1")
    desk.step()
    desk.ask("e1")
    desk.step()

    assert names(desk) == []


def test_an_item_that_needs_two_labels_stays_for_the_second_annotator(desk: ReviewDesk) -> None:
    desk.ask("e1", required_labels=2)
    desk.label("e1")
    desk.step()

    assert names(desk, "person") == []
    assert names(desk, "ana") == ["e1"]


def test_passing_on_leaves_the_item_to_others_and_a_withdrawn_label_reopens_it(
    desk: ReviewDesk,
) -> None:
    desk.ask("passed")
    desk.ask("withdrawn")
    desk.label("passed", None, skip=True)
    desk.label("withdrawn")
    desk.step()
    assert names(desk) == ["passed"]
    assert names(desk, "person") == []

    desk.label("withdrawn", None, withdrawn=True)
    desk.step()

    assert names(desk) == ["passed", "withdrawn"]


def test_a_disagreement_goes_to_leads_until_one_decides(desk: ReviewDesk) -> None:
    desk.ask("e1")
    desk.label("e1")
    desk.step()
    asked = {"asked_at": datetime.now(UTC), "answers": {"person": "yes", "other": "no"}}
    desk.ask("e1", adjudication=asked)
    desk.step()
    assert names(desk) == []
    assert names(desk, adjudication=True) == ["e1"]

    desk.label("e1", "no", adjudicates=True)
    desk.step()

    assert names(desk, adjudication=True) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(search="e1"), ["e1"]),
        (Filters(search="COUNTRY=de south"), ["e1"]),
        (Filters(search="100%"), ["e2"]),
        (Filters(search="_"), []),
        (Filters(search="nothing"), []),
        (Filters(reason="exploration"), ["e2"]),
        (Filters(segment="region=south"), ["e1"]),
        (Filters(segment="region=so"), []),
        (Filters(version="2"), ["e1"]),
        (Filters(version="x"), []),
        (Filters(search="e", reason="exploration", version="9"), ["e2"]),
    ],
)
def test_filters_and_search(desk: ReviewDesk, filters: Filters, found: list[str]) -> None:
    desk.ask("e1", metadata={"region": "south", "long": "x" * 100})
    model = {"version": 9}
    desk.ask("e2", reason="exploration", model=model, metadata={"region": "north", "sure": "100%"})
    desk.step()

    assert names(desk, filters=filters) == found


def test_filters_are_offered_for_what_waits(desk: ReviewDesk) -> None:
    desk.ask("e1", metadata={"region": "south", "long": "x" * 100, "vip": True})
    desk.step()

    assert store(desk).choices(desk.clock.now()) == {
        "reasons": ["above_threshold"],
        "versions": ["2"],
        "segments": ["region=south", "vip=true"],
    }
    desk.pass_time(4000)
    assert store(desk).choices(desk.clock.now())["segments"] == []


def test_a_repeated_request_changes_nothing_and_rubbish_is_passed_over(desk: ReviewDesk) -> None:
    desk.ask("e1", priority=0.1)
    desk.ask("e1", priority=0.9)
    desk.writer.send(desk.topics.reviews, b"rubbish", key=b"e1")
    desk.writer.send(desk.topics.labels, b"rubbish", key=b"e1")
    desk.ask("e2", priority=0.2)
    desk.step()

    assert names(desk) == ["e2", "e1"]


def test_a_topic_that_was_made_anew_makes_the_queue_anew(
    new_desk: Callable[..., ReviewDesk],
) -> None:
    desk = new_desk()
    desk.ask("e1")
    desk.step()
    items = store(desk)
    items.apply([], [], {(desk.topics.reviews, 0): 1000})

    desk.role._feed.resume()  # type: ignore[union-attr]  # it was started
    desk.step()

    assert names(desk) == ["e1"]


def test_what_is_old_is_forgotten(desk: ReviewDesk) -> None:
    desk.ask("e1", ttl=10, metadata={"region": "south"})
    desk.label("e1")
    desk.label("never asked")
    desk.step()
    desk.pass_time(desk.settings.topics.retention_seconds + 11)

    assert store(desk).get("e1") is None
    assert store(desk).answers("e1") == []
    assert store(desk).answers("never asked") == []
