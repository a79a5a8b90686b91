"""The Kafka broker over librdkafka."""

from __future__ import annotations

import threading

from streamal.broker.clients import OpenClients
from streamal.broker.connection import KafkaConnection
from streamal.broker.librdkafka.admin import LibrdkafkaAdmin
from streamal.broker.librdkafka.consumer import LibrdkafkaConsumer
from streamal.broker.librdkafka.desk import Desk
from streamal.broker.librdkafka.producer import (
    LibrdkafkaProducer,
    LibrdkafkaTransactionalProducer,
)
from streamal.errors import SettingsInvalid
from streamal.ports import StartFrom

__all__ = ["LibrdkafkaBroker"]


class LibrdkafkaBroker:
    """Implements `ports.Broker` over a Kafka cluster; nothing is contacted until a client is made.

    librdkafka's own clients connect when they feel like it; so before each is handed out, a broker
    is asked whether it answers.

    Args:
        connection: addresses, credentials and time limits.

    Raises:
        SettingsInvalid: the settings do not fit together.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        problems = connection.problems()
        if problems:
            raise SettingsInvalid(*problems)
        self._connection = connection
        self._clients = OpenClients()
        self._desk: Desk | None = None
        self._lock = threading.Lock()

    def _asked(self) -> Desk:
        """The desk, once a broker has answered there."""
        with self._lock:
            if self._desk is None:
                self._desk = Desk(self._connection)
            desk = self._desk
        desk.check_contact()
        return desk

    def consumer(
        self,
        *,
        group: str | None = None,
        start_from: StartFrom = "earliest",
        read_committed: bool = True,
        member: str | None = None,
    ) -> LibrdkafkaConsumer:
        """A new consumer; see `ports.Broker.consumer`."""
        return self._clients.kept(
            LibrdkafkaConsumer(
                self._asked(),
                group=group,
                start_from=start_from,
                read_committed=read_committed,
                member=member,
            )
        )

    def producer(self) -> LibrdkafkaProducer:
        """A new idempotent producer without transactions."""
        return self._clients.kept(LibrdkafkaProducer(self._asked()))

    def transactional_producer(self, transactional_id: str) -> LibrdkafkaTransactionalProducer:
        """A new transactional producer; fences older ones with the same id."""
        return self._clients.kept(LibrdkafkaTransactionalProducer(self._asked(), transactional_id))

    def admin(self) -> LibrdkafkaAdmin:
        """A new admin client."""
        return self._clients.kept(LibrdkafkaAdmin(self._asked()))

    def close(self) -> None:
        """Close everything that was handed out. May be called twice."""
        self._clients.close()
        self._desk = None
