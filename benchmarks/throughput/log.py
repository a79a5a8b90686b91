"""The real Kafka broker that everything runs on, and what the benchmark itself asks of it."""

from __future__ import annotations

import importlib.util
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from benchmarks.throughput.events import Event

try:
    from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ModuleNotFoundError as error:
    raise SystemExit(f"{error.name} is missing: pip install --group throughput") from error

_LOCAL_KAFKA: Final = Path(__file__).parents[2] / "deploy" / "local-kafka" / "local_kafka.py"
#: How long a program may do nothing that can be seen; far longer than a busy machine makes it.
PATIENCE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.02


class Failed(RuntimeError):
    """A program ended, or did not get on; the message says which and how."""


def _local_kafka() -> ModuleType:
    spec = importlib.util.spec_from_file_location("local_kafka", _LOCAL_KAFKA)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{_LOCAL_KAFKA} is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules["local_kafka"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    """A TCP port on the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_log(bootstrap: str | None) -> Iterator[Log]:
    """The broker at `bootstrap`, or one of our own for as long as this lasts."""
    if bootstrap is not None:
        yield Log(bootstrap)
        return
    with _local_kafka().LocalKafka() as server:
        yield Log(server.bootstrap)


class Log:
    """A broker's topics.

    Args:
        bootstrap: `host:port`.
    """

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        # librdkafka would say on standard error that the broker has gone when all is done.
        self._client: Mapping[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 0}
        self._admin = AdminClient({**self._client})

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic."""
        for done in self._admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            done.result()

    def delete(self, topics: Iterable[str]) -> None:
        """Drop topics, so that a long run does not fill the disk."""
        for done in self._admin.delete_topics(list(topics)).values():
            done.result()

    def append(self, topic: str, events: Iterable[Event]) -> None:
        """Store events; by their keys they are spread over the partitions."""
        producer = Producer({**self._client, "linger.ms": 20, "batch.num.messages": 2000})
        for event in events:
            self._send(producer, topic, event)
        producer.flush()

    @staticmethod
    def _send(producer: Any, topic: str, event: Event) -> None:  # noqa: ANN401 - confluent has no types
        while True:
            try:
                producer.produce(topic, event.value, event.key)
            except BufferError:  # until some of what is queued was stored
                producer.poll(0.1)
            else:
                producer.poll(0)
                return

    def committed(self, group: str, topic: str) -> int:
        """The sum of a group's offsets on a topic; 0 before it committed any."""
        asked = [ConsumerGroupTopicPartitions(group)]
        (found,) = self._admin.list_consumer_group_offsets(asked, require_stable=True).values()
        partitions = found.result().topic_partitions
        return sum(max(0, each.offset) for each in partitions if each.topic == topic)

    def wait_committed(
        self, group: str, topic: str, offset: int, check: Callable[[], None] = lambda: None
    ) -> None:
        """Return once the group has committed `offset` (summed over partitions).

        Args:
            group: consumer group.
            topic: that it reads.
            offset: to be reached.
            check: raises when there is nothing to wait for any more.
        """
        reached, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        while (now := self.committed(group, topic)) < offset:
            check()
            if now > reached:
                reached, deadline = now, time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() > deadline:
                raise Failed(f"{group} did not reach offset {offset} of {topic}")
            time.sleep(_LOOK_SECONDS)

    def read(self, topic: str) -> list[Any]:
        """Every committed record of a topic, as confluent-kafka's messages."""
        with self.reader(topic, "beginning") as consumer:
            ends = {
                source.partition: consumer.get_watermark_offsets(source)[1]
                for source in consumer.assignment()
            }
            records: list[Any] = []
            # Past the last records of transactions lie markers, which are never returned.
            while any(
                position.offset < ends[position.partition]
                for position in consumer.position(consumer.assignment())
            ) and (found := consumer.consume(10_000, timeout=2.0)):
                records += found
            return records

    @contextmanager
    def reader(self, topic: str, start: str) -> Iterator[Any]:
        """A read_committed consumer of all partitions, from the `beginning` or the `end`."""
        settings: Mapping[str, Any] = {
            **self._client,
            "group.id": "throughput-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 10,
        }
        consumer = Consumer(settings)
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        at = {"beginning": -2, "end": -1}[start]
        consumer.assign([TopicPartition(topic, number, at) for number in partitions])
        try:
            yield consumer
        finally:
            consumer.close()
