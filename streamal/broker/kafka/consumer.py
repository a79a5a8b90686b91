"""The consumer over kafka-python."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, cast

import kafka
from kafka.structs import MemberState

from streamal.broker.calls import Call
from streamal.broker.clients import nobody_waits
from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.client import opened
from streamal.broker.kafka.config import consumer_config
from streamal.broker.kafka.errors import translating
from streamal.broker.kafka.listener import Listener, Task
from streamal.errors import BrokerUnavailable, Rebalanced, Unauthorized
from streamal.ports import GroupMetadata, Record, StartFrom, TopicPartition

__all__ = ["KafkaConsumer"]

log = logging.getLogger(__name__)

#: A healthy client re-connects well within this; a poll that finds nobody for longer says so.
ALONE_LIMIT_SECONDS = 3.0
#: On top of what a call was given, before we stop waiting for kafka-python to keep its own limit.
GRACE_SECONDS = 5.0

Callback = Callable[[Sequence[TopicPartition]], None]


class KafkaConsumer:
    """Implements `ports.Consumer`.

    Raises:
        BrokerUnavailable: no broker answered within `request_timeout_seconds`.
        Unauthorized: the brokers refuse our credentials.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        group: str | None,
        start_from: StartFrom,
        read_committed: bool,
        member: str | None,
    ) -> None:
        config = consumer_config(
            connection,
            group=group,
            start_from=start_from,
            read_committed=read_committed,
            member=member,
        )
        self._client, self._network = opened(kafka.KafkaConsumer, connection, config)
        self._group = group
        self._servers = ", ".join(connection.bootstrap_servers)
        self._limit = connection.request_timeout_seconds
        self._topics: tuple[str, ...] = ()
        self._on_assigned: Callback | None = None
        self._on_revoked: Callback | None = None
        self._tasks: SimpleQueue[Task | Call[Any]] = SimpleQueue()
        self._joining: Call[Any] | None = None
        self._held: set[TopicPartition] = set()
        self._failures: list[BaseException] = []
        self._unannounced: tuple[TopicPartition, ...] = ()
        self._metadata: GroupMetadata | None = None
        self._paused: set[TopicPartition] = set()
        self._alone_since: float | None = None
        self._closed = False
        self.when_closed: Callable[[], None] = nobody_waits

    def _about(self, what: str) -> str:
        return what if self._group is None else f"{what} (group {self._group!r})"

    # Choosing partitions

    def subscribe(
        self,
        topics: Sequence[str],
        *,
        on_assigned: Callback | None = None,
        on_revoked: Callback | None = None,
    ) -> None:
        """Join the group at the next poll.

        Raises:
            ValueError: there is no group, or partitions were chosen before.
        """
        if self._group is None:
            raise ValueError("only a member of a group can subscribe")
        if self._topics or self._client.assignment():
            raise ValueError("partitions were chosen before")
        self._topics = tuple(topics)
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        listener = Listener(self._tasks.put, self._revoked, self._assigned, self._network.wake)
        self._client.subscribe(topics=self._topics, listener=listener)
        # kafka-python 3.0 forgets that it wants to know the topics when an answer to an earlier
        # question comes in meanwhile, and would divide nothing among the members for a minute.
        for topic in self._topics:
            self.partitions_for(topic)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions; positions of those read before stay.

        Raises:
            ValueError: this consumer has subscribed.
        """
        if self._topics:
            raise ValueError("a subscribed consumer gets its partitions from the group")
        self._paused &= set(partitions)
        self._client.assign([kafka.TopicPartition(*partition) for partition in partitions])

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions read now."""
        if self._topics:
            return frozenset(self._held)
        return frozenset(TopicPartition(*partition) for partition in self._client.assignment())

    # Rebalances, on the polling thread

    def _revoked(self, partitions: set[Any]) -> None:
        ours = tuple(sorted(self._held.intersection(_ours(partitions))))
        self._unannounced = ()
        try:
            if ours and self._on_revoked is not None:
                self._on_revoked(ours)
        except BaseException as error:  # noqa: BLE001 - raised again by `poll` or `close`
            self._failures.append(error)
        self._held.difference_update(ours)
        self._paused.difference_update(ours)

    def _assigned(self, partitions: set[Any]) -> None:
        # The generation is noted here and not asked for later: once the member has been expelled,
        # kafka-python shows an empty one, with which the cluster would accept any commit.
        self._metadata = self._client.group_metadata()
        self._unannounced = _ours(partitions)
        self._held.update(self._unannounced)
        try:
            self._announce()
        except BaseException as error:  # noqa: BLE001 - raised again by `poll`
            self._failures.append(error)
            self._client.pause(*partitions)

    def _announce(self) -> None:
        """Tell of partitions taken over; tried again at the next poll when the callback fails."""
        if self._unannounced and self._on_assigned is not None:
            self._on_assigned(self._unannounced)
        self._unannounced = ()

    def _announce_again(self) -> None:
        late = self._unannounced
        if late:
            self._announce()
            self.resume(set(late) - self._paused)

    def group_metadata(self) -> GroupMetadata:
        """This member's generation as of its last rebalance.

        Raises:
            ValueError: this consumer has no group.
            Rebalanced: it has subscribed but not joined yet.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        if not self._topics:
            return self._client.group_metadata()
        if self._metadata is None:
            raise Rebalanced(f"group {self._group!r}: not joined yet")
        return self._metadata

    # Reading

    def poll(self, timeout_seconds: float, max_records: int) -> list[Record]:
        """Up to `max_records` records, in offset order per partition.

        Raises:
            BrokerUnavailable: no broker has been connected for a while.
        """
        with translating(self._about("polling")):
            self._announce_again()
            found = self._fetch(timeout_seconds, max_records)
        if self._failures:
            self._rewind(found)
            self._raise_failure()
        self._check_permission()
        self._check_contact(bool(found))
        return [record for records in found.values() for record in _ours_of(records)]

    def _fetch(self, timeout_seconds: float, max_records: int) -> Mapping[Any, Sequence[Any]]:
        deadline = time.monotonic() + timeout_seconds
        if self._topics and not self._joined(timeout_seconds):
            return {}
        remaining = max(0.0, deadline - time.monotonic())
        limits = {"timeout_ms": int(remaining * 1000), "max_records": max_records}
        if not self._topics:
            return cast("Mapping[Any, Sequence[Any]]", self._client.poll(**limits))
        call = self._start(self._client.poll, **limits)
        if not self._serve(call, remaining + self._limit + GRACE_SECONDS):
            raise BrokerUnavailable("kafka-python does not return from a poll")
        self._join_if_needed()
        return cast("Mapping[Any, Sequence[Any]]", call.result(0))

    def _joined(self, timeout_seconds: float) -> bool:
        """Wait for the group's rebalance, if there is one; False when it takes longer."""
        self._join_if_needed()
        if self._joining is None:
            return True
        if not self._serve(self._joining, timeout_seconds):
            return False
        joining, self._joining = self._joining, None
        joining.result(0)
        return True

    def _join_if_needed(self) -> None:
        """Take part in a rebalance without a pause until it is over, polled or not.

        kafka-python 3.0 throws an assignment away that arrives between two of its polls, and asks
        for another rebalance; two members could keep each other at that for ever.
        """
        if self._joining is None and self._client.group_metadata().state != MemberState.STABLE:
            coordinator = self._client._coordinator  # noqa: SLF001 - only `poll` joins, and it fetches too
            self._joining = self._start(coordinator.poll, timeout_ms=None)

    def _start(self, function: Callable[..., Any], **arguments: Any) -> Call[Any]:  # noqa: ANN401 - kafka-python's
        """Call something that may hand over tasks."""
        call = Call(function, **arguments)
        call.when_done(lambda: self._tasks.put(call))
        return call

    def _serve(self, call: Call[Any], limit_seconds: float) -> bool:
        """Run the tasks that are handed over until the call is done; False if it is not in time."""
        deadline = time.monotonic() + limit_seconds
        while not call.done():
            try:
                task = self._tasks.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return call.done()
            if not isinstance(task, Call):
                task()
        return True

    def _rewind(self, found: Mapping[Any, Sequence[Any]]) -> None:
        """Go back to before records that cannot be returned, as a callback's error has to be."""
        for partition, records in found.items():
            self._client.seek(partition, records[0].offset)

    def _raise_failure(self) -> None:
        failure = self._failures[0]
        self._failures.clear()
        raise failure

    def _check_permission(self) -> None:
        """kafka-python logs a refused topic and polls on; for us that is an error."""
        refused = self._network.unauthorized_topics()
        if refused:
            raise Unauthorized(self._about(f"may not describe {', '.join(sorted(refused))}"))

    def _check_contact(self, found: bool) -> None:
        """kafka-python polls on in silence while no broker answers; somebody has to be told."""
        idle = not self._topics and self.assignment() <= self._paused
        now = time.monotonic()
        if found or idle or self._network.connected():
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > ALONE_LIMIT_SECONDS:
            raise BrokerUnavailable(
                f"no broker of {self._servers} connected for {now - self._alone_since:.0f} s"
            )

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next poll starts at `offset`.

        Raises:
            ValueError: the partition is not assigned.
        """
        self._check_assigned(partition)
        self._client.seek(kafka.TopicPartition(*partition), offset)

    def position(self, partition: TopicPartition) -> int:
        """The offset that the next poll starts at.

        Raises:
            ValueError: the partition is not assigned.
        """
        self._check_assigned(partition)
        with translating(self._about(f"finding the position in {_name(partition)}")):
            position = self._client.position(
                kafka.TopicPartition(*partition), timeout_ms=self._limit * 1000
            )
        if position is None:
            raise BrokerUnavailable(f"the position in {_name(partition)} is not known yet")
        return int(position)

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._client.assignment():
            raise ValueError(f"{partition} is not assigned to this consumer")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop returning records of these partitions."""
        chosen = set(partitions) & self.assignment()
        self._paused |= chosen
        self._client.pause(*(kafka.TopicPartition(*partition) for partition in chosen))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Undo `pause`."""
        chosen = set(partitions) & self.assignment()
        self._paused -= chosen
        self._client.resume(*(kafka.TopicPartition(*partition) for partition in chosen))

    # Offsets

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is still kept."""
        return self._look_up("beginning_offsets", partitions)

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """One past the last readable offset: under read_committed, the last stable offset."""
        return self._look_up("end_offsets", partitions)

    def _look_up(
        self, method: str, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        wanted = [kafka.TopicPartition(*partition) for partition in partitions]
        if not wanted:
            return {}
        topics = ", ".join(sorted({partition.topic for partition in wanted}))
        with translating(self._about(f"looking up offsets of {topics}")):
            found = getattr(self._client, method)(wanted, timeout_ms=self._limit * 1000)
        return {TopicPartition(*partition): int(offset) for partition, offset in found.items()}

    def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The group's committed offsets.

        Raises:
            ValueError: this consumer has no group.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        with translating(self._about("reading committed offsets")):
            return {
                partition: self._client.committed(
                    kafka.TopicPartition(*partition), timeout_ms=self._limit * 1000
                )
                for partition in partitions
            }

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next-to-read offsets.

        Raises:
            Rebalanced: this member no longer owns the group's generation.
            ValueError: this consumer has no group.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        with translating(self._about("committing offsets")):
            self._client.commit(
                {
                    kafka.TopicPartition(*partition): kafka.OffsetAndMetadata(offset, "", -1)
                    for partition, offset in offsets.items()
                },
                timeout_ms=self._limit * 1000,
            )

    def partitions_for(self, topic: str) -> tuple[int, ...]:
        """The partition numbers of `topic`."""
        with translating(f"looking up the partitions of {topic!r}"):
            try:
                found = Call(self._client.partitions_for_topic, topic).result(self._limit)
            except TimeoutError as error:
                raise BrokerUnavailable(f"no broker tells the partitions of {topic!r}") from error
        return tuple(sorted(found))

    def close(self) -> None:
        """Revoke, leave the group, free the connections. May be called twice.

        A static member stays in the group until it times out, so that its successor can take over.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._leave(min(GRACE_SECONDS, self._limit))
        finally:
            self.when_closed()
        if self._failures:
            self._raise_failure()

    def _leave(self, goodbye: float) -> None:
        call = self._start(self._client.close, autocommit=False, timeout_ms=goodbye * 1000)
        with translating(self._about("closing a consumer")):
            if self._serve(call, 2 * goodbye):
                call.result(0)
            else:
                log.warning("a consumer was left behind: no broker answered while it closed")


def _ours(partitions: Iterable[Any]) -> tuple[TopicPartition, ...]:
    return tuple(sorted(TopicPartition(*partition) for partition in partitions))


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}-{partition.partition}"


def _ours_of(records: Iterable[Any]) -> list[Record]:
    """Our records for kafka-python's, which are tuples as well; in the way that costs least."""
    new = tuple.__new__
    return [
        new(Record, (topic, partition, offset, when, key, value, tuple(headers) if headers else ()))
        for topic, partition, _, offset, when, _, key, value, headers, _, _, _, _ in records
    ]
