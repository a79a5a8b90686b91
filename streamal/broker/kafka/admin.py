"""The admin client over kafka-python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import kafka
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from streamal.broker.calls import Call
from streamal.broker.clients import nobody_waits
from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.client import opened
from streamal.broker.kafka.config import client_config
from streamal.broker.kafka.errors import translated, translating
from streamal.errors import BrokerUnavailable, Unauthorized
from streamal.ports import TopicDescription, TopicSpec

__all__ = ["KafkaAdmin"]


class KafkaAdmin:
    """Implements `ports.Admin`.

    Raises:
        BrokerUnavailable: no broker answered within `request_timeout_seconds`.
        Unauthorized: the brokers refuse our credentials.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        config = client_config(connection)
        self._client, _ = opened(kafka.KafkaAdminClient, connection, config)
        self._limit = connection.request_timeout_seconds
        self.when_closed: Callable[[], None] = nobody_waits

    def create_topics(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create those that are missing, and wait until they have leaders; their names.

        Raises:
            TopicsInvalid: the cluster refuses a name, a replication or a setting.
        """
        existing = self._names([spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in existing]
        return tuple(spec.name for spec in missing if self._create(spec))

    def _create(self, spec: TopicSpec) -> bool:
        wanted = {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": dict(spec.config),
        }
        with translating(f"creating topic {spec.name!r}"):
            try:
                self._limited(self._client.create_topics, {spec.name: wanted})
            except TopicAlreadyExistsError:
                return False
            self._limited(self._client.wait_for_topics, [spec.name])
        return True

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicDescription]:
        """Those of `names` that exist.

        Raises:
            Unauthorized: a topic or its settings may not be described.
        """
        existing = self._names(names)
        settings = self._settings(list(existing)) if existing else {}
        return {
            name: _description(name, partitions, settings.get(name, {}))
            for name, partitions in existing.items()
        }

    def cluster_id(self) -> str:
        """The id that the cluster was formatted with."""
        with translating("asking for the cluster's id"):
            found: str = self._limited(self._client.describe_cluster)["cluster_id"]
        return found

    def _names(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Which of the topics exist, with their partitions as kafka-python describes them."""
        if not names:
            return {}
        with translating(f"describing {', '.join(names)}"):
            found = self._limited(self._client.describe_topics, list(names))
        existing = {}
        for topic in found:
            error = for_code(topic["error_code"])
            if error is UnknownTopicOrPartitionError:
                continue
            if topic["error_code"] != 0:
                raise translated(error(), f"describing topic {topic['name']!r}")
            existing[topic["name"]] = topic["partitions"]
        return existing

    def _settings(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        with translating(f"describing the settings of {', '.join(names)}"):
            found = self._limited(self._client.describe_configs, wanted, config_filter="all")
        settings: dict[str, dict[str, Any]] = found.get("topic", {})
        return settings

    def _limited(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - kafka-python's
        try:
            return Call(call, *args, **kwargs).result(self._limit)
        except TimeoutError as error:
            raise BrokerUnavailable(f"no answer within {self._limit:.0f} s") from error

    def close(self) -> None:
        """Free the connections. May be called twice."""
        self._client.close()
        self.when_closed()


def _description(name: str, partitions: list[Any], settings: dict[str, Any]) -> TopicDescription:
    # kafka-python drops the error that stands in place of settings one may not see.
    if "cleanup.policy" not in settings:
        raise Unauthorized(f"topic {name!r}: its settings may not be described (DescribeConfigs)")
    return TopicDescription(
        name=name,
        partitions=len(partitions),
        replication=min((len(p["replica_nodes"]) for p in partitions), default=0),
        compacted="compact" in settings["cleanup.policy"]["value"].split(","),
        max_message_bytes=int(settings["max.message.bytes"]["value"]),
    )
