"""The connection to Kafka, built from settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from streamal.broker.connection import KafkaConnection
from streamal.broker.contact import await_broker
from streamal.broker.opening import kafka_broker
from streamal.errors import SettingsInvalid
from streamal.ports import Broker
from streamal.settings import Settings

__all__ = ["check_connection", "connect", "connection_of"]


def connection_of(settings: Settings) -> KafkaConnection:
    """What the client needs to reach the broker of these settings."""
    broker = settings.broker
    return KafkaConnection(
        client=broker.client,
        client_id=settings.pipeline.name,
        bootstrap_servers=broker.bootstrap_servers,
        security_protocol=broker.security_protocol,
        sasl_mechanism=broker.sasl_mechanism,
        sasl_username=broker.sasl_username,
        sasl_password=_revealed(broker.sasl_password),
        oauth_token_url=broker.oauth_token_url,
        oauth_client_id=broker.oauth_client_id,
        oauth_client_secret=_revealed(broker.oauth_client_secret),
        oauth_scope=broker.oauth_scope or "",
        oauth_token_factory=broker.oauth_token_factory,
        ssl_cafile=broker.ssl_cafile,
        ssl_certfile=broker.ssl_certfile,
        ssl_keyfile=broker.ssl_keyfile,
        ssl_password=_revealed(broker.ssl_password),
        ssl_check_hostname=broker.ssl_check_hostname,
        compression=broker.compression,
        request_timeout_seconds=broker.request_timeout_seconds,
        session_timeout_seconds=broker.session_timeout_seconds,
        max_poll_interval_seconds=broker.max_poll_interval_seconds,
        transaction_timeout_seconds=broker.transaction_timeout_seconds,
        max_message_bytes=broker.max_message_bytes,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def check_connection(settings: Settings) -> None:
    """Find what does not fit together among the settings of the connection.

    Raises:
        SettingsInvalid: with one line for each problem.
    """
    problems = connection_of(settings).problems()
    if problems:
        raise SettingsInvalid(*(f"broker.{problem}" for problem in problems))


@contextmanager
def connect(settings: Settings) -> Iterator[Broker]:
    """The Kafka broker of these settings, once it has answered; closed at the end.

    Raises:
        SettingsInvalid: the settings do not fit together.
        BrokerGone: no broker answered within `broker.connect_timeout_seconds`.
        Unauthorized: the broker refuses our credentials.
    """
    check_connection(settings)
    await_broker(connection_of(settings), settings.broker.connect_timeout_seconds)
    broker = kafka_broker(connection_of(settings))
    try:
        yield broker
    finally:
        broker.close()
