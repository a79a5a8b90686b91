"""Producers over librdkafka.

librdkafka sends a transactional request again when its answer was lost, with the same epoch, and
says nothing of it. A first copy that arrives late could end a later transaction, or set offsets
back in it. But such a call takes at least the time that librdkafka waits before it sends again; so
after any call that took as long, the next transaction begins with a new epoch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, Message
from confluent_kafka import TopicPartition as TheirPartition

from streamal.broker.clients import nobody_waits
from streamal.broker.librdkafka.config import RETRIED_AFTER_SECONDS, producer_config
from streamal.broker.librdkafka.desk import Desk, Troubles
from streamal.broker.librdkafka.errors import translated, translating
from streamal.errors import (
    BrokerUnavailable,
    Fatal,
    Fenced,
    Rebalanced,
    SettingsInvalid,
    StreamalError,
)
from streamal.ports import GroupMetadata, Headers, TopicPartition

__all__ = ["LibrdkafkaProducer", "LibrdkafkaTransactionalProducer"]

log = logging.getLogger(__name__)

#: For a goodbye while no broker answers.
CLOSE_SECONDS = 5.0
#: Acknowledgements pile up in librdkafka until it is asked for them; this many are few enough.
SENDS_PER_LOOK = 500
#: Between two tries to hand over a record to a full buffer.
FULL_WAIT_SECONDS = 0.05


def flushed(client: confluent_kafka.Producer, limit_seconds: float) -> int:
    """Records that are still not acknowledged after waiting for them.

    confluent-kafka 2.16 can give up a flush in which librdkafka reports a fatal error, and then
    fails to say so: Python makes a `SystemError` of that. The next flush returns at once, and what
    is wrong comes with the next transactional call.
    """
    try:
        left: int = client.flush(limit_seconds)
    except SystemError:
        left = client.flush(limit_seconds)
    return left


class LibrdkafkaProducer:
    """Implements `ports.Producer`."""

    def __init__(self, desk: Desk, transactional_id: str | None = None) -> None:
        self._desk = desk
        self._limit = desk.limit
        self._config = {**desk.config, **producer_config(desk.connection, transactional_id)}
        self._failures: list[StreamalError] = []
        self._unseen = 0
        self._closed = False
        self.when_closed: Callable[[], None] = nobody_waits
        self._open_client()

    def _open_client(self) -> None:
        self._troubles = Troubles()
        settings = {**self._config, "error_cb": self._troubles, "on_delivery": self._delivered}
        with translating("making a producer"):
            self._client = confluent_kafka.Producer(settings)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        """Called by librdkafka, out of its `poll` and `flush`."""
        if error is not None:
            self._failures.append(translated(error, f"sending to {message.topic()!r}"))

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
        """Queue one record.

        Raises:
            SettingsInvalid: larger than `max_message_bytes`.
            TopicsInvalid: there is no such partition.
            BrokerUnavailable: the buffer stays full.
            ValueError: neither key nor value.
        """
        if key is None and value is None:
            raise ValueError("a record needs a key or a value")
        self._check_size(topic, key, value)
        record: dict[str, Any] = {"value": value, "key": key}
        if headers:
            record["headers"] = list(headers)
        if partition is not None:
            record["partition"] = partition
        if timestamp_ms is not None:
            record["timestamp"] = timestamp_ms
        with translating(f"sending to {topic!r}"):
            self._produce(topic, record)
        self._unseen += 1
        if self._unseen >= SENDS_PER_LOOK:
            self._unseen = 0
            self._client.poll(0)

    def _produce(self, topic: str, record: dict[str, Any]) -> None:
        try:
            self._client.produce(topic, **record)
        except BufferError:
            deadline = time.monotonic() + self._limit
            while not self._fits(topic, record):
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(f"sending to {topic!r}: the buffer is full") from None

    def _fits(self, topic: str, record: dict[str, Any]) -> bool:
        self._client.poll(FULL_WAIT_SECONDS)
        try:
            self._client.produce(topic, **record)
        except BufferError:
            return False
        return True

    def _check_size(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        limit = self._desk.connection.max_message_bytes
        size = len(key or b"") + len(value or b"")
        if size > limit:
            raise SettingsInvalid(
                f"max_message_bytes: {limit} is less than the {size} bytes of a record "
                f"for {topic!r}"
            )

    def flush(self) -> None:
        """Return when everything sent is stored.

        Raises:
            BrokerUnavailable: it is not, within twice `request_timeout_seconds`.
        """
        self._flush(2 * self._limit)
        self._raise_failure()

    def _flush(self, limit_seconds: float) -> None:
        about = "waiting for acknowledgements"
        with translating(about):
            left = flushed(self._client, limit_seconds)
        self._troubles.check(about)
        if left:
            raise BrokerUnavailable(f"{left} records were not acknowledged in {limit_seconds:g} s")

    def _raise_failure(self) -> None:
        if self._failures:
            first = self._failures[0]
            self._failures.clear()
            raise first

    def close(self) -> None:
        """Flush and free the connections. May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._close_client()
        finally:
            self.when_closed()

    def _close_client(self) -> None:
        with suppress(StreamalError), translating("closing a producer"):
            left = flushed(self._client, min(CLOSE_SECONDS, self._limit))
            if left:
                log.warning("gave up on %d records that were not acknowledged", left)
                self._client.purge()
        # Its own `close` would flush without a limit, and abort once more. Letting go is enough.
        del self._client


