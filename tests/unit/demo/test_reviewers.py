"""Simulated reviewers: delay, noise, and that a seed fixes both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.demo.reviewers import Reviewers
from streamal.events import LabelEvent, ModelRef, ModelView, Output, ReviewRequest
from streamal.events.topics import Topics
from streamal.ports import TopicPartition, TopicSpec

EVENTS = 2_000
TRUTH = {f"e-{n}": "abc"[n % 3] for n in range(EVENTS)}


def request(event_id: str) -> bytes:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return ReviewRequest(
        event_id=event_id,
        pipeline="p",
        occurred_at=moment,
        decided_at=moment,
        expires_at=moment,
        features={},
        prediction=Output(label="a"),
        model=ModelView(version=0),
        produced_by=ModelRef(),
        score=1,
        strategy="margin",
        policy="quantile",
        threshold=0,
        propensity=1,
        reason="above_threshold",
        priority=1,
        expected_correct=0.5,
    ).to_bytes()


def answers(*, seed: int = 7, delay: float = 60, noise: float = 0) -> dict[str, tuple[float, str]]:
    """Event id to seconds until the answer and the label, when all are asked at once."""
    clock = ManualClock(start=0.0)
    broker = MemoryBroker(clock)
    broker.admin().create_topics(
        [TopicSpec(name, 1, 1, {"cleanup.policy": "delete"}) for name in ("reviews", "labels")]
    )
    producer = broker.producer()
    for event_id in TRUTH:
        producer.send("reviews", request(event_id))
    reviewers = Reviewers(
        broker, Topics(), TRUTH, ("a", "b", "c"), seed=seed, delay_seconds=delay, noise=noise
    )
    for _ in range(int(2 * delay) + 3):
        reviewers.step(clock.now())
        clock.advance(1)
    assert reviewers.reviewed == list(TRUTH)
    reviewers.close()
    reader = broker.consumer()
    reader.assign([TopicPartition("labels", 0)])
    found = [LabelEvent.from_bytes(record.value) for record in reader.poll(0.0, 2 * EVENTS)]
    broker.close()
    assert len(found) == EVENTS
    return {each.event_id: (each.labelled_at.timestamp(), each.label or "") for each in found}


def test_each_request_is_answered_once_after_its_delay() -> None:
    delays = [seconds for seconds, _ in answers(delay=60).values()]
    assert min(delays) >= 12
    assert max(delays) <= 109
    assert sum(delays) / EVENTS == pytest.approx(60.5, abs=2)


def test_without_noise_they_know_the_truth() -> None:
    assert {event_id: label for event_id, (_, label) in answers(delay=1).items()} == TRUTH


def test_the_share_of_mistakes_and_all_other_classes_among_them() -> None:
    found = answers(delay=1, noise=0.1)
    wrong = {event_id: label for event_id, (_, label) in found.items() if label != TRUTH[event_id]}
    assert len(wrong) / EVENTS == pytest.approx(0.1, abs=0.02)
    assert {(TRUTH[event_id], label) for event_id, label in wrong.items()} == {
        (true, other) for true in "abc" for other in "abc" if true != other
    }


def test_a_seed_fixes_delays_and_mistakes() -> None:
    first = answers(delay=5, noise=0.1)
    assert answers(delay=5, noise=0.1) == first
    assert answers(seed=8, delay=5, noise=0.1) != first
