"""The edges of streamal: what roles need from a log, a clock and a stop signal.

Two brokers implement `Broker`: `streamal.broker.kafka` and `streamal.broker.memory`; one contract
suite (`tests/contract`) holds both to the words below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

__all__ = [
    "Admin",
    "Broker",
    "Clock",
    "Consumer",
    "GroupMetadata",
    "Headers",
    "Producer",
    "Record",
    "StartFrom",
    "StopSignal",
    "TopicDescription",
    "TopicPartition",
    "TopicSpec",
    "TransactionalProducer",
]

Headers: TypeAlias = tuple[tuple[str, bytes], ...]
StartFrom: TypeAlias = Literal["earliest", "latest"]
#: A member's identity and generation as its broker knows it; opaque to roles.
GroupMetadata: TypeAlias = object


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One message of the log; a tuple, since millions are made.

    Attributes:
        timestamp_ms: milliseconds since the Unix epoch, as the log stored it.
        value: None is a tombstone.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def source(self) -> TopicPartition:
        """Where the record lies."""
        return TopicPartition(self.topic, self.partition)

    def header(self, name: str) -> bytes | None:
        """The first header called `name`."""
        return next((value for key, value in self.headers if key == name), None)


class Clock(Protocol):
    """The time of day, and the only way to wait."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`, or earlier when the process is asked to stop."""


class StopSignal(Protocol):
    """Whether the process was asked to stop; `threading.Event` is one."""

    def is_set(self) -> bool:
        """True from the moment it was asked."""


class Consumer(Protocol):
    """Reads records, alone or as a member of a group. Used by one thread.

    Either `subscribe` (the group assigns partitions) or `assign` (the caller does), never both.
    Every method may raise `BrokerUnavailable` (retriable) or `Unauthorized` (fatal).
    """

    def subscribe(
        self,
        topics: Sequence[str],
        *,
        on_assigned: Callable[[Sequence[TopicPartition]], None] | None = None,
        on_revoked: Callable[[Sequence[TopicPartition]], None] | None = None,
    ) -> None:
        """Join the group. The callbacks run inside `poll` and `close`, on the caller's thread.

        `on_revoked` runs before the partitions can reach another member on a regular rebalance, and
        after the fact when the member was expelled. Inside `on_assigned`, `committed`, `seek`,
        `position` and the offset look-ups may be called.
        """

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions, outside of any group's assignment."""

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions read now."""

    def poll(self, timeout_seconds: float, max_records: int) -> list[Record]:
        """Up to `max_records` records, in offset order per partition; empty after the timeout.

        Blocks for about `timeout_seconds` at most while a broker answers. Positions advance past
        what is returned. Control records and aborted transactions (under read_committed) are never
        returned, so offsets may have gaps.
        """

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next poll starts at `offset`."""

    def position(self, partition: TopicPartition) -> int:
        """The offset that the next poll starts at; past trailing control records once drained."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop returning records of these partitions; the membership stays alive by polling."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Undo `pause`."""

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is still kept."""

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """One past the last readable offset: under read_committed, the last stable offset."""

    def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The group's committed offsets; None where there is none."""

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next-to-read offsets for the group, outside of any transaction.

        Raises:
            Rebalanced: this member no longer owns the group's generation.
        """

    def group_metadata(self) -> GroupMetadata:
        """This member's generation, for `TransactionalProducer.commit`."""

    def partitions_for(self, topic: str) -> tuple[int, ...]:
        """The partition numbers of `topic`, ascending; empty when it does not exist."""

    def close(self) -> None:
        """Leave the group and free the connections. May be called twice."""


class Producer(Protocol):
    """Appends records; `flush` waits until all are acknowledged by all in-sync replicas."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> None:
        """Queue one record; without `partition`, equal keys go to equal partitions.

        May block while its buffer is full. Failures surface here, in `flush` or in `commit`.
        """

    def flush(self) -> None:
        """Return when everything sent is stored; raise the first failure otherwise."""

    def close(self) -> None:
        """Flush and free the connections. May be called twice."""


class TransactionalProducer(Producer, Protocol):
    """A producer whose records and offsets appear together or not at all.

    Creating one with a transactional id fences every older producer with the same id and aborts
    what that one left open.
    """

    def begin(self) -> None:
        """Open a transaction."""

    def commit(
        self,
        offsets: Mapping[TopicPartition, int] | None = None,
        group: GroupMetadata | None = None,
    ) -> None:
        """Make the records and the group's next-to-read `offsets` visible together.

        Raises:
            Rebalanced: `group` is from an older generation; the transaction was aborted.
            Fenced: a newer producer has this transactional id; this one is dead.
            BrokerUnavailable: the outcome was not reached; call `abort`, then retry the batch.
        """

    def abort(self) -> None:
        """Discard everything since `begin`; does nothing when no transaction is open.

        Raises:
            Fenced: a newer producer has this transactional id; this one is dead.
        """


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be created.

    Attributes:
        config: broker-side topic settings, such as {"cleanup.policy": "compact"}.
    """

    name: str
    partitions: int
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as it is."""

    name: str
    partitions: int
    replication: int
    compacted: bool
    max_message_bytes: int


class Admin(Protocol):
    """Creates and describes topics."""

    def create_topics(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create those that are missing; return their names. Existing ones are left as they are."""

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicDescription]:
        """Those of `names` that exist."""

    def cluster_id(self) -> str:
        """Tells this log from every other, under whatever addresses it is reached."""

    def close(self) -> None:
        """Free the connections. May be called twice."""


class Broker(Protocol):
    """The log: hands out consumers, producers and an admin."""

    def consumer(
        self,
        *,
        group: str | None = None,
        start_from: StartFrom = "earliest",
        read_committed: bool = True,
        member: str | None = None,
    ) -> Consumer:
        """A new consumer.

        Args:
            group: consumer group; None reads without one (then only `assign` works).
            start_from: where to begin on a partition without a committed or sought offset, and
                after the log has dropped the offset.
            read_committed: never return records of open or aborted transactions.
            member: static group membership id (survives a quick restart without a rebalance).
        """

    def producer(self) -> Producer:
        """A new idempotent producer without transactions."""

    def transactional_producer(self, transactional_id: str) -> TransactionalProducer:
        """A new transactional producer; fences older ones with the same id before it returns."""

    def admin(self) -> Admin:
        """A new admin client."""

    def close(self) -> None:
        """Close everything that was handed out. May be called twice."""
