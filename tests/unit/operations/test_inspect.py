"""A look inside, from the topics alone."""

from __future__ import annotations

from typing import Protocol

import orjson
import pytest

from streamal.bootstrap import Pipeline
from streamal.errors import TopicsInvalid
from streamal.operations.inspect import GateLane, Inspection, inspect
from streamal.settings import SnapshotSettings
from streamal.telemetry import Metrics


class PlantLike(Protocol):
    """What conftest.py makes; test modules cannot import it."""

    pipeline: Pipeline

    def create_topics(self) -> None: ...
    def publish(self, first: int, last: int) -> None: ...
    def run(self, events: int) -> None: ...


def test_before_anything_has_happened(plant: PlantLike) -> None:
    plant.create_topics()
    assert inspect(plant.pipeline) == Inspection(
        pipeline="orders",
        model=None,
        refused=None,
        pending=None,
        response_rate=None,
        label_latency_seconds=None,
        quarantined=0,
        disputes=0,
        annotator_alpha=None,
        answer_noise=None,
        answer_error=None,
        noise_dominates=False,
        quality=None,
        gates=[
            GateLane(
                partition=n,
                next_offset=None,
                lag=0,
                decided=0,
                routed=0,
                synthetic=0,
                threshold=None,
            )
            for n in range(2)
        ],
        labels_lag=0,
    )


def test_without_any_topic(plant: PlantLike) -> None:
    with pytest.raises(TopicsInvalid, match="`streamal topics create` makes it") as caught:
        inspect(plant.pipeline)
    assert len(caught.value.problems) == 8


def test_a_backlog_without_a_gate(plant: PlantLike) -> None:
    plant.create_topics()
    plant.publish(0, 7)
    assert [lane.lag for lane in inspect(plant.pipeline).gates] == [4, 3]


def test_a_pipeline_that_has_worked(plant: PlantLike) -> None:
    plant.create_topics()
    plant.run(300)
    plant.publish(300, 310)
    found = inspect(plant.pipeline)
    assert [(lane.decided, lane.lag) for lane in found.gates] == [(150, 5), (150, 5)]
    routed = sum(lane.routed for lane in found.gates)
    assert 30 <= routed <= 90
    assert all(lane.threshold is not None and 0 <= lane.threshold <= 1 for lane in found.gates)
    assert found.model is not None
    assert found.model.version >= 1
    assert found.model.learner == "default"
    assert found.model.labels_learned == routed
    assert found.pending == 0
    assert found.label_latency_seconds == pytest.approx(1, abs=1)
    assert found.labels_lag == 0
    assert found.refused is None
    assert orjson.loads(orjson.dumps(found.model_dump()))["pipeline"] == "orders"


def test_labels_that_wait(plant: PlantLike) -> None:
    plant.create_topics()
    producer = plant.pipeline.broker.producer()
    for _ in range(3):
        producer.send("labels", b"{}")
    assert inspect(plant.pipeline).labels_lag == 3


def test_a_snapshot_under_another_key_is_refused_not_shown(plant: PlantLike) -> None:
    plant.create_topics()
    plant.run(300)
    ours = plant.pipeline
    keys = SnapshotSettings.model_validate({"signing_keys": ["another-key-of-16"]})
    other = Pipeline(
        ours.settings.model_copy(update={"snapshots": keys}),
        ours.broker,
        ours.clock,
        Metrics("orders"),
    )
    found = inspect(other)
    assert found.model is None
    assert found.refused is not None


def test_looking_changes_nothing(plant: PlantLike) -> None:
    plant.create_topics()
    plant.run(100)
    assert inspect(plant.pipeline) == inspect(plant.pipeline)
