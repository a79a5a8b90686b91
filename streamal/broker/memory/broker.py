"""The memory broker itself, with the switches that fault tests need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamal.broker.clients import OpenClients
from streamal.broker.memory.cluster import Client, Cluster
from streamal.broker.memory.consumer import MemoryConsumer
from streamal.broker.memory.producer import (
    MemoryAdmin,
    MemoryProducer,
    MemoryTransactionalProducer,
)
from streamal.ports import Clock, StartFrom, TopicPartition

__all__ = ["MemoryBroker"]


class MemoryBroker:
    """Implements `ports.Broker` inside one process; clients may live on different threads.

    Args:
        clock: gives timestamps and decides about both timeouts. Waiting is always in real time.
        session_timeout_seconds: silence after which a group member is expelled. On a clock that
            jumps, such as a replay's, give `math.inf`.
        transaction_timeout_seconds: age at which an open transaction is aborted; likewise.

    >>> from streamal.clock import ManualClock
    >>> from streamal.ports import TopicPartition, TopicSpec
    >>> broker = MemoryBroker(ManualClock())
    >>> broker.admin().create_topics([TopicSpec("labels", partitions=1)])
    ('labels',)
    >>> broker.producer().send("labels", b"yes", key=b"event-1")
    >>> reader = broker.consumer()
    >>> reader.assign([TopicPartition("labels", 0)])
    >>> [record.value for record in reader.poll(0, max_records=10)]
    [b'yes']
    """

    def __init__(
        self,
        clock: Clock,
        *,
        session_timeout_seconds: float = 45.0,
        transaction_timeout_seconds: float = 60.0,
    ) -> None:
        self._cluster = Cluster(clock, session_timeout_seconds, transaction_timeout_seconds)
        self._clients = OpenClients()

    # The port

    def consumer(
        self,
        *,
        group: str | None = None,
        start_from: StartFrom = "earliest",
        read_committed: bool = True,
        member: str | None = None,
    ) -> MemoryConsumer:
        """A new consumer; see `ports.Broker.consumer`."""
        return self._clients.kept(
            MemoryConsumer(
                self._cluster,
                group=group,
                start_from=start_from,
                read_committed=read_committed,
                member=member,
            )
        )

    def producer(self) -> MemoryProducer:
        """A new producer without transactions."""
        return self._clients.kept(MemoryProducer(self._cluster))

    def transactional_producer(self, transactional_id: str) -> MemoryTransactionalProducer:
        """A new transactional producer; fences older ones with the same id.

        Raises:
            BrokerUnavailable: there is an outage.
        """
        return self._clients.kept(MemoryTransactionalProducer(self._cluster, transactional_id))

    def admin(self) -> MemoryAdmin:
        """A new admin client."""
        return self._clients.kept(MemoryAdmin(self._cluster))

    def close(self) -> None:
        """Close everything that was handed out. May be called twice."""
        self._clients.close()

    # For tests

    @property
    def available(self) -> bool:
        """Whether calls get through; set it to False and every call raises `BrokerUnavailable`."""
        return self._cluster.available

    @available.setter
    def available(self, value: bool) -> None:
        with self._cluster.changed:
            self._cluster.available = value
            self._cluster.changed.notify_all()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """No call gets through while this is open."""
        self.available = False
        try:
            yield
        finally:
            self.available = True

    def lose_next_commit_response(self) -> None:
        """The next transaction commits, but its producer gets `BrokerUnavailable` as the answer."""
        with self._cluster.changed:
            self._cluster.lose_commit_response = True

    def kill(self, client: Client) -> None:
        """Cut a consumer or producer off as SIGKILL would: `Killed` comes out of all its calls.

        A consumer's membership lasts until the session timeout, a producer's transaction until the
        transaction timeout or until another one takes over its transactional id.
        """
        client.kill()

    def compact(self, topic: str) -> None:
        """Keep the last committed record per key, at its offset, and drop tombstones."""
        with self._cluster.changed:
            self._cluster.topic(topic).compact(drop_tombstones=True)

    def truncate(self, partition: TopicPartition, before: int) -> None:
        """Drop the records before an offset, as retention does."""
        with self._cluster.changed:
            self._cluster.log(partition).truncate(before)
