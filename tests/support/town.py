"""A pipeline on the memory broker, stepped by hand: for tests of roles without processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from streamal.bootstrap import Pipeline
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.events import LabelEvent, ReviewRequest
from streamal.operations.topics import topic_specs
from streamal.ports import Record, TopicPartition
from streamal.settings import Settings
from streamal.telemetry import Metrics

SESSION_SECONDS = 10.0
#: Everybody takes turns on one thread, so who finds nothing must not wait.
NO_WAIT = 1e-4


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, section by section."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


class Town:
    """A pipeline with two partitions and a budget of one half, unless `changes` say otherwise."""

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        self.clock = ManualClock()
        self.broker = MemoryBroker(
            self.clock,
            session_timeout_seconds=SESSION_SECONDS,
            transaction_timeout_seconds=SESSION_SECONDS,
        )
        defaults = {
            "topics": {"predictions_partitions": 2},
            "gate": {"budget": 0.5, "poll_timeout_seconds": NO_WAIT},
            "learner": {"name": "logistic_regression"},
            "trainer": {"snapshot_every_labels": 4, "poll_timeout_seconds": NO_WAIT},
            "snapshots": {"signing_keys": ["0123456789abcdef"]},
        }
        self.settings = Settings.model_validate(merged(defaults, changes or {}))
        self.topics = self.settings.topics
        self.broker.admin().create_topics(topic_specs(self.settings))
        self.writer = self.broker.producer()

    def pipeline(self, metrics: Metrics | None = None) -> Pipeline:
        """The pipeline as one process sees it."""
        return Pipeline(self.settings, self.broker, self.clock, metrics or Metrics("town"))

    def publish(self, event_id: str, partition: int | None = None, **changes: Any) -> None:  # noqa: ANN401 - any JSON
        """Production predicts one event."""
        event = {
            "event_id": event_id,
            "timestamp": self.clock.now(),
            "features": {"x": len(event_id)},
            "prediction": {"probabilities": {"no": 0.3, "yes": 0.7}},
            **changes,
        }
        self.writer.send(
            self.topics.predictions, orjson.dumps(event), key=event_id.encode(), partition=partition
        )

    def label(
        self,
        event_id: str,
        label: str | None = "yes",
        *,
        by: str = "person",
        **fields: Any,  # noqa: ANN401 - any
    ) -> None:
        """A person answers."""
        answer = LabelEvent(
            event_id=event_id,
            label=label,
            annotator=by,
            labelled_at=datetime.fromtimestamp(self.clock.now(), UTC),
            **fields,
        )
        self.writer.send(self.topics.labels, answer.to_bytes(), key=event_id.encode())

    def read(self, topic: str) -> Iterator[Record]:
        """All committed records of a topic."""
        consumer = self.broker.consumer()
        sources = [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
        consumer.assign(sources)
        while batch := consumer.poll(0.0, 1000):
            yield from batch
        consumer.close()

    def reviews(self) -> list[ReviewRequest]:
        """All requested reviews."""
        return [ReviewRequest.from_bytes(each.value) for each in self.read(self.topics.reviews)]

    def reasons(self) -> list[str]:
        """Reasons of all dead letters."""
        letters = self.read(self.topics.dead_letters)
        return [(each.header("streamal.reason") or b"").decode() for each in letters]
