"""The admin client over librdkafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from streamal.broker.clients import nobody_waits
from streamal.broker.librdkafka.desk import Desk
from streamal.broker.librdkafka.errors import kafka_error, translated, translating
from streamal.errors import BrokerUnavailable, TopicsInvalid
from streamal.ports import TopicDescription, TopicSpec

__all__ = ["LibrdkafkaAdmin"]

#: Between two looks at whether a new topic has its leaders.
LOOK_AGAIN_SECONDS = 0.02


class LibrdkafkaAdmin:
    """Implements `ports.Admin`; asks through the desk that its broker's clients share."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.when_closed: Callable[[], None] = nobody_waits

    def create_topics(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create those that are missing, and wait until they have leaders; their names.

        Raises:
            TopicsInvalid: the cluster refuses a name, a replication or a setting.
        """
        existing = self._desk.partitions([spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in existing]
        return tuple(spec.name for spec in missing if self._create(spec))

    def _create(self, spec: TopicSpec) -> bool:
        about = f"creating topic {spec.name!r}"
        wanted = NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=spec.replication,
            config=dict(spec.config),
        )
        try:
            asked = self._desk.client.create_topics([wanted], request_timeout=self._desk.limit)
            self._desk.answer(asked[spec.name], about)
        except KafkaException as error:
            if kafka_error(error).name() == "TOPIC_ALREADY_EXISTS":
                return False
            if kafka_error(error).name() == "_INVALID_ARG":
                raise TopicsInvalid(f"{about}: {kafka_error(error).str()}") from error
            raise translated(kafka_error(error), about) from error
        self._await_leaders(spec.name)
        return True

    def _await_leaders(self, name: str) -> None:
        deadline = time.monotonic() + self._desk.limit
        while not _led(self._desk.partitions([name]).get(name, [])):
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"topic {name!r} has no leaders yet")
            time.sleep(LOOK_AGAIN_SECONDS)

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicDescription]:
        """Those of `names` that exist.

        Raises:
            Unauthorized: a topic or its settings may not be described.
        """
        existing = self._desk.partitions(names)
        return {
            name: _description(name, partitions, self._settings(name))
            for name, partitions in existing.items()
        }

    def _settings(self, name: str) -> dict[str, Any]:
        about = f"describing the settings of topic {name!r}"
        resource = ConfigResource(ResourceType.TOPIC, name)
        asked = self._desk.client.describe_configs([resource], request_timeout=self._desk.limit)
        with translating(about):
            settings: dict[str, Any] = self._desk.answer(asked[resource], about)
        return settings

    def cluster_id(self) -> str:
        """The id that the cluster was formatted with."""
        return self._desk.cluster_id()

    def close(self) -> None:
        """Let the desk go. May be called twice."""
        self.when_closed()


def _led(partitions: Sequence[Any]) -> bool:
    return bool(partitions) and all(
        each.leader is not None and each.leader.id >= 0 for each in partitions
    )


def _description(
    name: str, partitions: Sequence[Any], settings: dict[str, Any]
) -> TopicDescription:
    return TopicDescription(
        name=name,
        partitions=len(partitions),
        replication=min((len(each.replicas) for each in partitions), default=0),
        compacted="compact" in settings["cleanup.policy"].value.split(","),
        max_message_bytes=int(settings["max.message.bytes"].value),
    )
