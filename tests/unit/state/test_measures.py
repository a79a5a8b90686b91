"""Rates, latencies and estimation's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamal.state import AnnotatorAnswer, PendingView

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


def test_pending_counts_what_is_neither_answered_nor_expired(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([make.review(n, f"e{n}", ttl=100) for n in range(4)])
    view.register_labels([make.label(0, "e0"), make.label(1, "e1", None, unsure=True)])
    assert view.measures.pending(make.start + 50) == 3
    assert view.measures.pending(make.start + 100) == 3
    assert view.measures.pending(make.start + 100.5) == 0


def test_the_response_rate_is_unknown_until_a_review_expired(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([make.review(0, "e0", ttl=100), make.review(1, "e1", ttl=100)])
    view.register_labels([make.label(0, "e0")])
    assert view.measures.response_rate(make.start + 50) is None
    assert view.measures.response_rate(make.start + 101) == 0.5


def test_the_response_rate_follows_the_recent_past(make: Records) -> None:
    view = PendingView(":memory:", pipeline="orders", recent_seconds=1000)
    view.apply_reviews([make.review(n, f"old{n}", ttl=100) for n in range(8)])
    view.apply_reviews([make.review(10 + n, f"new{n}", decided=2000, ttl=100) for n in range(2)])
    view.register_labels([make.label(n, f"new{n}", arrived=2010) for n in range(2)])
    assert view.measures.response_rate(make.start + 500) == 0
    assert view.measures.response_rate(make.start + 2200) == 1
    assert view.measures.response_rate(make.start + 9000) is None
    view.close()


def test_quick_answers_do_not_flatter_the_response_rate(view: PendingView, make: Records) -> None:
    """Half of all reviews are answered, at once; the rate is a half at every age of the stream."""
    for n in range(200):
        view.apply_reviews([make.review(n, f"e{n}", decided=n, ttl=50)])
        if n % 2:
            view.register_labels([make.label(n, f"e{n}", arrived=n + 1)])
    for now in (60, 100, 200):
        rate = view.measures.response_rate(make.start + now)
        assert rate == pytest.approx(0.5, abs=0.1)


def test_latency_quantiles_are_latencies_that_occurred(view: PendingView, make: Records) -> None:
    assert view.measures.label_latency_seconds(make.start) is None
    view.apply_reviews([make.review(n, f"e{n}") for n in range(5)])
    latencies = [7, 3, 90, 5, 4]
    view.register_labels([make.label(n, f"e{n}", arrived=s) for n, s in enumerate(latencies)])
    now = make.start + 95
    assert view.measures.label_latency_seconds(now) == 5
    assert view.measures.label_latency_seconds(now, quantile=0) == 3
    assert view.measures.label_latency_seconds(now, quantile=1) == 90


def test_an_answer_that_seems_older_than_its_request_took_no_time(
    view: PendingView, make: Records
) -> None:
    view.apply_reviews([make.review(0, "e0", decided=20)])
    view.register_labels([make.label(0, "e0", arrived=19)])
    assert view.measures.label_latency_seconds(make.start + 20) == 0


def test_the_heartbeat_tells_the_same(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e0"), make.review(1, "e1"), make.review(2, "e2", ttl=500)])
    view.register_labels([make.label(0, "e0", arrived=30)])
    heartbeat = view.measures.heartbeat(make.start + 200)
    assert heartbeat.sent_at.timestamp() == make.start + 200
    assert (heartbeat.pending, heartbeat.response_rate, heartbeat.label_latency_seconds) == (
        1,
        0.5,
        30,
    )


def test_windows_are_asked_for_by_event_time(view: PendingView, make: Records) -> None:
    view.apply_windows([make.window(n, start=60 * n) for n in range(4)])
    found = view.measures.windows(make.start + 60, make.start + 180)
    assert [each.window_start - make.start for each in found] == [60, 120]
    assert view.measures.windows(make.start + 1, make.start + 60) == []


def test_outcomes_hold_the_unanswered_too(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e0"), make.review(1, "e1", decided=10)])
    view.register_labels([make.label(0, "e1", "bad", arrived=40)])
    unanswered, answered = view.measures.outcomes(make.start - 5, make.start + 5.5)
    assert (unanswered.event_id, unanswered.label, unanswered.production_correct) == (
        "e0",
        None,
        None,
    )
    assert answered.occurred_at == make.start + 5
    assert answered.decided_at == make.start + 10
    assert answered.expires_at == make.start + 110
    assert answered.answered_at == make.start + 40
    assert (answered.propensity, answered.expected_correct) == (0.25, 0.75)
    assert answered.reason == "exploration"
    assert (answered.production_correct, answered.model_correct) == (False, True)
    assert view.measures.outcomes(make.start - 5, make.start + 5) == [unanswered]


def test_a_regression_is_neither_right_nor_wrong(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(0, "e0", production=None, model=None)])
    view.register_labels([make.label(0, "e0")])
    (outcome,) = view.measures.outcomes(0, 1e12)
    assert outcome.label == "good"
    assert (outcome.production_correct, outcome.model_correct) == (None, None)


def test_labelled_reviews_come_whole_and_in_order(view: PendingView, make: Records) -> None:
    view.apply_reviews([make.review(n, f"e{n}", decided=10 - n) for n in range(3)])
    labels = [make.label(0, "e0", "bad"), make.label(1, "e2"), make.label(2, "x", features={})]
    view.register_labels(labels)
    found = list(view.measures.labelled(0, 1e12))
    assert [(each.review.event_id, each.label) for each in found] == [("e2", "good"), ("e0", "bad")]
    assert found[0].review == view.lookup("e2")
    assert found[0].answers == (AnnotatorAnswer("a", "good", None, make.start + 9),)
    assert found[0].adjudicated_by is None
    assert found[0].answered_at == make.start + 10


def test_responses_are_told_by_the_rule_that_routed(view: PendingView, make: Records) -> None:
    assert view.measures.response_rates(make.start + 500) == {}
    view.apply_reviews([make.review(n, f"e{n}", ttl=100) for n in range(4)])
    view.register_labels([make.label(0, "e0")])
    assert view.measures.response_rates(make.start + 50) == {}
    assert view.measures.response_rates(make.start + 500) == {"exploration": 0.25}


def test_reviews_that_still_wait_count_in_the_latencies(view: PendingView, make: Records) -> None:
    assert view.measures.latencies(make.start).quantile(0.5) is None
    view.apply_reviews([make.review(n, f"e{n}", ttl=1000) for n in range(4)])
    view.register_labels([make.label(n, f"e{n}", arrived=10 * (n + 1)) for n in range(2)])
    found = view.measures.latencies(make.start + 500)
    assert (found.quantile(0.25), found.quantile(0.5)) == (10, 20)
    assert found.quantile(0.75) is None
