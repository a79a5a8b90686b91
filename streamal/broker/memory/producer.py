"""Producers of the memory broker, and its admin client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from streamal.broker.memory.cluster import Client, Cluster, Writer
from streamal.broker.memory.groups import Identity
from streamal.broker.memory.log import Transaction
from streamal.errors import Fenced, Rebalanced
from streamal.ports import (
    GroupMetadata,
    Headers,
    TopicDescription,
    TopicPartition,
    TopicSpec,
)

__all__ = ["MemoryAdmin", "MemoryProducer", "MemoryTransactionalProducer"]


class MemoryProducer(Client):
    """Implements `ports.Producer`; a record is stored when `send` returns."""

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
        """Store one record.

        Raises:
            TopicsInvalid: no such topic or partition, or one that refuses the record.
            ValueError: neither key nor value.
        """
        if key is None and value is None:
            raise ValueError("a record needs a key or a value")
        with self._cluster.changed:
            self._check()
            self._cluster.append(
                topic, key, value, headers, partition, timestamp_ms, self._transaction()
            )

    def _transaction(self) -> Transaction | None:
        """The transaction that records go into; `changed` is held."""
        return None

    def flush(self) -> None:
        """Everything is stored already."""
        with self._cluster.changed:
            self._check()


class MemoryTransactionalProducer(MemoryProducer):
    """Implements `ports.TransactionalProducer`."""

    def __init__(self, cluster: Cluster, transactional_id: str) -> None:
        super().__init__(cluster)
        with cluster.changed:
            self._check()
            self._id = transactional_id
            self._epoch = cluster.register(transactional_id)

    def begin(self) -> None:
        """Open a transaction.

        Raises:
            RuntimeError: one is open.
        """
        with self._cluster.changed:
            writer = self._writer()
            if writer.transaction is not None:
                raise RuntimeError("a transaction is open")
            writer.transaction = Transaction(opened_at=self._cluster.clock.now())

    def _writer(self) -> Writer:
        self._check()
        return self._cluster.writer(self._id, self._epoch)

    def _transaction(self) -> Transaction:
        return self._open(self._writer())

    def _open(self, writer: Writer) -> Transaction:
        if writer.transaction is None:
            raise RuntimeError("no transaction is open")
        return writer.transaction

    def commit(
        self,
        offsets: Mapping[TopicPartition, int] | None = None,
        group: GroupMetadata | None = None,
    ) -> None:
        """End the transaction.

        Raises:
            Rebalanced: `group` is from an older generation; the transaction was aborted.
            Fenced: a newer producer has this transactional id, or the transaction timed out.
            BrokerUnavailable: there is an outage, or the answer was lost.
        """
        if offsets and not isinstance(group, Identity):
            raise TypeError(f"offsets need a group's metadata, not {group!r}")
        identity = group if isinstance(group, Identity) else None
        with self._cluster.changed:
            writer = self._writer()
            self._open(writer)
            if offsets and identity is not None:
                self._check_group(writer, identity)
            self._cluster.commit(writer, offsets or {}, identity)

    def _check_group(self, writer: Writer, identity: Identity) -> None:
        try:
            self._cluster.group(identity.group).check(identity, self._cluster.clock.now())
        except Rebalanced:
            self._cluster.abort(writer)
            raise

    def abort(self) -> None:
        """Void the transaction; nothing to do when none is open.

        Raises:
            Fenced: a newer producer has this transactional id.
        """
        with self._cluster.changed:
            self._cluster.abort(self._writer())

    def close(self) -> None:
        """Abort what is open, if the broker answers. May be called twice."""
        with self._cluster.changed:
            if not (self._closed or self._killed) and self._cluster.available:
                with suppress(Fenced):  # then the newer producer has aborted it
                    self._cluster.abort(self._writer())
            super().close()


class MemoryAdmin(Client):
    """Implements `ports.Admin`."""

    def create_topics(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create those that are missing; their names."""
        with self._cluster.changed:
            self._check()
            return tuple(spec.name for spec in specs if self._cluster.create(spec))

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicDescription]:
        """Those of `names` that exist."""
        with self._cluster.changed:
            self._check()
            topics = self._cluster.topics
            return {name: topics[name].describe() for name in names if name in topics}

    def cluster_id(self) -> str:
        """Made up with the broker."""
        with self._cluster.changed:
            self._check()
            return self._cluster.id
