"""Opening kafka-python's clients so that a failure leaves nothing behind and names its cause."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.diagnosis import diagnosis
from streamal.broker.kafka.errors import translated
from streamal.errors import BrokerUnavailable

__all__ = ["TIDY_PROXY_URL", "Network", "opened"]

#: Has kafka-python connect through `_TidySocket`, which it knows by this scheme.
TIDY_PROXY_URL = "tidy://"


class _TidySocket(KafkaNetSocket):  # type: ignore[misc] # kafka-python has no types
    """Connects directly, and closes the socket of a failed or abandoned attempt.

    kafka-python 3.0 leaves such sockets to the garbage collector; an outage makes many.
    """

    SCHEMES = ("tidy",)

    async def sock_connect(
        self,
        net: Any,  # noqa: ANN401 - kafka-python's event loop
        sock: socket.socket,
        sockaddr: Any,  # noqa: ANN401 - whatever getaddrinfo found
        timeout_at: float | None = None,
    ) -> socket.socket:
        try:
            await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise
        return sock


class Network:
    """The network side of one kafka-python client: what it is connected to."""

    def __init__(self) -> None:
        self._clients: list[KafkaNetClient] = []

    def make(self, **config: Any) -> KafkaNetClient:  # noqa: ANN401 - kafka-python's own settings
        """Stands in for the class that kafka-python would use itself."""
        client = KafkaNetClient(**config)
        # kafka-python 3.0 loses this setting on its way to where topics would be created.
        client.cluster.config["allow_auto_create_topics"] = False
        self._clients.append(client)
        return client

    def connected(self) -> bool:
        """Whether a connection to any broker is up."""
        return any(
            client.connected(broker.node_id)
            for client in self._clients
            for broker in client.cluster.brokers()
        )

    def wake(self) -> None:
        """Have the network thread look at futures that were resolved by another thread."""
        for client in self._clients:
            client.wakeup()

    def close(self) -> None:
        """Close all connections and end the network thread."""
        for client in self._clients:
            client.close()


def opened(
    factory: Callable[..., Any], connection: KafkaConnection, config: dict[str, Any]
) -> tuple[Any, Network]:
    """A connected client of kafka-python, and its network side.

    Raises:
        BrokerUnavailable: no broker answered within `request_timeout_seconds`; says why.
        Unauthorized: the brokers refuse our credentials.
        SettingsInvalid: the cluster is too old, or a codec is missing.
    """
    network = Network()
    servers = ", ".join(connection.bootstrap_servers)
    try:
        return factory(**config, kafka_client=network.make, proxy_url=TIDY_PROXY_URL), network
    except (KafkaError, OSError) as error:
        network.close()
        if isinstance(error, KafkaTimeoutError):
            raise BrokerUnavailable(f"no broker answers: {diagnosis(connection)}") from error
        raise translated(error, f"connecting to {servers}") from error
