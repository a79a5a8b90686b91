"""The shared state behind all clients of one memory broker, and the lock that guards it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamal.broker.clients import nobody_waits
from streamal.broker.memory.groups import Group, Identity
from streamal.broker.memory.log import Outcome, PartitionLog, Topic, Transaction
from streamal.errors import BrokerUnavailable, Fenced, TopicsInvalid
from streamal.ports import Clock, Headers, TopicPartition, TopicSpec

__all__ = ["Client", "Cluster", "Killed", "Writer"]


class Killed(BaseException):
    """Stands for SIGKILL: raised by every call of a killed client, caught by no `except Exception`.

    So the code under test cleans nothing up, as a killed process would not.
    """


@dataclass(slots=True)
class Writer:
    """What the transaction coordinator knows of one transactional id.

    Attributes:
        epoch: number of the newest producer with this id; older ones are fenced.
    """

    epoch: int = 0
    transaction: Transaction | None = None


class Cluster:
    """Topics, groups and transactional ids. Every method expects `changed` to be held.

    Args:
        clock: gives timestamps and decides about timeouts.
        session_timeout_seconds: silence after which a group member is expelled.
        transaction_timeout_seconds: age at which an open transaction is aborted.
    """

    def __init__(
        self, clock: Clock, session_timeout_seconds: float, transaction_timeout_seconds: float
    ) -> None:
        self.id = uuid.uuid4().hex
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self.available = True
        self.lose_commit_response = False
        self.topics: dict[str, Topic] = {}
        self._session_timeout = session_timeout_seconds
        self._transaction_timeout = transaction_timeout_seconds
        self._groups: dict[str, Group] = {}
        self._writers: dict[str, Writer] = {}

    def create(self, spec: TopicSpec) -> bool:
        """Create a topic; False when it was there."""
        if spec.name in self.topics:
            return False
        self.topics[spec.name] = Topic(spec)
        self.changed.notify_all()
        return True

    def topic(self, name: str) -> Topic:
        """Look up a topic.

        Raises:
            TopicsInvalid: it does not exist.
        """
        if name not in self.topics:
            raise TopicsInvalid(f"topic {name!r} does not exist")
        return self.topics[name]

    def log(self, partition: TopicPartition) -> PartitionLog:
        """Look up a partition's log.

        Raises:
            TopicsInvalid: it does not exist.
        """
        return self.topic(partition.topic).log(partition.partition)

    def partitions_of(self, topic: str) -> tuple[TopicPartition, ...]:
        """The partitions of a topic; none when it does not exist."""
        known = self.topics.get(topic)
        return () if known is None else tuple(log.source for log in known.logs)

    def group(self, name: str) -> Group:
        """The coordinator of a group, made when first asked for."""
        if name not in self._groups:
            self._groups[name] = Group(name, self._session_timeout, self.partitions_of)
        return self._groups[name]

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None,
        timestamp_ms: int | None,
        transaction: Transaction | None,
    ) -> None:
        """Store one record, outside of any transaction or in an open one."""
        target = self.topic(topic)
        target.check(key, value, headers)
        log = target.route(key) if partition is None else target.log(partition)
        stamp = int(self.clock.now() * 1000) if timestamp_ms is None else timestamp_ms
        log.append(key, value, headers, stamp, transaction)
        if transaction is None:
            target.tidy([log])
        self.changed.notify_all()

    # Transactions

    def register(self, transactional_id: str) -> int:
        """A new producer's epoch; what its predecessor left open is aborted."""
        writer = self._writers.setdefault(transactional_id, Writer())
        self._end(writer, Outcome.ABORTED)
        writer.epoch += 1
        return writer.epoch

    def writer(self, transactional_id: str, epoch: int) -> Writer:
        """The state of a transactional id, for its newest producer only.

        Raises:
            Fenced: a newer producer has registered, or a transaction has timed out.
        """
        self.expire_transactions()
        writer = self._writers[transactional_id]
        if writer.epoch != epoch:
            raise Fenced(
                f"a newer producer has the transactional id {transactional_id!r}, "
                "or the transaction timed out"
            )
        return writer

    def commit(
        self, writer: Writer, offsets: Mapping[TopicPartition, int], identity: Identity | None
    ) -> None:
        """End the open transaction and store the group's offsets, together."""
        self._end(writer, Outcome.COMMITTED)
        if identity is not None:
            self.group(identity.group).commit(offsets)
        if self.lose_commit_response:
            self.lose_commit_response = False
            raise BrokerUnavailable("the connection was lost while the transaction was committed")

    def abort(self, writer: Writer) -> None:
        """Void the open transaction."""
        self._end(writer, Outcome.ABORTED)

    def _end(self, writer: Writer, outcome: Outcome) -> None:
        transaction, writer.transaction = writer.transaction, None
        if transaction is None:
            return
        transaction.end(outcome)
        for source, log in transaction.partitions.items():
            self.topics[source.topic].tidy([log])
        self.changed.notify_all()

    def expire_transactions(self) -> None:
        """Abort what has been open for longer than the transaction timeout, and fence its producer.

        Kafka's coordinator raises the epoch too, so the producer cannot tell the timeout from a
        successor.
        """
        oldest = self.clock.now() - self._transaction_timeout
        for writer in self._writers.values():
            transaction = writer.transaction
            if transaction is not None and transaction.opened_at < oldest:
                self._end(writer, Outcome.ABORTED)
                writer.epoch += 1


class Client:
    """What a consumer, a producer and an admin share: they close, and they can be killed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.when_closed: Callable[[], None] = nobody_waits
        self._closed = False
        self._killed = False

    def _check(self) -> None:
        """Refuse a call that would not get through; `changed` is held.

        Raises:
            BrokerUnavailable: there is an outage.
            RuntimeError: the client was closed.
            Killed: the client's process is meant to be dead.
        """
        if self._killed:
            raise Killed
        if self._closed:
            raise RuntimeError(f"this {type(self).__name__} is closed")
        if not self._cluster.available:
            raise BrokerUnavailable("the memory broker is down")

    def kill(self) -> None:
        """Cut the client off without any goodbye."""
        with self._cluster.changed:
            self._killed = True
            self._cluster.changed.notify_all()
        self.when_closed()

    def close(self) -> None:
        """Refuse further calls. May be called twice."""
        with self._cluster.changed:
            self._closed = True
            self._cluster.changed.notify_all()
        self.when_closed()
