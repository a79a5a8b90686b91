"""A pipeline on the memory broker, for what operations look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson
import pytest

from streamal.bootstrap import Pipeline, topics_of
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.demo.reviewers import Reviewers
from streamal.operations.topics import topic_specs
from streamal.settings import (
    GateSettings,
    PipelineSettings,
    Settings,
    SnapshotSettings,
    TopicSettings,
    TrainerSettings,
)
from streamal.telemetry import Metrics


class Truth(dict[str, str]):
    """Whatever is made up is an "a"."""

    def __missing__(self, event_id: str) -> str:
        assert event_id.startswith("synthetic:")
        return "a"


@dataclass
class Plant:
    """Everything around one pipeline."""

    settings: Settings
    clock: ManualClock
    broker: MemoryBroker
    pipeline: Pipeline

    def create_topics(self) -> None:
        self.broker.admin().create_topics(topic_specs(self.settings))

    def publish(self, first: int, last: int) -> None:
        """Events `first` to `last - 1`, to both partitions in turn."""
        producer = self.broker.producer()
        for number in range(first, last):
            event = {
                "event_id": f"e-{number}",
                "timestamp": self.clock.now(),
                "features": {"x": number % 7},
                "prediction": {"probabilities": {"a": 0.6, "b": 0.4}},
            }
            producer.send("predictions", orjson.dumps(event), partition=number % 2)
        producer.flush()

    def run(self, events: int) -> None:
        """Publish `events`, decide on all of them and learn the answers."""
        truth = Truth({f"e-{number}": "ab"[number % 2] for number in range(events)})
        reviewers = Reviewers(
            self.broker,
            topics_of(self.settings),
            truth,
            ("a", "b"),
            seed=0,
            delay_seconds=1,
            noise=0,
        )
        gate, trainer = self.pipeline.gate(instance="test"), self.pipeline.trainer(":memory:")
        gate.start()
        trainer.start()
        self.publish(0, events)
        for _ in range(10):
            gate.step()
            reviewers.step(self.clock.now())
            trainer.step()
            self.clock.advance(1)
        gate.close()
        trainer.close()
        reviewers.close()


def asking_about_made_up_items(plant: Plant) -> Pipeline:
    """The plant's pipeline with `query_synthesis`, half of whose questions are about such items."""
    gate = plant.settings.gate.model_copy(
        update={"strategy": "query_synthesis", "synthetic_share": 0.5, "max_batch_records": 20}
    )
    return replace(plant.pipeline, settings=plant.settings.model_copy(update={"gate": gate}))


@pytest.fixture
def plant() -> Iterator[Plant]:
    settings = Settings(
        pipeline=PipelineSettings(name="orders"),
        topics=TopicSettings(predictions_partitions=2),
        gate=GateSettings(budget=0.2, poll_timeout_seconds=1e-4),
        trainer=TrainerSettings(
            snapshot_every_labels=5, heartbeat_seconds=1, poll_timeout_seconds=1e-4
        ),
        snapshots=SnapshotSettings.model_validate({"signing_keys": ["0123456789abcdef"]}),
    )
    clock = ManualClock()
    broker = MemoryBroker(clock)
    yield Plant(settings, clock, broker, Pipeline(settings, broker, clock, Metrics("orders")))
    broker.close()
