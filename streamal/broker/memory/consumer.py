"""The consumer of the memory broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto

from streamal.broker.memory.cluster import Client, Cluster
from streamal.broker.memory.groups import NOBODY, Group, Identity, Member
from streamal.ports import GroupMetadata, Record, StartFrom, TopicPartition

__all__ = ["MemoryConsumer"]

#: A waiting poll looks again this often, in real seconds, in case another member timed out on the
#: broker's clock meanwhile: nobody is woken by the passing of time.
LOOK_AGAIN_SECONDS = 0.05

Callback = Callable[[Sequence[TopicPartition]], None]


class Step(Enum):
    """What a member has to do next to follow its group."""

    REVOKE = auto()
    TAKE_OVER = auto()


class MemoryConsumer(Client):
    """Implements `ports.Consumer`."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        group: str | None,
        start_from: StartFrom,
        read_committed: bool,
        member: str | None,
    ) -> None:
        super().__init__(cluster)
        self._group_name = group
        self._start_from = start_from
        self._read_committed = read_committed
        self._static = member
        self._topics: tuple[str, ...] = ()
        self._on_assigned: Callback | None = None
        self._on_revoked: Callback | None = None
        self._member: Member | None = None
        self._unannounced: tuple[TopicPartition, ...] = ()
        self._positions: dict[TopicPartition, int | None] = {}
        self._turns: list[TopicPartition] = []
        self._paused: set[TopicPartition] = set()

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
        if self._group_name is None:
            raise ValueError("only a member of a group can subscribe")
        if self._topics or self._positions:
            raise ValueError("partitions were chosen before")
        self._topics = tuple(topics)
        self._on_assigned, self._on_revoked = on_assigned, on_revoked

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions; positions of those read before stay.

        Raises:
            ValueError: this consumer has subscribed.
        """
        if self._topics:
            raise ValueError("a subscribed consumer gets its partitions from the group")
        with self._cluster.changed:
            self._drop(set(self._positions) - set(partitions))
            self._take(partition for partition in partitions if partition not in self._positions)

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions read now."""
        return frozenset(self._positions)

    def _take(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._positions[partition] = None
            self._turns.append(partition)

    def _drop(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            if self._positions.pop(partition, self) is not self:
                self._turns.remove(partition)
            self._paused.discard(partition)

    # Membership

    def _group(self) -> Group:
        if self._group_name is None:
            raise ValueError("this consumer has no group")
        return self._cluster.group(self._group_name)

    def _keep_membership(self) -> None:
        """Join, follow a rebalance as far as it has got, and tell the callbacks."""
        while self._topics:
            self._announce()
            step = self._next_step()
            if step is None:
                return
            if step is Step.REVOKE:
                self._revoke(tuple(sorted(self._positions)))

    def _announce(self) -> None:
        """Tell of partitions taken over; tried again at the next poll when the callback fails."""
        if self._unannounced and self._on_assigned is not None:
            self._on_assigned(self._unannounced)
        self._unannounced = ()

    def _revoke(self, partitions: tuple[TopicPartition, ...]) -> None:
        try:
            if partitions and self._on_revoked is not None:
                self._on_revoked(partitions)
        finally:
            self._drop(partitions)

    def _next_step(self) -> Step | None:
        """Go one step in the protocol; None when there is nothing to do but wait or read."""
        with self._cluster.changed:
            self._check()
            group, now = self._group(), self._cluster.clock.now()
            if self._member is not None:
                group.touch(self._member, now)
            if self._member is None or not group.knows(self._member):
                self._member = group.enter(self._topics, self._static, now)
                self._cluster.changed.notify_all()
                return Step.REVOKE
            if group.must_join(self._member):
                if self._positions:
                    return Step.REVOKE
                group.join(self._member)
                self._cluster.changed.notify_all()
            if group.news(self._member):
                self._unannounced = group.sync(self._member)
                self._take(self._unannounced)
                return Step.TAKE_OVER
            return None

    def group_metadata(self) -> GroupMetadata:
        """This member's generation.

        Raises:
            ValueError: this consumer has no group.
        """
        with self._cluster.changed:
            self._check()
            return self._identity()

    def _identity(self) -> Identity:
        group = self._group()
        if self._member is None:
            return Identity(group.name, "", NOBODY)
        return group.identity(self._member)

    # Reading

    def poll(self, timeout_seconds: float, max_records: int) -> list[Record]:
        """Up to `max_records` records; waits in real time, whatever the broker's clock does."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            self._keep_membership()
            with self._cluster.changed:
                self._check()
                records = self._fetch(max_records)
                remaining = deadline - time.monotonic()
                if records or remaining <= 0:
                    return records
                self._cluster.changed.wait(min(remaining, LOOK_AGAIN_SECONDS))

    def _fetch(self, max_records: int) -> list[Record]:
        """What is there; the partition that came first comes last next time."""
        self._cluster.expire_transactions()
        records: list[Record] = []
        for partition in list(self._turns):
            if partition in self._paused:
                continue
            if len(records) >= max_records:
                break
            found, self._positions[partition] = self._cluster.log(partition).read(
                self._resolve(partition), max_records - len(records), self._read_committed
            )
            if found:
                records.extend(found)
                self._turns.remove(partition)
                self._turns.append(partition)
        return records

    def _resolve(self, partition: TopicPartition) -> int:
        """Where to read on: the position, else the committed offset, else the chosen end."""
        log = self._cluster.log(partition)
        position = self._positions[partition]
        if position is None and self._group_name is not None:
            position = self._group().offsets.get(partition)
        if position is None or not log.start <= position <= log.end:
            latest = self._start_from == "latest"
            position = log.readable_end(self._read_committed) if latest else log.start
        self._positions[partition] = position
        return position

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next poll starts at `offset`.

        Raises:
            ValueError: the partition is not assigned.
        """
        with self._cluster.changed:
            self._check()
            self._check_assigned(partition)
            self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        """The offset that the next poll starts at.

        Raises:
            ValueError: the partition is not assigned.
        """
        with self._cluster.changed:
            self._check()
            self._check_assigned(partition)
            return self._resolve(partition)

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise ValueError(f"{partition} is not assigned to this consumer")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop returning records of these partitions."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Undo `pause`."""
        self._paused.difference_update(partitions)

    # Offsets

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is still kept."""
        with self._cluster.changed:
            self._check()
            return {partition: self._cluster.log(partition).start for partition in partitions}

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """One past the last readable offset."""
        with self._cluster.changed:
            self._check()
            self._cluster.expire_transactions()
            return {
                partition: self._cluster.log(partition).readable_end(self._read_committed)
                for partition in partitions
            }

    def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The group's committed offsets.

        Raises:
            ValueError: this consumer has no group.
        """
        with self._cluster.changed:
            self._check()
            offsets = self._group().offsets
            return {partition: offsets.get(partition) for partition in partitions}

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next-to-read offsets.

        Raises:
            Rebalanced: this member no longer owns the group's generation.
            ValueError: this consumer has no group.
        """
        with self._cluster.changed:
            self._check()
            group = self._group()
            group.check(self._identity(), self._cluster.clock.now())
            group.commit(offsets)

    def partitions_for(self, topic: str) -> tuple[int, ...]:
        """The partition numbers of `topic`."""
        with self._cluster.changed:
            self._check()
            return tuple(p.partition for p in self._cluster.partitions_of(topic))

    def close(self) -> None:
        """Revoke, leave the group, refuse further calls. May be called twice.

        A static member stays in the group until it times out, so that its successor can take over.
        """
        if self._closed or self._killed:
            return
        try:
            if self._topics and self._positions:
                self._revoke(tuple(sorted(self._positions)))
        finally:
            with self._cluster.changed:
                if self._member is not None and not self._static and self._cluster.available:
                    self._group().leave(self._member)
                super().close()