class LibrdkafkaTransactionalProducer(LibrdkafkaProducer):
    """Implements `ports.TransactionalProducer`.

    Raises:
        BrokerUnavailable: the transaction coordinator was not ready within
            `request_timeout_seconds`; on a cluster's first transaction that can take seconds.
    """

    def __init__(self, desk: Desk, transactional_id: str) -> None:
        self._id = transactional_id
        self._open = False
        self._in_doubt = False
        self._stale = False
        self._dead: Fatal | None = None
        super().__init__(desk, transactional_id)
        try:
            self._register()
        except StreamalError:
            self.close()
            raise

    def _register(self) -> None:
        with translating(f"starting transactional id {self._id!r}"):
            self._client.init_transactions(self._limit)
        self._stale = False

    def _check_alive(self) -> None:
        if self._dead is not None:
            raise self._dead

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
        """Queue one record; see `LibrdkafkaProducer.send`.

        Raises:
            RuntimeError: no transaction is open.
        """
        if not self._open:
            raise RuntimeError("no transaction is open")
        with self._watched("sending"):
            super().send(
                topic,
                value,
                key=key,
                headers=headers,
                partition=partition,
                timestamp_ms=timestamp_ms,
            )

    def begin(self) -> None:
        """Open a transaction.

        Raises:
            RuntimeError: one is open.
        """
        self._check_alive()
        if self._open:
            raise RuntimeError("a transaction is open")
        if self._stale:
            # The end of the last transaction has shown that the id was still ours.
            self._close_client()
            self._open_client()
            self._register()
        self._failures.clear()
        with self._watched("beginning"):
            self._client.begin_transaction()
        self._open = True

    def commit(
        self,
        offsets: Mapping[TopicPartition, int] | None = None,
        group: GroupMetadata | None = None,
    ) -> None:
        """End the transaction.

        Raises:
            Rebalanced: `group` is from an older generation; the transaction was aborted.
            Fenced: a newer producer has this transactional id.
            BrokerUnavailable: the outcome was not reached.
        """
        if not self._open:
            raise RuntimeError("no transaction is open")
        if offsets and not isinstance(group, bytes):
            raise TypeError(f"offsets need a group's metadata, not {group!r}")
        self._check_alive()
        with self._watched("committing"):
            self._flush(self._limit)
            if self._failures:
                # One refused record has librdkafka drop the others, and it tells of those first.
                # It knows the cause, and commits no transaction that lacks a record.
                self._stale = True
                self._client.commit_transaction(self._limit)
                self._raise_failure()
        if offsets:
            self._commit_offsets(offsets, group)
        self._in_doubt = True
        with self._watched("committing"), self._timed():
            self._client.commit_transaction(self._limit)
        self._in_doubt = self._open = False

    def _commit_offsets(
        self, offsets: Mapping[TopicPartition, int], group: GroupMetadata | None
    ) -> None:
        theirs = [TheirPartition(*each, offset) for each, offset in offsets.items()]
        try:
            with self._watched("committing offsets"), self._timed():
                self._client.send_offsets_to_transaction(theirs, group, self._limit)
        except Rebalanced:
            self.abort()
            raise

    def abort(self) -> None:
        """Discard everything since `begin`; nothing to do when no transaction is open.

        A commit whose answer was lost is finished first. It may turn out to have succeeded; so
        after any failed commit, read the group's committed offsets rather than assume them.

        Raises:
            Fenced: a newer producer has this transactional id.
            BrokerUnavailable: no answer yet; call `abort` again.
        """
        self._check_alive()
        if self._in_doubt:
            self._settle()
        if self._open:
            # Whether records on their way were stored is not known either.
            self._stale = self._stale or len(self._client) > 0
            with self._watched("aborting"), self._timed():
                self._client.abort_transaction(self._limit)
            self._open = False
        self._failures.clear()

    def _settle(self) -> None:
        """Go on with a commit that was given up on, until it has ended in one way or the other."""
        with self._watched("waiting for the transaction's outcome"), self._timed():
            try:
                self._client.commit_transaction(self._limit)
                self._open = False
            except confluent_kafka.KafkaException as error:
                if not error.args[0].txn_requires_abort():
                    raise
        self._in_doubt = False

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Note a call that took so long that a request may have been sent twice, or that failed."""
        started = time.monotonic()
        try:
            yield
        except BaseException:
            self._stale = True
            raise
        finally:
            self._stale = self._stale or time.monotonic() - started >= RETRIED_AFTER_SECONDS

    @contextmanager
    def _watched(self, about: str) -> Iterator[None]:
        """Translate errors, and remember one that this producer cannot recover from."""
        try:
            with translating(f"{about} with transactional id {self._id!r}"):
                yield
        except Fatal as error:
            if isinstance(error, Fenced) or type(error) is Fatal:
                self._dead = error
            raise

    def close(self) -> None:
        """Abort what is open, if the broker answers, and free the connections."""
        if not self._closed and self._open and self._dead is None:
            with suppress(StreamalError):
                self._limit = min(self._limit, CLOSE_SECONDS)
                self.abort()
        super().close()
