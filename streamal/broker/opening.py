"""The Kafka broker over the client library that the settings choose."""

from __future__ import annotations

from streamal.broker.connection import KafkaConnection
from streamal.errors import SettingsInvalid
from streamal.ports import Broker

__all__ = ["kafka_broker"]


def kafka_broker(connection: KafkaConnection) -> Broker:
    """A broker for these settings; nothing is contacted until a client is made.

    Raises:
        SettingsInvalid: the settings do not fit together, or the client library is missing.
    """
    if problems := connection.problems():
        raise SettingsInvalid(*problems)
    if connection.client == "librdkafka":
        from streamal.broker.librdkafka import LibrdkafkaBroker  # noqa: PLC0415 - may be missing

        return LibrdkafkaBroker(connection)
    from streamal.broker.kafka import KafkaBroker  # noqa: PLC0415 - only when it is chosen

    return KafkaBroker(connection)
