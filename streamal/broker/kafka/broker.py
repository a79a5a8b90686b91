"""The Kafka broker itself."""

from __future__ import annotations

from streamal.broker.clients import OpenClients
from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.admin import KafkaAdmin
from streamal.broker.kafka.consumer import KafkaConsumer
from streamal.broker.kafka.producer import KafkaProducer, KafkaTransactionalProducer
from streamal.errors import SettingsInvalid
from streamal.ports import StartFrom

__all__ = ["KafkaBroker"]


class KafkaBroker:
    """Implements `ports.Broker` over a Kafka cluster; nothing is contacted until a client is made.

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

    def consumer(
        self,
        *,
        group: str | None = None,
        start_from: StartFrom = "earliest",
        read_committed: bool = True,
        member: str | None = None,
    ) -> KafkaConsumer:
        """A new consumer; see `ports.Broker.consumer`."""
        return self._clients.kept(
            KafkaConsumer(
                self._connection,
                group=group,
                start_from=start_from,
                read_committed=read_committed,
                member=member,
            )
        )

    def producer(self) -> KafkaProducer:
        """A new idempotent producer without transactions."""
        return self._clients.kept(KafkaProducer(self._connection))

    def transactional_producer(self, transactional_id: str) -> KafkaTransactionalProducer:
        """A new transactional producer; fences older ones with the same id."""
        return self._clients.kept(KafkaTransactionalProducer(self._connection, transactional_id))

    def admin(self) -> KafkaAdmin:
        """A new admin client."""
        return self._clients.kept(KafkaAdmin(self._connection))

    def close(self) -> None:
        """Close everything that was handed out. May be called twice."""
        self._clients.close()
