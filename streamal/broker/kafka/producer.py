"""Producers over kafka-python.

kafka-python 3.0 does four things that our contract does not allow, so they are held here: it
commits a transaction although it has given up on a record of it; it keeps the offsets of an aborted
transaction for the next one; after one refused record a producer is of no more use; and a request
whose answer was lost is sent again with the same epoch, so that the first copy, when it comes late,
may end a later transaction or set its offsets back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import kafka
from kafka.errors import CommitFailedError, KafkaError

from streamal.broker.calls import Call
from streamal.broker.clients import nobody_waits
from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.admin import KafkaAdmin
from streamal.broker.kafka.client import opened
from streamal.broker.kafka.config import producer_config
from streamal.broker.kafka.errors import translated, translating
from streamal.errors import (
    BrokerUnavailable,
    Fatal,
    Fenced,
    Retriable,
    SettingsInvalid,
    StreamalError,
    TopicsInvalid,
)
from streamal.ports import GroupMetadata, Headers, TopicPartition

__all__ = ["KafkaProducer", "KafkaTransactionalProducer"]

log = logging.getLogger(__name__)

#: For a goodbye while no broker answers; after that the network thread is told to give up.
CLOSE_SECONDS = 5.0


class KafkaProducer:
    """Implements `ports.Producer`.

    Raises:
        BrokerUnavailable: no broker answered within `request_timeout_seconds`.
        Unauthorized: the brokers refuse our credentials.
    """

    def __init__(self, connection: KafkaConnection, transactional_id: str | None = None) -> None:
        config = producer_config(connection, transactional_id)
        self._connection = connection
        self._config = config
        self._client, self._network = opened(kafka.KafkaProducer, connection, config)
        self._spoiled = False
        self._limit = connection.request_timeout_seconds
        self._failures: list[StreamalError] = []
        self._closed = False
        self.when_closed: Callable[[], None] = nobody_waits

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
            TopicsInvalid: there is no such topic or partition.
            ValueError: neither key nor value.
        """
        about = f"sending to {topic!r}"
        self._make_ready()
        self._check_size(topic, key, value)
        try:
            with translating(about):
                future = self._client.send(
                    topic, value, key, list(headers), partition, timestamp_ms
                )
        except BrokerUnavailable:
            self._check_topic(topic)
            raise
        except ValueError as error:
            if partition is None:
                raise
            raise TopicsInvalid(f"{about}: {error}") from error
        future.add_errback(lambda error: self._failures.append(translated(error, about)))

    def _make_ready(self) -> None:
        """After a refused record kafka-python's producer takes no more; a new one does."""
        if self._spoiled:
            self._close_client()
            self._client, self._network = opened(
                kafka.KafkaProducer, self._connection, self._config
            )
            self._spoiled = False

    def _check_size(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        size = len(key or b"") + len(value or b"")
        if size > self._connection.max_message_bytes:
            raise SettingsInvalid(
                f"max_message_bytes: {self._connection.max_message_bytes} is less than the "
                f"{size} bytes of a record for {topic!r}"
            )

    def _check_topic(self, topic: str) -> None:
        """kafka-python waits for a missing topic just as it waits for a missing broker."""
        admin = KafkaAdmin(self._connection)
        try:
            if topic not in admin.describe_topics([topic]):
                raise TopicsInvalid(f"topic {topic!r} does not exist")
        finally:
            admin.close()

    def flush(self) -> None:
        """Return when everything sent is stored.

        Raises:
            BrokerUnavailable: it is not, within twice `request_timeout_seconds`.
        """
        with translating("waiting for acknowledgements"):
            self._client.flush(timeout=2 * self._limit)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failures:
            first = self._failures[0]
            self._failures.clear()
            self._note(first)
            raise first

    def _note(self, failure: StreamalError) -> None:
        """Remember what a failure means for later calls."""
        self._spoiled = not isinstance(failure, Retriable)

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
        goodbye = min(CLOSE_SECONDS, self._limit)
        try:
            Call(self._client.close, timeout=goodbye).result(2 * goodbye)
        except (KafkaError, TimeoutError) as error:
            log.warning("gave up on records that were not acknowledged: %s", error)
            self._force_close(goodbye)

    def _force_close(self, goodbye: float) -> None:
        # kafka-python's `close` begins with a flush and never gets further without a broker.
        self._client._sender.force_close()  # noqa: SLF001 - there is no public way
        with suppress(KafkaError, TimeoutError):
            Call(self._client.close, timeout=goodbye).result(2 * goodbye)


class KafkaTransactionalProducer(KafkaProducer):
    """Implements `ports.TransactionalProducer`.

    Raises:
        BrokerUnavailable: the transaction coordinator was not ready within
            `request_timeout_seconds`; on a cluster's first transaction that can take seconds.
    """

    def __init__(self, connection: KafkaConnection, transactional_id: str) -> None:
        super().__init__(connection, transactional_id)
        self._id = transactional_id
        self._open = False
        self._doubtful: Call[Any] | None = None
        self._dead: Fatal | None = None
        try:
            self._register()
        except StreamalError:
            self.close()
            raise

    def _register(self) -> None:
        with translating(f"starting transactional id {self._id!r}"):
            self._client.init_transactions()

    def _check_alive(self) -> None:
        if self._dead is not None:
            raise self._dead

    def _make_ready(self) -> None:
        """As for any producer; the end of the last transaction has shown that the id was ours.

        A new producer begins with a new epoch, and what still comes with the old one is refused.
        """
        self._check_alive()
        self._spoiled = self._spoiled or self._network.unanswered()
        if self._spoiled and not self._open:
            super()._make_ready()
            self._register()

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
        """Queue one record; see `KafkaProducer.send`.

        Raises:
            RuntimeError: no transaction is open.
        """
        if not self._open:
            raise RuntimeError("no transaction is open")
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
        self._make_ready()
        if self._open:
            raise RuntimeError("a transaction is open")
        self._failures.clear()
        self._forget_offsets()
        with self._watched("beginning"):
            self._client.begin_transaction()
        self._open = True

    def _forget_offsets(self) -> None:
        # kafka-python 3.0 would commit what an aborted transaction had queued along with the next
        # one's offsets: partitions that have gone to another member would be set back.
        manager = self._client._transaction_manager  # noqa: SLF001 - there is no public way
        getattr(manager, "_pending_txn_offset_commits", {}).clear()

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
        if offsets and not isinstance(group, kafka.ConsumerGroupMetadata):
            raise TypeError(f"offsets need a group's metadata, not {group!r}")
        self._check_alive()
        self._doubtful = None
        with self._watched("committing"):
            # Every record has to be stored before the commit: kafka-python would commit without
            # one that it has given up on.
            self._client.flush(timeout=self._limit)
            self._raise_failure()
        if offsets:
            self._commit_offsets(offsets, group)
        self._finish(self._client.commit_transaction, "committing")

    def _commit_offsets(
        self, offsets: Mapping[TopicPartition, int], group: GroupMetadata | None
    ) -> None:
        theirs = {
            kafka.TopicPartition(*partition): kafka.OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
        }
        call = Call(self._client.send_offsets_to_transaction, theirs, group)
        with self._watched("committing offsets"):
            try:
                self._wait(call)
            except CommitFailedError:
                self.abort()
                raise

    def _finish(self, ending: Callable[[], None], about: str) -> None:
        """Commit or abort; when the answer does not come in time, `abort` asks for it again."""
        call = Call(ending)
        self._doubtful = call
        with self._watched(about):
            self._wait(call)
        self._doubtful, self._open = None, False

    def _wait(self, call: Call[Any]) -> None:
        try:
            call.result(self._limit)
        except TimeoutError as error:
            raise BrokerUnavailable(
                f"transactional id {self._id!r}: no answer within {self._limit:.0f} s"
            ) from error

    def abort(self) -> None:
        """Discard everything since `begin`; nothing to do when no transaction is open.

        A commit whose answer was lost is waited for first. It may turn out to have succeeded; so
        after any failed commit, read the group's committed offsets rather than assume them.

        Raises:
            Fenced: a newer producer has this transactional id.
            BrokerUnavailable: no answer yet; call `abort` again.
        """
        self._check_alive()
        if self._doubtful is not None:
            self._settle(self._doubtful)
        if self._open:
            self._failures.clear()
            self._finish(self._client.abort_transaction, "aborting")
        self._failures.clear()

    def _settle(self, call: Call[Any]) -> None:
        with self._watched("waiting for the transaction's outcome"):
            try:
                self._wait(call)
                self._open = False
            except KafkaError as error:
                if not isinstance(translated(error, ""), Retriable):
                    raise
        self._doubtful = None

    @contextmanager
    def _watched(self, about: str) -> Iterator[None]:
        """Translate errors, and remember one that this producer cannot recover from."""
        try:
            with translating(f"{about} with transactional id {self._id!r}"):
                yield
        except Fatal as error:
            # A failed send names the cause; later calls only complain about the state it left.
            first = next((known for known in self._failures if isinstance(known, Fenced)), error)
            self._note(first)
            raise first from error

    def _note(self, failure: StreamalError) -> None:
        super()._note(failure)
        if isinstance(failure, Fenced) or type(failure) is Fatal:
            self._dead = failure

    def close(self) -> None:
        """Abort what is open, if the broker answers, and free the connections."""
        if not self._closed and self._open and self._dead is None:
            with suppress(StreamalError):
                self._limit = min(self._limit, CLOSE_SECONDS)
                self.abort()
        super().close()
