"""The join: what becomes of reviews, windows and labels, once, again, and after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamal.errors import Fatal, Reject
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.ports import Record, TopicPartition
from streamal.state import Answer, PendingView, Verdict

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records

LABELS = TopicPartition("labels", 0)
REVIEWS = TopicPartition("reviews", 0)


def verdicts(view: PendingView, *records: Record) -> list[str]:
    return [answer.verdict.value for answer in view.register_labels(records).answers]


def only(view: PendingView, record: Record) -> Answer:
    (answer,) = view.register_labels([record]).answers
    return answer


def test_a_label_joins_the_review_as_it_was_decided(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1")])
    answer = only(view, make.label(0, "e1", arrived=12.5))
    assert answer.verdict is Verdict.LEARNED
    (lesson,) = answer.lessons
    assert lesson.answer == "good"
    assert lesson.features == {"amount": 3.5, "country": "de", "history": (1.0, 2.0)}
    assert lesson.prediction is not None
    assert lesson.prediction.label == "good"
    assert answer.latencies_seconds == (("e1", 12.5),)
    assert view.learned_at("e1") == (LABELS, 0)


def test_the_first_review_of_an_event_counts(view: PendingView, make: Records) -> None:
    first, second = make.review(0, "e1", decided=0), make.review(1, "e1", decided=50)
    applied = view.apply_reviews([first, second])
    assert (applied.stored, applied.repeated) == (1, 1)
    review = view.lookup("e1")
    assert review is not None
    assert review.to_bytes() == first.value


def test_an_event_that_was_never_routed_has_no_review(view: PendingView) -> None:
    assert view.lookup("nobody") is None
    assert view.learned_at("nobody") is None


def test_one_label_of_an_event_is_accepted(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1")])
    found = verdicts(view, make.label(0, "e1"), make.label(1, "e1", "bad"), make.label(2, "e1"))
    assert found == ["learned", "revised", "revised"]
    (outcome,) = view.measures.outcomes(0, 1e12)
    assert outcome.label == "good"


def test_unsure_and_skip_leave_the_event_open(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1")])
    found = verdicts(
        view,
        make.label(0, "e1", None, unsure=True),
        make.label(1, "e1", None, skip=True),
        make.label(2, "e1", "bad", unsure=True),
        make.label(3, "e1"),
    )
    assert found == ["unsure", "skip", "unsure", "learned"]


@pytest.mark.parametrize(("arrived", "verdict"), [(100, "learned"), (100.001, "late")])
def test_the_log_decides_what_is_late(
    view: PendingView, make: Records, arrived: float, verdict: str
) -> None:
    view.apply_reviews([make.review(0, "e1", ttl=100)])
    assert verdicts(view, make.label(0, "e1", arrived=arrived)) == [verdict]


def test_a_late_label_is_not_an_answer(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1", ttl=100)])
    assert verdicts(view, make.label(0, "e1", arrived=101), make.label(1, "e1", arrived=102)) == [
        "late",
        "late",
    ]
    (outcome,) = view.measures.outcomes(0, 1e12)
    assert outcome.answered_at is None


@pytest.mark.parametrize(
    ("features", "verdict"), [(None, "unknown"), ({}, "unsolicited"), ({"x": 1.0}, "unsolicited")]
)
def test_a_label_without_a_review_is_learned_only_with_features(
    view: PendingView, make: Records, features: dict[str, float] | None, verdict: str
) -> None:
    assert verdicts(view, make.label(0, "e9", features=features)) == [verdict]


def test_unsolicited_feedback_counts_once(view: PendingView, make: Records) -> None:
    again = [make.label(offset, "e9", features={"x": 1.0}) for offset in range(3)]
    assert verdicts(view, *again) == ["unsolicited", "duplicate", "duplicate"]


def test_a_label_that_is_asked_for_again_gets_the_same_verdict(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([make.review(0, "e1"), make.review(1, "e2")])
    labels = [
        make.label(0, "e1", None, unsure=True),
        make.label(1, "e1"),
        make.label(2, "e1", "bad"),
        make.label(3, "e2", arrived=500),
        make.label(4, "e3"),
        make.label(5, "e3", features={"x": 1.0}),
    ]
    first = view.register_labels(labels)
    # A review that comes after its label, against all rules, changes nothing either.
    view.apply_reviews([make.review(2, "e3")])
    again = view.register_labels(labels)
    assert [answer.verdict for answer in again.answers] == [
        answer.verdict for answer in first.answers
    ]
    assert again.answers[1].effects == first.answers[1].effects != ()
    assert view.offsets()[LABELS] == 6


def test_learning_twice_is_prevented_when_the_snapshot_is_behind_the_view(
    view: PendingView, make: Records
) -> None:
    """S = 3, L = 1: what the lost model had learned beyond its snapshot is learned again."""
    view.apply_reviews([make.review(0, "e1"), make.review(1, "e2")])
    labels = [make.label(0, "e1"), make.label(1, "e2"), make.label(2, "e1")]
    view.register_labels(labels)
    snapshot_offset = 1
    replayed = view.register_labels(labels[snapshot_offset:]).answers
    learned = [lesson.event_id for each in replayed for lesson in each.lessons]
    assert learned == ["e2"]


def test_partitions_of_labels_are_kept_apart(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1"), make.review(1, "e2")])
    found = verdicts(view, make.label(0, "e1"), make.label(0, "e2", partition=1))
    assert found == ["learned", "learned"]
    assert view.learned_at("e2") == (TopicPartition("labels", 1), 0)


def test_windows_add_up_over_partitions(view: PendingView, make: Records) -> None:
    records = [make.window(0), make.window(1), make.window(0, partition=1)]
    assert view.apply_windows(records).stored == 3
    (window,) = view.measures.windows(make.start, make.start + 60)
    assert (window.events, window.routed, window.unreachable) == (30, 6, 3)
    assert window.sum_expected_correct == 19.5
    assert window.sum_propensity == 4.5
    assert window.reachable == 27


def test_redelivered_records_change_nothing(view: PendingView, make: Records) -> None:
    windows = [make.window(0), make.window(1)]
    view.apply_windows(windows)
    again = view.apply_windows([*windows, make.window(2)])
    assert (again.stored, again.redelivered) == (1, 2)
    assert view.measures.windows(0, 1e12)[0].events == 30


def test_a_record_that_comes_twice_in_one_batch_counts_once(
    view: PendingView, make: Records
) -> None:
    assert view.apply_windows([make.window(0), make.window(0)]).redelivered == 1
    assert view.measures.windows(0, 1e12)[0].events == 10


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"{", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"schema_version": 2}', "unsupported_schema_version"),
    ],
)
def test_what_cannot_be_read_is_handed_back_and_passed_over(
    view: PendingView, make: Records, value: bytes | None, reason: str
) -> None:
    bad = make.record("reviews", 0, value)
    applied = view.apply_reviews([bad, make.review(1, "e1")])
    assert [(each.record, each.reject.reason) for each in applied.rejects] == [(bad, reason)]
    assert applied.stored == 1
    assert view.apply_windows([make.record("windows", 0, value)]).rejects[0].reject.reason == reason
    registered = view.register_labels([make.record("labels", 0, value), make.label(1, "e1")])
    assert registered.rejects[0].reject.reason == reason
    assert [each.verdict for each in registered.answers] == [Verdict.LEARNED]


def test_a_bad_label_is_bad_again_when_it_is_asked_for_again(
    view: PendingView, make: Records
) -> None:
    bad = make.record("labels", 0, b"?")
    assert view.register_labels([bad]).rejects[0].record is bad
    assert view.register_labels([bad]).rejects[0].record is bad


def test_a_label_that_is_turned_away_counts_for_nothing(make: Records) -> None:
    def known_class(content: LabelEvent | AnnotatorRuling) -> None:
        if isinstance(content, LabelEvent) and content.label == "nonsense":
            raise Reject("unknown_class", "label: 'nonsense'")

    view = PendingView(":memory:", pipeline="orders", check=known_class)
    view.apply_reviews([make.review(0, "e1")])
    registered = view.register_labels([make.label(0, "e1", "nonsense"), make.label(1, "e1")])
    assert [each.reject.reason for each in registered.rejects] == ["unknown_class"]
    assert [each.verdict for each in registered.answers] == [Verdict.LEARNED]
    view.close()


def test_other_pipelines_on_the_topics_are_ignored(view: PendingView, make: Records) -> None:
    assert view.apply_reviews([make.review(0, "e1", pipeline="other")]).foreign == 1
    assert view.apply_windows([make.window(0, pipeline="other")]).foreign == 1
    assert view.lookup("e1") is None
    assert view.measures.windows(0, 1e12) == []
    assert view.offsets()[REVIEWS] == 1


def test_offsets_are_those_after_the_last_record_of_each_partition(
    view: PendingView, make: Records
) -> None:
    assert view.offsets() == {}
    view.apply_reviews([make.review(4, "e1"), make.review(9, "e2", partition=2)])
    assert view.offsets() == {REVIEWS: 5, TopicPartition("reviews", 2): 10}


class _Breaks(list[Record]):
    """A batch during which the process dies."""

    def __iter__(self) -> Iterator[Record]:
        yield from list.__iter__(self)
        raise KeyboardInterrupt


def test_a_batch_is_applied_with_its_offsets_or_not_at_all(path: Path, make: Records) -> None:
    durable = PendingView(path, pipeline="orders")
    durable.apply_windows([make.window(0)])
    with pytest.raises(KeyboardInterrupt):
        durable.apply_windows(_Breaks([make.window(1), make.window(2)]))
    assert durable.offsets() == {TopicPartition("windows", 0): 1}
    durable.close()
    reopened = PendingView(path, pipeline="orders")
    reopened.apply_windows([make.window(1)])
    assert reopened.measures.windows(0, 1e12)[0].events == 20
    reopened.close()


def test_a_failing_file_is_fatal_and_leaves_the_batch_out(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e1")])
    view._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Fatal, match="view of the log failed"):
        view.apply_reviews([make.review(offset, f"e{offset}") for offset in range(1, 500)])
    view._connection.execute("PRAGMA max_page_count = 1000000")
    assert view.offsets() == {REVIEWS: 1}
    assert view.apply_reviews([make.review(1, "e1b")]).stored == 1


def purge(view: PendingView, make: Records, before: float, contained: int) -> int:
    return view.purge(make.start + before, {LABELS: contained})


def test_reviews_leave_when_they_expired_not_when_they_are_labelled(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([make.review(0, "old", ttl=100), make.review(1, "young", ttl=300)])
    view.register_labels([make.label(0, "old"), make.label(1, "young")])
    assert purge(view, make, 100, contained=2) == 0
    assert purge(view, make, 101, contained=2) == 1
    assert view.lookup("old") is None
    assert view.learned_at("old") is None
    assert view.lookup("young") is not None
    assert view.learned_at("young") == (LABELS, 1)


@pytest.mark.parametrize("contained", [{}, {LABELS: 0}])
def test_what_a_restart_will_ask_for_is_never_purged(
    view: PendingView, make: Records, contained: dict[TopicPartition, int]
) -> None:
    view.apply_reviews([make.review(0, "e1"), make.review(1, "unanswered")])
    label = make.label(0, "e1")
    view.register_labels([label])
    assert view.purge(make.start + 1e6, contained) == 1
    assert view.lookup("unanswered") is None
    answer = only(view, label)
    assert answer.verdict is Verdict.LEARNED
    assert [lesson.event_id for lesson in answer.lessons] == ["e1"]


def test_windows_leave_after_the_last_review_that_may_be_theirs(
    view: PendingView, make: Records
) -> None:
    view.apply_windows([make.window(0, start=0), make.window(1, start=120)])
    view.apply_reviews([make.review(0, "e1", decided=130, ttl=1000)])
    purge(view, make, 900, contained=0)
    assert [each.window_start - make.start for each in view.measures.windows(0, 1e12)] == [120]
    purge(view, make, 1200, contained=0)
    assert view.measures.windows(0, 1e12) == []


def test_reset_forgets_everything(view: PendingView, make: Records) -> None:
    review, label = make.review(0, "e1"), make.label(0, "e1")
    view.apply_reviews([review])
    view.apply_windows([make.window(0)])
    view.register_labels([label])
    view.reset()
    assert view.offsets() == {}
    assert view.lookup("e1") is None
    assert view.measures.windows(0, 1e12) == []
    assert verdicts(view, label) == ["unknown"]


def test_index_look_ups_stay_index_look_ups(view: PendingView) -> None:
    """A full scan per label would make a long backlog quadratic."""
    plans = [
        "SELECT 1 FROM effects WHERE event_id = 'e' AND kind = 'lesson'",
        "SELECT 1 FROM votes WHERE event_id = 'e' AND held = 0",
        "SELECT 1 FROM votes WHERE annotator = 'a' AND held = 1",
        "SELECT max(sequence) FROM answers WHERE event_id = 'e' AND changed_at <= 1",
        "SELECT 1 FROM reviews WHERE event_id = 'e'",
        "SELECT count(*) FROM reviews WHERE expires_at >= 1 AND answered_at IS NULL",
        "SELECT count(*) FROM reviews WHERE answered_at >= 1",
    ]
    for plan in plans:
        steps = view._connection.execute(f"EXPLAIN QUERY PLAN {plan}").fetchall()
        assert all("SEARCH" in step[3] for step in steps), steps
