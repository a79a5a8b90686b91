"""Our connection settings in kafka-python's words."""

from __future__ import annotations

from typing import Any

from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.sockets import TlsSocket
from streamal.broker.kafka.tokens import token_provider
from streamal.broker.tls import tls_context
from streamal.ports import StartFrom

__all__ = ["client_config", "consumer_config", "producer_config"]

#: kafka-python's own limit of 30 s would keep us away for that long after a broker has come back.
RECONNECT_MAX_SECONDS = 2.0
#: A tenth leaves room for several lost heartbeats, and lets members hear of a rebalance early.
HEARTBEATS_PER_SESSION = 10
HEARTBEAT_MAX_SECONDS = 3.0
#: An open transaction's records are retried for as long as the transaction lives, which the cluster
#: decides. If kafka-python gave up on one by itself (its default is 2 minutes), it would leave the
#: transaction able to commit without that record.
NEVER_GIVE_UP_MS = 2**31 - 1


def client_config(connection: KafkaConnection) -> dict[str, Any]:
    """What consumers, producers and admins share.

    Raises:
        SettingsInvalid: a file or a factory that the settings name is not what it should be.
    """
    limit_ms = _ms(connection.request_timeout_seconds)
    return {
        "bootstrap_servers": list(connection.bootstrap_servers),
        "client_id": connection.client_id,
        "request_timeout_ms": limit_ms,
        "bootstrap_timeout_ms": limit_ms,
        "reconnect_backoff_max_ms": _ms(RECONNECT_MAX_SECONDS),
        "metadata_max_age_ms": _ms(connection.metadata_max_age_seconds),
        **_security_config(connection),
    }


def _security_config(connection: KafkaConnection) -> dict[str, Any]:
    config: dict[str, Any] = {"security_protocol": connection.security_protocol}
    if connection.encrypted:
        context = tls_context(connection)
        context.sslsocket_class = TlsSocket
        config["ssl_context"] = context
    if connection.authenticated:
        config["sasl_mechanism"] = connection.sasl_mechanism
        if connection.sasl_mechanism == "OAUTHBEARER":
            config["sasl_oauth_token_provider"] = token_provider(connection)
        else:
            config["sasl_plain_username"] = connection.sasl_username
            config["sasl_plain_password"] = connection.sasl_password
    return config


def consumer_config(
    connection: KafkaConnection,
    *,
    group: str | None,
    start_from: StartFrom,
    read_committed: bool,
    member: str | None,
) -> dict[str, Any]:
    """For `kafka.KafkaConsumer`.

    The assignor is eager: with kafka-python's cooperative one, a member that was expelled claims
    its old partitions again when it returns, and may get them while their owner still works.
    """
    session = connection.session_timeout_seconds
    return {
        **client_config(connection),
        "group_id": group,
        "group_instance_id": member,
        "auto_offset_reset": start_from,
        "enable_auto_commit": False,
        "isolation_level": "read_committed" if read_committed else "read_uncommitted",
        "partition_assignment_strategy": (RoundRobinPartitionAssignor,),
        "session_timeout_ms": _ms(session),
        "heartbeat_interval_ms": _ms(min(HEARTBEAT_MAX_SECONDS, session / HEARTBEATS_PER_SESSION)),
        "max_poll_interval_ms": _ms(connection.max_poll_interval_seconds),
        "fetch_max_wait_ms": min(500, _ms(connection.request_timeout_seconds) // 2),
    }


def producer_config(connection: KafkaConnection, transactional_id: str | None) -> dict[str, Any]:
    """For `kafka.KafkaProducer`."""
    limit_ms = _ms(connection.request_timeout_seconds)
    linger_ms = _ms(connection.linger_seconds)
    config = {
        **client_config(connection),
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": None if connection.compression == "none" else connection.compression,
        "max_request_size": connection.max_message_bytes,
        "linger_ms": linger_ms,
        "max_block_ms": limit_ms,
        "delivery_timeout_ms": limit_ms + linger_ms,
    }
    if transactional_id is not None:
        config["transactional_id"] = transactional_id
        config["transaction_timeout_ms"] = _ms(connection.transaction_timeout_seconds)
        config["delivery_timeout_ms"] = NEVER_GIVE_UP_MS
        # An unanswered request of the transaction protocol ends kafka-python's producer for good,
        # while a late answer would have settled everything. Our own calls stop waiting before.
        config["request_timeout_ms"] = max(limit_ms, config["transaction_timeout_ms"])
    return config


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000)) if seconds else 0
