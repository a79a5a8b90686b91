"""The bridge's view: offsets with content, the first review of an event, only its own labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from streamal.connectors.label_studio.mirror import ORIGIN_HEADER, Fate, Mirror
from streamal.errors import Fatal
from streamal.events import LabelEvent
from streamal.ports import Headers, Record, TopicPartition
from streamal.state.database import Identity
from tests.unit.connectors.label_studio.conftest import START, review

NOW = START.timestamp()
HOUR = 3600.0


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    opened = Mirror(":memory:", Identity("mail", "here"))
    yield opened
    opened.close()


def asked(offset: int, event_id: str, **fields: object) -> Record:
    return Record("reviews", 0, offset, 0, b"", review(event_id, **fields).to_bytes())


def said(
    offset: int, event_id: str, label: str = "ham", headers: Headers = ((ORIGIN_HEADER, b"1"),)
) -> Record:
    event = LabelEvent(event_id=event_id, label=label, annotator="ann", labelled_at=START)
    return Record("labels", 0, offset, 0, b"", event.to_bytes(), headers)


def test_it_knows_how_far_it_has_read(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(4, "a"), asked(7, "b")])
    mirror.apply_labels([said(2, "a")])
    assert mirror.offsets() == {
        TopicPartition("reviews", 0): 8,
        TopicPartition("labels", 0): 3,
    }


def test_the_first_review_of_an_event_counts(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(0, "a", priority=0.1), asked(1, "a", priority=0.9)])
    (waiting,) = mirror.waiting(NOW, 10)
    assert waiting.review().priority == 0.1
    mirror.link({"a": 7})
    mirror.apply_reviews([asked(2, "a")])
    assert mirror.task_of("a") == 7
    assert mirror.waiting(NOW, 10) == []


def test_what_can_not_be_read_comes_back(mirror: Mirror) -> None:
    bad = Record("reviews", 0, 3, 0, b"", b"{}")
    ((record, reject),) = mirror.apply_reviews([bad, asked(4, "a")])
    assert record is bad
    assert reject.reason == "missing_field"
    assert mirror.knows("a")


def test_only_its_own_labels_count(mirror: Mirror) -> None:
    theirs = Record("labels", 0, 1, 0, b"", b"{}", ((ORIGIN_HEADER, b"1"),))
    mirror.apply_labels([said(0, "a", headers=()), theirs])
    assert mirror.published("a") == {}
    mirror.apply_labels([said(2, "a"), said(3, "a", "spam")])
    first = mirror.published("a")
    mirror.apply_labels([said(4, "a", "ham")])
    assert first.keys() == {"ann"}
    assert mirror.published("a") != first


def test_what_was_answered_before_is_not_asked_again(mirror: Mirror) -> None:
    mirror.apply_labels([said(0, "a")])
    mirror.apply_reviews([asked(0, "a"), asked(1, "b")])
    assert [each.event_id for each in mirror.waiting(NOW, 10)] == ["b"]


def test_what_has_expired_is_not_asked(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(0, "a"), asked(1, "b", expires_at=START + timedelta(hours=3))])
    assert [each.event_id for each in mirror.waiting(NOW + 2 * HOUR, 10)] == ["b"]
    assert mirror.expire(NOW + 2 * HOUR) == 1
    assert mirror.waiting_reviews() == 1


def test_unanswered_tasks_expire(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(0, "a"), asked(1, "b"), asked(2, "c")])
    mirror.link({"a": 1, "b": 2})
    mirror.apply_labels([said(0, "b")])
    assert mirror.open_tasks(NOW) == 1
    assert [item.event_id for item in mirror.expired_tasks(NOW + 2 * HOUR, 10)] == ["a"]
    mirror.settle(["a"], Fate.EXPIRED)
    assert mirror.expired_tasks(NOW + 2 * HOUR, 10) == []


def test_marks(mirror: Mirror) -> None:
    assert mirror.mark("x") is None
    mirror.set_mark("x", "1")
    mirror.set_mark("x", "2")
    assert mirror.mark("x") == "2"
    mirror.set_mark("x", None)
    assert mirror.mark("x") is None


def test_what_is_long_gone_is_forgotten(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(0, "a"), asked(1, "b", expires_at=START + timedelta(hours=9))])
    mirror.apply_labels([said(0, "a"), said(1, "b")])
    assert mirror.drop_expired_before(NOW + 2 * HOUR) == 1
    assert not mirror.knows("a")
    assert mirror.published("a") == {}
    assert mirror.published("b") != {}


def test_forgetting_everything(mirror: Mirror) -> None:
    mirror.apply_reviews([asked(0, "a")])
    mirror.apply_labels([said(0, "a")])
    mirror.set_mark("x", "1")
    mirror.forget()
    assert mirror.offsets() == {}
    assert not mirror.knows("a")
    assert mirror.published("a") == {}
    assert mirror.mark("x") is None


def test_a_failing_file_stores_nothing_of_a_batch(mirror: Mirror) -> None:
    mirror._connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON items WHEN NEW.event_id = 'b' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(Fatal, match="disk full"):
        mirror.apply_reviews([asked(0, "a"), asked(1, "b")])
    assert not mirror.knows("a")
    assert mirror.offsets() == {}
