"""The log of one topic: partitions, offsets, transactions, compaction.

Nothing here locks; `MemoryBroker` calls it under its own lock.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from streamal.errors import TopicsInvalid
from streamal.ports import Headers, Record, TopicDescription, TopicPartition, TopicSpec

__all__ = ["Outcome", "PartitionLog", "Topic", "Transaction"]

#: Apache Kafka's default `max.message.bytes`: 1 MiB and the overhead of one record batch.
DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
#: A compacted partition is cleaned once it holds this many records more than were kept last time;
#: low enough to bound memory, high enough to make a clean-up's full pass rare.
COMPACT_AFTER_RECORDS = 1_000


class Outcome(Enum):
    """How a transaction stands."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(eq=False, slots=True)
class Transaction:
    """One transaction of one producer.

    Attributes:
        opened_at: seconds since the Unix epoch; the transaction times out relative to it.
        partitions: logs that hold records of it; each gets a control record when it ends.
    """

    opened_at: float
    outcome: Outcome = Outcome.OPEN
    partitions: dict[TopicPartition, PartitionLog] = field(default_factory=dict)

    def end(self, outcome: Outcome) -> None:
        """Make the records visible or void, everywhere at once."""
        self.outcome = outcome
        for log in self.partitions.values():
            log.end_transaction(self)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One offset: a record, or the control record (`record` is None) that ends a transaction."""

    record: Record | None
    transaction: Transaction | None

    def seen(self, read_committed: bool) -> Record | None:
        """The record as a reader sees it; None when it must not."""
        aborted = self.transaction is not None and self.transaction.outcome is Outcome.ABORTED
        return None if read_committed and aborted else self.record


class PartitionLog:
    """The records of one partition, by ascending offset, with gaps after compaction."""

    def __init__(self, source: TopicPartition) -> None:
        self.source = source
        self.start = 0
        self.end = 0
        self._offsets: list[int] = []
        self._entries: list[_Entry] = []
        self._open: dict[Transaction, int] = {}
        self._kept = 0

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        timestamp_ms: int,
        transaction: Transaction | None,
    ) -> None:
        """Store one record at the end."""
        topic, partition = self.source
        record = Record(topic, partition, self.end, timestamp_ms, key, value, headers)
        if transaction is not None and transaction.partitions.setdefault(self.source, self) is self:
            self._open.setdefault(transaction, self.end)
        self._store(_Entry(record, transaction))

    def end_transaction(self, transaction: Transaction) -> None:
        """Store the control record; it takes an offset that no reader ever sees."""
        self._open.pop(transaction, None)
        self._store(_Entry(None, transaction))

    def _store(self, entry: _Entry) -> None:
        self._offsets.append(self.end)
        self._entries.append(entry)
        self.end += 1

    def readable_end(self, read_committed: bool) -> int:
        """One past the last readable offset: the last stable offset under `read_committed`."""
        return min(self._open.values(), default=self.end) if read_committed else self.end

    def read(self, offset: int, max_records: int, read_committed: bool) -> tuple[list[Record], int]:
        """Up to `max_records` from `offset` on, and the offset to go on at."""
        stop = self.readable_end(read_committed)
        first, last = bisect_left(self._offsets, offset), bisect_left(self._offsets, stop)
        records: list[Record] = []
        for index in range(first, last):
            record = self._entries[index].seen(read_committed)
            if record is None:
                continue
            if len(records) == max_records:
                return records, record.offset
            records.append(record)
        return records, max(offset, stop)

    def truncate(self, before: int) -> None:
        """Drop what lies before offset `before`, as retention does."""
        self.start = max(self.start, min(before, self.readable_end(read_committed=True)))
        first = bisect_left(self._offsets, self.start)
        del self._offsets[:first], self._entries[:first]

    def overgrown(self) -> bool:
        """Whether a clean-up is due."""
        return len(self._entries) - self._kept > max(COMPACT_AFTER_RECORDS, self._kept)

    def compact(self, *, drop_tombstones: bool) -> None:
        """Keep the last committed record per key, at its offset; open transactions stay whole."""
        stable = bisect_left(self._offsets, self.readable_end(read_committed=True))
        last: dict[bytes | None, tuple[int, _Entry]] = {}
        for entry in self._entries[:stable]:
            record = entry.seen(read_committed=True)
            if record is not None:
                last[record.key] = record.offset, entry
                if drop_tombstones and record.value is None:
                    del last[record.key]
        kept = sorted(last.values(), key=lambda item: item[0])
        self._offsets[:stable] = [offset for offset, _ in kept]
        self._entries[:stable] = [entry for _, entry in kept]
        self._kept = len(self._entries)


class Topic:
    """A topic: its settings and one log per partition."""

    def __init__(self, spec: TopicSpec) -> None:
        if spec.partitions < 1:
            raise TopicsInvalid(
                f"topic {spec.name!r}: {spec.partitions} partitions, needs 1 or more"
            )
        self.name = spec.name
        self.config: Mapping[str, str] = dict(spec.config)
        self.replication = spec.replication
        self.compacted = "compact" in self.config.get("cleanup.policy", "delete").split(",")
        self.max_message_bytes = int(
            self.config.get("max.message.bytes", DEFAULT_MAX_MESSAGE_BYTES)
        )
        self.logs = tuple(
            PartitionLog(TopicPartition(spec.name, partition))
            for partition in range(spec.partitions)
        )
        self._turn = 0

    def describe(self) -> TopicDescription:
        """The topic as an admin sees it."""
        return TopicDescription(
            name=self.name,
            partitions=len(self.logs),
            replication=self.replication,
            compacted=self.compacted,
            max_message_bytes=self.max_message_bytes,
        )

    def log(self, partition: int) -> PartitionLog:
        """One partition's log.

        Raises:
            TopicsInvalid: there is no such partition.
        """
        if not 0 <= partition < len(self.logs):
            raise TopicsInvalid(
                f"topic {self.name!r} has partitions 0 to {len(self.logs) - 1}, not {partition}"
            )
        return self.logs[partition]

    def route(self, key: bytes | None) -> PartitionLog:
        """The log for `key`: equal keys share one, records without a key take turns."""
        if key is not None:
            return self.logs[zlib.crc32(key) % len(self.logs)]
        self._turn += 1
        return self.logs[self._turn % len(self.logs)]

    def check(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Refuse what a real topic would refuse.

        Raises:
            TopicsInvalid: too large for the topic, or without a key on a compacted one.
        """
        size = len(key or b"") + len(value or b"")
        size += sum(len(name.encode()) + len(content) for name, content in headers)
        if size > self.max_message_bytes:
            raise TopicsInvalid(
                f"topic {self.name!r} takes at most {self.max_message_bytes} bytes "
                f"(max.message.bytes), the record has {size}"
            )
        if self.compacted and key is None:
            raise TopicsInvalid(f"topic {self.name!r} is compacted, so each record needs a key")

    def compact(self, *, drop_tombstones: bool) -> None:
        """Clean every partition."""
        for log in self.logs:
            log.compact(drop_tombstones=drop_tombstones)

    def tidy(self, logs: Iterable[PartitionLog]) -> None:
        """Clean those of a compacted topic that have grown; tombstones stay for late readers."""
        if self.compacted:
            for log in logs:
                if log.overgrown():
                    log.compact(drop_tombstones=False)
