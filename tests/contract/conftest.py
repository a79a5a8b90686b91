"""One suite, three brokers: what the tests of this folder need from each."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from streamal.broker.connection import ClientLibrary, KafkaConnection
from streamal.broker.memory import MemoryBroker
from streamal.broker.opening import kafka_broker
from streamal.clock import ManualClock
from streamal.ports import Broker, Consumer, Record, TopicPartition, TopicSpec

#: A test fails rather than wait longer for what should take milliseconds.
PATIENCE_SECONDS = 15.0
SESSION_SECONDS = 1.5
TRANSACTION_SECONDS = 60.0
#: For the fixture `hasty`; the cluster looks for late transactions every half second.
HASTY_SECONDS = 1.0


class Bench(ABC):
    """A broker with unique names, and the means to hurt it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.admin = broker.admin()

    def topic(self, partitions: int = 1, **config: str) -> str:
        """A new topic; settings are given with underscores for dots."""
        name = f"topic-{uuid.uuid4().hex[:12]}"
        dotted = {key.replace("_", "."): value for key, value in config.items()}
        self.admin.create_topics([TopicSpec(name, partitions, config=dotted)])
        return name

    def name(self, kind: str) -> str:
        """A name that no other test has."""
        return f"{kind}-{uuid.uuid4().hex[:12]}"

    def send(self, topic: str, *values: bytes, partition: int | None = 0) -> None:
        """Store records outside of any transaction, each its own key."""
        producer = self.broker.producer()
        for value in values:
            producer.send(topic, value, key=value, partition=partition)
        producer.close()

    def reader(self, topic: str, *, read_committed: bool = True) -> Consumer:
        """A consumer without a group on all partitions, from the beginning."""
        consumer = self.broker.consumer(read_committed=read_committed)
        consumer.assign(
            [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
        )
        return consumer

    def values(self, topic: str, *, read_committed: bool = True) -> list[bytes | None]:
        """All values of a one-partition topic that can be read now."""
        consumer = self.reader(topic, read_committed=read_committed)
        partition = TopicPartition(topic, 0)
        end = consumer.end_offsets([partition])[partition]
        found: list[bytes | None] = []

        def drained() -> bool:
            found.extend(record.value for record in consumer.poll(0.1, 1000))
            return consumer.position(partition) >= end

        self.until(drained)
        consumer.close()
        return found

    def take(self, consumer: Consumer, count: int) -> list[Record]:
        """Poll until there are `count` records."""
        found: list[Record] = []

        def enough() -> bool:
            found.extend(consumer.poll(0.1, count - len(found)))
            return len(found) >= count

        self.until(enough)
        return found

    def settle(self, shares: dict[Consumer, int]) -> list[Record]:
        """Poll all until each has its number of partitions; what was read meanwhile."""
        found: list[Record] = []

        def settled() -> bool:
            for consumer in shares:
                found.extend(consumer.poll(0.05, 100))
            return all(len(consumer.assignment()) == share for consumer, share in shares.items())

        self.until(settled)
        return found

    def until(self, condition: Callable[[], object]) -> None:
        """Try until the condition holds; fail when that takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "waited too long"

    @abstractmethod
    def break_off(self) -> None:
        """Have no broker answer from now on; only on a bench of the fixture `fragile`."""

    @abstractmethod
    def restore(self) -> None:
        """End what `break_off` began."""

    @abstractmethod
    def outlive_transaction(self) -> None:
        """Let the time of a transaction pass; only on a bench of the fixture `hasty`."""

    @abstractmethod
    def expel(self, alive: Sequence[Consumer]) -> None:
        """Let the session time pass while only `alive` poll."""

    @abstractmethod
    def truncate(self, partition: TopicPartition, before: int) -> None:
        """Drop the records before an offset, as retention does."""


class MemoryBench(Bench):
    def __init__(self, *, transaction_seconds: float = TRANSACTION_SECONDS) -> None:
        self.clock = ManualClock()
        self.memory = MemoryBroker(
            self.clock,
            session_timeout_seconds=SESSION_SECONDS,
            transaction_timeout_seconds=transaction_seconds,
        )
        super().__init__(self.memory)

    def break_off(self) -> None:
        self.memory.available = False

    def restore(self) -> None:
        self.memory.available = True

    def outlive_transaction(self) -> None:
        self.clock.advance(2 * HASTY_SECONDS)

    def expel(self, alive: Sequence[Consumer]) -> None:
        for _ in range(4):
            self.clock.advance(SESSION_SECONDS / 3)
            for consumer in alive:
                consumer.poll(0, 1)

    def truncate(self, partition: TopicPartition, before: int) -> None:
        self.memory.truncate(partition, before)


class KafkaBench(Bench):
    def __init__(
        self,
        bootstrap: str,
        *,
        request_seconds: float = 10.0,
        transaction_seconds: float = TRANSACTION_SECONDS,
        client: ClientLibrary = "kafka-python",
    ) -> None:
        self.connection = KafkaConnection(
            client=client,
            bootstrap_servers=tuple(bootstrap.split(",")),
            session_timeout_seconds=SESSION_SECONDS,
            max_poll_interval_seconds=SESSION_SECONDS,
            transaction_timeout_seconds=transaction_seconds,
            request_timeout_seconds=request_seconds,
            linger_seconds=0.0,
        )
        super().__init__(kafka_broker(self.connection))
        self.server: Any = None

    def break_off(self) -> None:
        self.server.kill()

    def restore(self) -> None:
        self.server.start()

    def outlive_transaction(self) -> None:
        time.sleep(2.5 * HASTY_SECONDS)

    def expel(self, alive: Sequence[Consumer]) -> None:
        deadline = time.monotonic() + 1.5 * SESSION_SECONDS
        while time.monotonic() < deadline:
            for consumer in alive:
                consumer.poll(0.1, 1)
            time.sleep(0.05)

    def truncate(self, partition: TopicPartition, before: int) -> None:
        import kafka  # noqa: PLC0415 - see above

        admin = kafka.KafkaAdminClient(bootstrap_servers=list(self.connection.bootstrap_servers))
        admin.delete_records({kafka.TopicPartition(*partition): before})
        admin.close()


#: Each broker of ours; those of Kafka are named after their client library.
BROKERS = [
    "memory",
    pytest.param("kafka-python", marks=pytest.mark.kafka),
    pytest.param("librdkafka", marks=pytest.mark.kafka),
]
LIBRARIES: tuple[ClientLibrary, ...] = ("kafka-python", "librdkafka")


@pytest.fixture(params=BROKERS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each broker, with unique names."""
    made = (
        MemoryBench()
        if request.param == "memory"
        else KafkaBench(request.getfixturevalue("kafka_bootstrap"), client=request.param)
    )
    yield made
    made.broker.close()


@pytest.fixture(params=BROKERS)
def hasty(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each broker, with little patience for open transactions."""
    made: Bench
    if request.param == "memory":
        made = MemoryBench(transaction_seconds=HASTY_SECONDS)
    else:
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        made = KafkaBench(bootstrap, transaction_seconds=HASTY_SECONDS, client=request.param)
    yield made
    made.broker.close()


@pytest.fixture(params=BROKERS)
def fragile(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each broker, and it can break."""
    made: Bench
    if request.param == "memory":
        made = MemoryBench()
    else:
        server = request.getfixturevalue("own_kafka")
        made = KafkaBench(server.bootstrap, request_seconds=2.0, client=request.param)
        made.server = server
    yield made
    made.broker.close()


@pytest.fixture(params=LIBRARIES)
def bench_of(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], KafkaBench]]:
    """Makes a bench for a broker of one's own, or for an address."""
    made: list[KafkaBench] = []

    def make(server: Any) -> KafkaBench:  # noqa: ANN401 - LocalKafka is loaded from a path
        address = getattr(server, "bootstrap", server)
        bench = KafkaBench(address, request_seconds=2.0, client=request.param)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.broker.close()
