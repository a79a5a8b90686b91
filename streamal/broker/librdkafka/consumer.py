"""The consumer over librdkafka.

Where to read on is kept here and told to librdkafka with each assignment. librdkafka finds
positions by itself only later, on threads of its own: a reader of "latest" would not know what it
has missed, and a seek right after an assignment would be refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, Message
from confluent_kafka import TopicPartition as TheirPartition
from confluent_kafka.admin import OffsetSpec

from streamal.broker.clients import nobody_waits
from streamal.broker.librdkafka.config import consumer_config
from streamal.broker.librdkafka.desk import Desk, Troubles
from streamal.broker.librdkafka.errors import translated, translating
from streamal.errors import Rebalanced
from streamal.ports import GroupMetadata, Record, StartFrom, TopicPartition

__all__ = ["LibrdkafkaConsumer"]

#: A healthy client re-connects well within this; a poll that finds nobody for longer says so.
ALONE_LIMIT_SECONDS = 3.0
#: Told with a message in which nothing is wrong: the end of a partition, a member that was slow (a
#: callback follows), a topic that is missing.
HARMLESS = frozenset({"_PARTITION_EOF", "_MAX_POLL_EXCEEDED", "UNKNOWN_TOPIC_OR_PART"})

Callback = Callable[[Sequence[TopicPartition]], None]


class LibrdkafkaConsumer:
    """Implements `ports.Consumer`."""

    def __init__(
        self,
        desk: Desk,
        *,
        group: str | None,
        start_from: StartFrom,
        read_committed: bool,
        member: str | None,
    ) -> None:
        config = consumer_config(
            desk.connection,
            group=group,
            start_from=start_from,
            read_committed=read_committed,
            member=member,
        )
        self._troubles = Troubles()
        with translating("making a consumer"):
            self._client = confluent_kafka.Consumer(
                {**desk.config, **config, "error_cb": self._troubles}
            )
        self._desk = desk
        self._group = group
        self._start_from = start_from
        self._read_committed = read_committed
        self._topics: tuple[str, ...] = ()
        self._on_assigned: Callback | None = None
        self._on_revoked: Callback | None = None
        self._held: tuple[TopicPartition, ...] = ()
        self._positions: dict[tuple[str, int], int] = {}
        self._moved = False
        self._paused: set[TopicPartition] = set()
        self._unannounced: tuple[TopicPartition, ...] = ()
        self._rebalanced = False
        self._failures: list[BaseException] = []
        self._metadata: GroupMetadata | None = None
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
        """Join the group.

        Raises:
            ValueError: there is no group, or partitions were chosen before.
        """
        if self._group is None:
            raise ValueError("only a member of a group can subscribe")
        if self._topics or self._held:
            raise ValueError("partitions were chosen before")
        self._topics = tuple(topics)
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        with translating(self._about("subscribing")):
            self._client.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions; positions of those read before stay.

        Raises:
            ValueError: this consumer has subscribed.
        """
        if self._topics:
            raise ValueError("a subscribed consumer gets its partitions from the group")
        chosen = dict.fromkeys(TopicPartition(*partition) for partition in partitions)
        self._hold(tuple(chosen))

    def _hold(self, partitions: tuple[TopicPartition, ...]) -> None:
        self._held = partitions
        self._paused.intersection_update(partitions)
        kept = self._positions.keys() & set(partitions)
        self._positions = {partition: self._positions[partition] for partition in kept}
        self._moved = True

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions read now."""
        return frozenset(self._held)

    # Rebalances; librdkafka calls these on the polling thread

    def _revoked(self, client: confluent_kafka.Consumer, _: list[TheirPartition]) -> None:
        self._rebalanced = True
        told, self._unannounced = tuple(sorted(self._held)), ()
        try:
            if told and self._on_revoked is not None:
                self._on_revoked(told)
        except BaseException as error:  # noqa: BLE001 - raised again by `poll` or `close`
            self._failures.append(error)
        self._hold(())
        self._moved = False
        client.unassign()

    def _assigned(self, client: confluent_kafka.Consumer, theirs: list[TheirPartition]) -> None:
        # The generation is noted here and not asked for later: once the member has been expelled,
        # librdkafka shows an empty one, with which the cluster would accept any commit.
        self._metadata = client.consumer_group_metadata()
        self._rebalanced = True
        given = tuple(sorted(TopicPartition(each.topic, each.partition) for each in theirs))
        self._positions.clear()
        self._hold(given)
        self._unannounced = given
        try:
            self._announce()
            self._start()
        except BaseException as error:  # noqa: BLE001 - raised again by `poll`
            self._failures.append(error)
            client.assign([])

    def _announce(self) -> None:
        """Tell of partitions taken over; tried again at the next poll when the callback fails."""
        if self._unannounced and self._on_assigned is not None:
            self._on_assigned(self._unannounced)
        self._unannounced = ()

    def group_metadata(self) -> GroupMetadata:
        """This member's generation as of its last rebalance.

        Raises:
            ValueError: this consumer has no group.
            Rebalanced: it has subscribed but not joined yet.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        if not self._topics:
            return self._client.consumer_group_metadata()
        if self._metadata is None:
            raise Rebalanced(f"group {self._group!r}: not joined yet")
        return self._metadata

    # Reading

    def poll(self, timeout_seconds: float, max_records: int) -> list[Record]:
        """Up to `max_records` records, in offset order per partition.

        Raises:
            BrokerUnavailable: no broker has been connected for a while.
            Unauthorized: the cluster refuses us a topic or the group.
            Fenced: a newer member has this static membership id.
        """
        self._raise_failure()
        with translating(self._about("polling")):
            if self._unannounced:
                self._announce()
            if self._moved:
                self._start()
            found = self._fetch(time.monotonic() + timeout_seconds, max_records)
        if not found:
            self._raise_failure()
            self._check_contact()
        return found

    def _start(self) -> None:
        """Have librdkafka read the held partitions from where we are."""
        self._find([each for each in self._held if each not in self._positions])
        client = self._client
        client.assign([TheirPartition(*each, self._positions[each]) for each in self._held])
        if self._paused:
            client.pause([TheirPartition(*each) for each in self._paused])
        self._moved = False

    def _find(self, partitions: Sequence[TopicPartition]) -> None:
        """Decide where to begin: at the group's offset, else where `start_from` says."""
        begin = self._committed(partitions) if self._group is not None and partitions else {}
        bare = [each for each in partitions if begin.get(each) is None]
        found = self.end_offsets(bare) if self._start_from == "latest" else self._first(bare)
        known = {each: offset for each, offset in begin.items() if offset is not None}
        self._positions.update(found.items())
        self._positions.update(known.items())

    def _fetch(self, deadline: float, max_records: int) -> list[Record]:
        """What has come; else the first thing to come, and what has come with it."""
        consume = self._client.consume
        self._rebalanced = False
        found = self._records(consume(max_records, 0))
        while not found and not self._failures:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            first = consume(1, left)
            if first:
                found = self._records(first)
            if found and max_records > 1:
                found += self._records(consume(max_records - 1, 0))
        return found

    def _records(self, messages: list[Message]) -> list[Record]:
        made: list[Record] = []
        told: list[tuple[Message, KafkaError]] = []
        new, add = tuple.__new__, made.append
        for message in messages:
            error = message.error()
            if error is not None:
                told.append((message, error))
                continue
            headers = message.headers()
            fields = (
                message.topic(),
                message.partition(),
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value(),
                tuple(headers) if headers else (),
            )
            add(new(Record, fields))  # half of what `Record(...)` takes, for millions of them
        if self._rebalanced:
            made = [
                each for each in made if each.offset >= self._positions.get(each.source, INFINITE)
            ]
        positions = self._positions
        for topic, partition, offset, *_ in made:
            positions[topic, partition] = offset + 1
        # Last: the end of a partition lies behind its records, and is told only once.
        for message, error in told:
            self._note(message, error)
        return made

    def _note(self, message: Message, error: KafkaError) -> None:
        """What librdkafka tells in between the records."""
        name = error.name()
        if name == "_PARTITION_EOF":
            at = TopicPartition(str(message.topic()), int(message.partition() or 0))
            if at in self._positions:
                self._positions[at] = max(self._positions[at], int(message.offset() or 0))
        unused = self._group is None and name == "GROUP_AUTHORIZATION_FAILED"
        if name in HARMLESS or unused:
            return
        topic = message.topic()
        about = "polling" if topic is None else f"reading {topic!r}"
        self._failures.append(translated(error, self._about(about)))

    def _raise_failure(self) -> None:
        if self._failures:
            failure = self._failures[0]
            self._failures.clear()
            raise failure

    def _check_contact(self) -> None:
        """Without a broker librdkafka polls on in silence; somebody has to be told."""
        troubles = self._troubles
        troubles.check(self._about("polling"))
        if troubles.alone_since is None:
            return
        if time.monotonic() - troubles.alone_since > ALONE_LIMIT_SECONDS:
            self._desk.check_contact()
            troubles.alone_since = None

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next poll starts at `offset`.

        Raises:
            ValueError: the partition is not assigned.
        """
        self._check_assigned(partition)
        self._positions[TopicPartition(*partition)] = offset
        self._moved = True

    def position(self, partition: TopicPartition) -> int:
        """The offset that the next poll starts at.

        Raises:
            ValueError: the partition is not assigned.
        """
        self._check_assigned(partition)
        if partition not in self._positions:
            self._find([partition])
        return self._positions[partition]

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._held:
            raise ValueError(f"{partition} is not assigned to this consumer")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop returning records of these partitions."""
        chosen = set(partitions).intersection(self._held) - self._paused
        self._paused |= chosen
        if chosen and not self._moved:
            self._client.pause([TheirPartition(*each) for each in chosen])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Undo `pause`."""
        chosen = self._paused.intersection(partitions)
        self._paused -= chosen
        if chosen and not self._moved:
            self._client.resume([TheirPartition(*each) for each in chosen])

    # Offsets

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is still kept."""
        return self._first(partitions)

    def _first(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return self._desk.offsets(partitions, OffsetSpec.earliest(), committed=False)

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """One past the last readable offset: under read_committed, the last stable offset."""
        return self._desk.offsets(partitions, OffsetSpec.latest(), committed=self._read_committed)

    def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The group's committed offsets.

        Raises:
            ValueError: this consumer has no group.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        return self._committed(partitions)

    def _committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        wanted = [TheirPartition(*partition) for partition in partitions]
        if not wanted:
            return {}
        about = self._about("reading committed offsets")
        with translating(about):
            found = self._client.committed(wanted, timeout=self._desk.limit)
        return {TopicPartition(each.topic, each.partition): _offset(each, about) for each in found}

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next-to-read offsets.

        Raises:
            Rebalanced: this member no longer owns the group's generation.
            ValueError: this consumer has no group.
        """
        if self._group is None:
            raise ValueError("this consumer has no group")
        about = self._about("committing offsets")
        theirs = [TheirPartition(*each, offset) for each, offset in offsets.items()]
        if not theirs:
            return
        self._troubles.check(about)
        if self._troubles.alone_since is not None:
            self._desk.check_contact()
        if self._topics and self._client.consumer_group_metadata() != self._metadata:
            raise Rebalanced(f"{about}: no longer a member")
        with translating(about):
            # On this thread, since within a callback librdkafka lets no other thread commit. It has
            # no limit of its own, but waits for a coordinator no longer than a session lasts.
            done = self._client.commit(offsets=theirs, asynchronous=False)
        for each in done or ():
            _offset(each, about)

    def partitions_for(self, topic: str) -> tuple[int, ...]:
        """The partition numbers of `topic`."""
        found = self._desk.partitions([topic]).get(topic, [])
        return tuple(sorted(each.id for each in found))

    def close(self) -> None:
        """Revoke, leave the group, free the connections. May be called twice.

        A static member stays in the group until it times out, so that its successor can take over.
        """
        if self._closed:
            return
        self._closed = True
        try:
            with translating(self._about("closing a consumer")):
                self._client.close()
        finally:
            self.when_closed()
        self._raise_failure()


#: No offset is as large.
INFINITE = 2**63


def _offset(answered: Any, about: str) -> int | None:  # noqa: ANN401 - librdkafka's partition
    """The offset in an answer; None where there is none."""
    if answered.error is not None:
        raise translated(answered.error, about)
    offset = int(answered.offset)
    return offset if offset >= 0 else None
