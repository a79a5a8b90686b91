"""The topics of a pipeline: how they are made, and whether those that exist will do."""

from __future__ import annotations

from collections.abc import Mapping

from streamal.ports import TopicDescription, TopicSpec
from streamal.settings import Settings

__all__ = ["problems", "topic_specs"]

#: Compaction works on closed segments only. Gate state is rewritten with every transaction, so
#: small segments keep what a newly assigned gate has to skip within about a second of reading.
_STATE_SEGMENT_BYTES = 16 * 1024 * 1024
#: Snapshots of large models are megabytes each; a handful of them per segment.
_MODEL_SEGMENT_BYTES = 64 * 1024 * 1024
#: Most that a review request or a dead letter adds to the event that it repeats.
_ADDED_BYTES = 64 * 1024
#: Compact as soon as a tenth of the log is outdated rather than half.
_DIRTY_RATIO = "0.1"


def topic_specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """Every topic as `streamal topics create` makes it."""
    topics = settings.topics
    kept = {
        "cleanup.policy": "delete",
        "retention.ms": str(round(topics.retention_seconds * 1000)),
    }
    whole_events = {**kept, "max.message.bytes": str(settings.broker.max_message_bytes)}
    many, one = topics.predictions_partitions, 1

    def spec(name: str, partitions: int, config: Mapping[str, str]) -> TopicSpec:
        return TopicSpec(name, partitions, topics.replication, config)

    return (
        spec(topics.predictions, many, whole_events),
        spec(topics.reviews, many, whole_events),
        spec(topics.labels, topics.labels_partitions, kept),
        spec(topics.models, one, _compacted(_MODEL_SEGMENT_BYTES)),
        spec(topics.gate_state, many, _compacted(_STATE_SEGMENT_BYTES)),
        spec(topics.windows, one, kept),
        spec(topics.drift, one, kept),
        spec(topics.dead_letters, one, whole_events),
    )


def _compacted(segment_bytes: int) -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "segment.bytes": str(segment_bytes),
        "min.cleanable.dirty.ratio": _DIRTY_RATIO,
    }


def _room(settings: Settings) -> int:
    """What a record needs that repeats an event of the largest size."""
    return settings.format.max_event_bytes + _ADDED_BYTES


def problems(settings: Settings, found: Mapping[str, TopicDescription]) -> list[str]:
    """One line for each topic that is missing or of the wrong shape."""
    lines = [
        f"topics: {spec.name!r} does not exist; `streamal topics create` makes it"
        for spec in topic_specs(settings)
        if spec.name not in found
    ]
    topics = settings.topics
    lines += [
        f"topics: {name!r} is not compacted; set cleanup.policy=compact on it"
        for name in (topics.models, topics.gate_state)
        if name in found and not found[name].compacted
    ]
    lines += [
        f"topics: {name!r} takes records of {found[name].max_message_bytes} bytes, but an event of "
        f"format.max_event_bytes = {settings.format.max_event_bytes} must fit with what is added "
        f"to it; set max.message.bytes to {_room(settings)} or more"
        for name in (topics.reviews, topics.dead_letters)
        if name in found and found[name].max_message_bytes < _room(settings)
    ]
    models = found.get(topics.models)
    if models is not None and models.partitions != 1:
        lines.append(
            f"topics.models = {models.name!r}: has {models.partitions} partitions; "
            "must have exactly 1, the one that its leader holds"
        )
    predictions = found.get(topics.predictions)
    limit = settings.gate.max_per_hour
    if predictions is not None and limit is not None and limit < 2 * predictions.partitions:
        lines.append(
            f"gate.max_per_hour = {limit:g}: topic {predictions.name!r} has "
            f"{predictions.partitions} partitions, which need at least 2 each"
        )
    return lines
