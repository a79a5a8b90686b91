"""How a batch's results and its input offsets reach the log: together, or offsets last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streamal.ports import Broker, Consumer, Producer, TopicPartition, TransactionalProducer
from streamal.roles.closing import close_all

__all__ = ["AtLeastOnce", "Delivery", "ExactlyOnce"]


class Delivery(Protocol):
    """Frames one batch."""

    @property
    def producer(self) -> Producer:
        """Where the batch's results go."""
        ...

    def begin(self) -> None:
        """Start a batch."""
        ...

    def commit(self, offsets: Mapping[TopicPartition, int], consumer: Consumer) -> None:
        """End a batch: its results are stored and the group's offsets moved.

        Raises:
            Rebalanced: the partitions went to another member; nothing was committed.
            BrokerUnavailable: the outcome is unknown until `reopen` has returned.
        """
        ...

    def abort(self) -> None:
        """Drop the batch as far as that is possible."""
        ...

    def reopen(self) -> None:
        """Start over after a failure; what the batch left open is resolved when this returns."""
        ...

    def close(self) -> None:
        """Drop an open batch and free the connections."""
        ...


class ExactlyOnce:
    """Results and offsets in one transaction (docs/decisions/0003).

    Args:
        broker: the log.
        transactional_id: unique among running processes; a newer holder fences this one.
    """

    def __init__(self, broker: Broker, transactional_id: str) -> None:
        self._broker = broker
        self._transactional_id = transactional_id
        self._producer: TransactionalProducer = broker.transactional_producer(transactional_id)

    @property
    def producer(self) -> Producer:
        """See `Delivery.producer`."""
        return self._producer

    def begin(self) -> None:
        """See `Delivery.begin`."""
        self._producer.begin()

    def commit(self, offsets: Mapping[TopicPartition, int], consumer: Consumer) -> None:
        """See `Delivery.commit`."""
        self._producer.commit(offsets, consumer.group_metadata())

    def abort(self) -> None:
        """See `Delivery.abort`."""
        self._producer.abort()

    def reopen(self) -> None:
        """See `Delivery.reopen`: a new producer under the same id resolves the old transaction."""
        close_all(self._producer.close)
        self._producer = self._broker.transactional_producer(self._transactional_id)

    def close(self) -> None:
        """See `Delivery.close`."""
        close_all(self._producer.abort, self._producer.close)


class AtLeastOnce:
    """Results first, offsets after they are stored: a crash in between repeats the batch.

    Args:
        broker: the log.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._producer: Producer = broker.producer()

    @property
    def producer(self) -> Producer:
        """See `Delivery.producer`."""
        return self._producer

    def begin(self) -> None:
        """See `Delivery.begin`; there is nothing to open."""

    def commit(self, offsets: Mapping[TopicPartition, int], consumer: Consumer) -> None:
        """See `Delivery.commit`."""
        self._producer.flush()
        consumer.commit(offsets)

    def abort(self) -> None:
        """See `Delivery.abort`; what was sent stays sent."""

    def reopen(self) -> None:
        """See `Delivery.reopen`."""
        close_all(self._producer.close)
        self._producer = self._broker.producer()

    def close(self) -> None:
        """See `Delivery.close`."""
        self._producer.close()
