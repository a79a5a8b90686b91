"""Whether a pipeline would run: settings, connection, topics, permissions."""

from __future__ import annotations

import uuid

from streamal.bootstrap import gate_group, trainer_group
from streamal.errors import Unauthorized
from streamal.operations.topics import problems, topic_specs
from streamal.ports import Broker, TopicPartition
from streamal.settings import Settings

__all__ = ["check_broker"]


def check_broker(settings: Settings, broker: Broker) -> list[str]:
    """One line for each thing on the broker's side that would keep the pipeline from running.

    Raises:
        BrokerUnavailable: no broker answers.
    """
    admin = broker.admin()
    try:
        found = admin.describe_topics([spec.name for spec in topic_specs(settings)])
    finally:
        admin.close()
    return [*problems(settings, found), *_permissions(settings, broker)]


def _permissions(settings: Settings, broker: Broker) -> list[str]:
    """Try what the roles do first: look up a group's offsets, open a transaction."""
    lines = []
    for group in (gate_group(settings), trainer_group(settings)):
        try:
            _try_group(broker, group, settings)
        except Unauthorized as error:
            lines.append(f"permissions: consumer group {group!r}: {error}")
    if settings.gate.delivery == "exactly_once":
        transactional_id = f"{gate_group(settings)}-check-{uuid.uuid4().hex[:8]}"
        try:
            producer = broker.transactional_producer(transactional_id)
            producer.close()
        except Unauthorized as error:
            lines.append(f"permissions: transactional id {transactional_id!r}: {error}")
    return lines


def _try_group(broker: Broker, group: str, settings: Settings) -> None:
    consumer = broker.consumer(group=group)
    try:
        sources = [
            TopicPartition(settings.topics.predictions, number)
            for number in consumer.partitions_for(settings.topics.predictions)
        ]
        if sources:
            consumer.committed(sources)
    finally:
        consumer.close()
