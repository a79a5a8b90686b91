"""A look inside a pipeline, from its topics alone: nothing has to be running."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from pydantic import BaseModel

from streamal.bootstrap import Pipeline, gate_group, trainer_group
from streamal.errors import TopicsInvalid
from streamal.events import QualityReport
from streamal.operations.topics import problems, topic_specs
from streamal.ports import Consumer, TopicPartition
from streamal.roles.gate_state import GateStateReader

__all__ = ["GateLane", "Inspection", "ModelState", "inspect", "require_topics"]


class ModelState(BaseModel):
    """The newest snapshot that verifies.

    Attributes:
        version: rises by one with each snapshot.
        lineage: identity of the series of labels that it learned from.
        learner: registered name or factory.
        labels_learned: labels that it contains.
        label_offsets: next offset of each partition of `labels` that it does not contain.
        created_at: RFC 3339.
        size_bytes: of the payload.
    """

    version: int
    lineage: str
    learner: str
    labels_learned: int
    label_offsets: dict[str, int]
    created_at: str
    size_bytes: int


class GateLane(BaseModel):
    """One partition of `predictions`.

    Attributes:
        partition: its number.
        next_offset: where the gates stand; None before their first commit.
        lag: records they have not decided on.
        decided: events accepted so far.
        routed: of these, sent to review.
        synthetic: made-up items that people were asked about besides.
        threshold: the policy's present threshold; None before the first event.
    """

    partition: int
    next_offset: int | None
    lag: int
    decided: int
    routed: int
    synthetic: int
    threshold: float | None


class Inspection(BaseModel):
    """What `streamal inspect` shows.

    Attributes:
        pipeline: name of the pipeline.
        model: None before the first snapshot.
        refused: why the newest snapshot was refused; None when it was not.
        pending: reviews without an answer, as the trainer last counted them.
        response_rate: share of expired reviews answered in time.
        label_latency_seconds: median time from decision to label.
        quarantined: annotators whose answers are held until a lead decides.
        disputes: items that wait for a lead to adjudicate.
        annotator_alpha: Krippendorff's alpha of the newest items with several answers.
        answer_noise: estimated probability that a final answer is wrong.
        answer_error: in a regression, expected distance of a final answer from the truth.
        noise_dominates: whether that noise may move the accuracy estimate, in a regression that of
            the mean absolute error, by more than its interval allows.
        quality: what is known of production and the online model, by segment and by class too; None
            before a window matured.
        gates: one entry per partition.
        labels_lag: labels that the trainer has not reported yet.
    """

    pipeline: str
    model: ModelState | None
    refused: str | None
    pending: int | None
    response_rate: float | None
    label_latency_seconds: float | None
    quarantined: int
    disputes: int
    annotator_alpha: float | None
    answer_noise: float | None
    answer_error: float | None
    noise_dominates: bool
    quality: QualityReport | None
    gates: list[GateLane]
    labels_lag: int


def inspect(pipeline: Pipeline) -> Inspection:
    """Read the newest state of `pipeline` from its topics.

    Raises:
        TopicsInvalid: topics are missing or of the wrong shape; one line each.
        BrokerUnavailable: no broker answers.
    """
    require_topics(pipeline)
    reader = pipeline.snapshot_reader()
    try:
        reader.catch_up()
    finally:
        reader.close()
    heartbeat = reader.heartbeat
    return Inspection(
        pipeline=pipeline.settings.pipeline.name,
        model=_model(reader.snapshot.header.model_dump(mode="json")) if reader.snapshot else None,
        refused=reader.refusal,
        pending=heartbeat.pending if heartbeat else None,
        response_rate=heartbeat.response_rate if heartbeat else None,
        label_latency_seconds=heartbeat.label_latency_seconds if heartbeat else None,
        quarantined=heartbeat.quarantined if heartbeat else 0,
        disputes=heartbeat.disputes if heartbeat else 0,
        annotator_alpha=heartbeat.annotator_alpha if heartbeat else None,
        answer_noise=heartbeat.answer_noise if heartbeat else None,
        answer_error=heartbeat.answer_error if heartbeat else None,
        noise_dominates=heartbeat.noise_dominates if heartbeat else False,
        quality=heartbeat.quality if heartbeat else None,
        gates=_gates(pipeline),
        labels_lag=_labels_lag(pipeline),
    )


def require_topics(pipeline: Pipeline) -> None:
    """Raise `TopicsInvalid` when topics are missing or of the wrong shape."""
    admin = pipeline.broker.admin()
    try:
        found = admin.describe_topics([spec.name for spec in topic_specs(pipeline.settings)])
    finally:
        admin.close()
    lines = problems(pipeline.settings, found)
    if lines:
        raise TopicsInvalid(*lines)


def _model(header: Mapping[str, object]) -> ModelState:
    return ModelState.model_validate({name: header[name] for name in ModelState.model_fields})


def _gates(pipeline: Pipeline) -> list[GateLane]:
    settings = pipeline.settings
    consumer = pipeline.broker.consumer(group=gate_group(settings))
    try:
        sources = _sources(consumer, settings.topics.predictions)
        first = consumer.beginning_offsets(sources)
        ends = consumer.end_offsets(sources)
        committed = consumer.committed(sources)
    finally:
        consumer.close()
    reader = GateStateReader(pipeline.broker, settings.topics.gate_state, pipeline.clock)
    states = reader.read({source.partition: 0 for source in sources})
    return [
        _lane(
            source.partition,
            committed[source],
            ends[source] - (committed[source] or first[source]),
            states.get(source.partition),
        )
        for source in sources
    ]


def _lane(partition: int, next_offset: int | None, lag: int, state: bytes | None) -> GateLane:
    document = orjson.loads(state) if state is not None else {}
    return GateLane(
        partition=partition,
        next_offset=next_offset,
        lag=max(0, lag),
        decided=document.get("decided", 0),
        routed=document.get("routed", 0),
        synthetic=document.get("synthetic", {}).get("asked", 0),
        threshold=document.get("threshold"),
    )


def _labels_lag(pipeline: Pipeline) -> int:
    settings = pipeline.settings
    consumer = pipeline.broker.consumer(group=trainer_group(settings))
    try:
        sources = _sources(consumer, settings.topics.labels)
        ends = consumer.end_offsets(sources)
        committed = consumer.committed(sources)
    finally:
        consumer.close()
    return sum(max(0, ends[source] - (committed[source] or 0)) for source in sources)


def _sources(consumer: Consumer, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
