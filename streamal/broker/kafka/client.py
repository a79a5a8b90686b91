"""Opening kafka-python's clients so that a failure leaves nothing behind and names its cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from streamal.broker.connection import KafkaConnection
from streamal.broker.diagnosis import diagnosis
from streamal.broker.kafka.errors import translated
from streamal.broker.kafka.sockets import DIRECT_URL
from streamal.errors import BrokerUnavailable, Unauthorized

__all__ = ["Network", "opened"]

#: Requests that change a transaction, as kafka-python names them. Without an answer nobody knows
#: whether the first copy of one is still on its way when kafka-python sends it again.
_CHANGE_A_TRANSACTION = frozenset(
    {
        "ProduceRequest",
        "AddPartitionsToTxnRequest",
        "AddOffsetsToTxnRequest",
        "TxnOffsetCommitRequest",
        "EndTxnRequest",
    }
)


class _Manager(KafkaConnectionManager):  # type: ignore[misc] # kafka-python has no types
    """Raises a refused login to the caller, as kafka-python 3.0 means to do but does not.

    It raises what it has noted wherever a connection is needed, but it notes only errors that
    `initialize` raises, and that has been changed to raise none.
    """

    def __init__(self, net: NetworkSelector, **config: Any) -> None:  # noqa: ANN401 - its own settings
        self._refusals: dict[object, Exception] = {}
        super().__init__(net, **config)

    def get_connection(self, node_id: object, **options: Any) -> Any:  # noqa: ANN401 - kafka-python's
        known = node_id in self._conns
        connection = super().get_connection(node_id, **options)
        if not known:
            connection.init_future.add_callback(lambda _: self._refusals.pop(node_id, None))
            connection.init_future.add_errback(lambda error: self._note(node_id, error))
        return connection

    def _note(self, node_id: object, error: Exception) -> None:
        if isinstance(translated(error, "logging in"), Unauthorized):
            self._refusals[node_id] = error

    def maybe_raise_auth_failure(self, node_id: object) -> None:
        if node_id in self._refusals:
            raise self._refusals[node_id]
        super().maybe_raise_auth_failure(node_id)


class _NetClient(KafkaNetClient):  # type: ignore[misc] # kafka-python has no types
    """kafka-python's network client with some slips of version 3.0 mended."""

    def __init__(self, **config: Any) -> None:  # noqa: ANN401 - kafka-python's own settings
        net = NetworkSelector(**config)
        super().__init__(net=net, manager=_Manager(net, **config))
        # The setting is lost on its way to where topics would be created.
        self.cluster.config["allow_auto_create_topics"] = False
        self.unanswered = False

    def send(self, node_id: object, request: Any, **options: Any) -> Any:  # noqa: ANN401 - kafka-python's
        """As the original; notes when a request that changes a transaction gets no answer."""
        future = super().send(node_id, request, **options)
        if request.name in _CHANGE_A_TRANSACTION:
            future.add_errback(self._note_unanswered)
        return future

    def _note_unanswered(self, _: Exception) -> None:
        self.unanswered = True

    def await_ready(self, node_id: object, timeout_ms: float = 30_000) -> bool:
        """Whether the node is ready in time; False, where the original raises.

        The producer's network thread expects False. After an exception it forgets the request that
        it was about to send, and a commit or an abort would wait for its answer for ever.
        """
        try:
            return bool(super().await_ready(node_id, timeout_ms=timeout_ms))
        except KafkaError:
            return False


class Network:
    """The network side of one kafka-python client: what it is connected to."""

    def __init__(self) -> None:
        self._clients: list[_NetClient] = []

    def make(self, **config: Any) -> KafkaNetClient:  # noqa: ANN401 - kafka-python's own settings
        """Stands in for the class that kafka-python would use itself."""
        client = _NetClient(**config)
        self._clients.append(client)
        return client

    def connected(self) -> bool:
        """Whether a connection to any broker is up."""
        return any(
            client.connected(broker.node_id)
            for client in self._clients
            for broker in client.cluster.brokers()
        )

    def unanswered(self) -> bool:
        """Whether a request that changes a transaction got no answer, and may yet arrive."""
        return any(client.unanswered for client in self._clients)

    def unauthorized_topics(self) -> set[str]:
        """Topics that we asked for and may not describe."""
        return {topic for client in self._clients for topic in client.cluster.unauthorized_topics}

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
        return factory(**config, kafka_client=network.make, proxy_url=DIRECT_URL), network
    except (KafkaError, OSError) as error:
        network.close()
        if isinstance(error, KafkaTimeoutError):
            raise BrokerUnavailable(f"no broker answers: {diagnosis(connection)}") from error
        raise translated(error, f"connecting to {servers}") from error
