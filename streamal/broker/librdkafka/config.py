"""Our connection settings in librdkafka's words."""

from __future__ import annotations

import logging
from typing import Any

from streamal.broker.connection import KafkaConnection
from streamal.broker.librdkafka.tokens import Tokens
from streamal.broker.tls import tls_context
from streamal.ports import StartFrom

__all__ = ["RETRIED_AFTER_SECONDS", "client_config", "consumer_config", "producer_config"]

#: librdkafka's own limit of 10 s would keep us away for that long after a broker has come back.
RECONNECT_MAX_SECONDS = 2.0
#: A tenth leaves room for several lost heartbeats, and lets members hear of a rebalance early.
HEARTBEATS_PER_SESSION = 10
HEARTBEAT_MAX_SECONDS = 3.0
#: librdkafka tells how far it has read past a transaction's marker only when a fetch comes back
#: empty, which takes this long; a reader that waits for the end of a topic waits for that.
FETCH_WAIT_SECONDS = 0.1
#: Records that are fetched ahead of the reader, in KiB; librdkafka's 64 MiB is per consumer, and a
#: process has several.
READ_AHEAD_KIB = 16 * 1024
#: Records that wait to be sent, in KiB at least; `send` blocks beyond.
SEND_BUFFER_KIB = 32 * 1024
#: Before a request whose answer was lost is sent again. A transactional call that took less than
#: `RETRIED_AFTER_SECONDS` has sent nothing twice: librdkafka varies its wait by 20 %.
RETRY_SECONDS = 0.5
RETRIED_AFTER_SECONDS = 0.8 * RETRY_SECONDS
#: For how long a topic that nobody knows may turn up, before a record for it fails.
TOPIC_PATIENCE_SECONDS = 2.0
#: librdkafka refuses to have no group, even where none is used.
NO_GROUP = "streamal-no-group"

log = logging.getLogger("librdkafka")


def client_config(connection: KafkaConnection, tokens: Tokens | None) -> dict[str, Any]:
    """What consumers, producers and admins share.

    Raises:
        SettingsInvalid: a file that the settings name is not what it should be.
    """
    return {
        "bootstrap.servers": ",".join(connection.bootstrap_servers),
        "client.id": connection.client_id,
        "socket.timeout.ms": _ms(connection.request_timeout_seconds),
        "socket.connection.setup.timeout.ms": max(1000, _ms(connection.request_timeout_seconds)),
        "reconnect.backoff.max.ms": _ms(RECONNECT_MAX_SECONDS),
        "topic.metadata.refresh.interval.ms": max(10, _ms(connection.metadata_max_age_seconds)),
        "log.connection.close": False,
        # Said to be for consumers; without it producers would have missing topics created.
        "allow.auto.create.topics": False,
        "logger": log,
        **_security_config(connection, tokens),
    }


def _security_config(connection: KafkaConnection, tokens: Tokens | None) -> dict[str, Any]:
    config: dict[str, Any] = {"security.protocol": connection.security_protocol}
    if connection.encrypted:
        config |= _tls_config(connection)
    if connection.authenticated:
        config["sasl.mechanisms"] = connection.sasl_mechanism
    if tokens is not None:
        config["oauth_cb"] = tokens
    elif connection.authenticated:
        config["sasl.username"] = connection.sasl_username
        config["sasl.password"] = connection.sasl_password
    return config


def _tls_config(connection: KafkaConnection) -> dict[str, Any]:
    tls_context(connection)  # has the better words for what is wrong with a file
    named = {
        "ssl.ca.location": connection.ssl_cafile or "probe",
        "ssl.certificate.location": connection.ssl_certfile,
        "ssl.key.location": connection.ssl_keyfile,
        "ssl.key.password": connection.ssl_password,
    }
    checked = "https" if connection.ssl_check_hostname else "none"
    return {
        "ssl.endpoint.identification.algorithm": checked,
        **{name: str(value) for name, value in named.items() if value is not None},
    }


def consumer_config(
    connection: KafkaConnection,
    *,
    group: str | None,
    start_from: StartFrom,
    read_committed: bool,
    member: str | None,
) -> dict[str, Any]:
    """For `confluent_kafka.Consumer`, without what all clients share.

    The assignor is eager and the same as with kafka-python.
    """
    session = connection.session_timeout_seconds
    config = {
        "group.id": group or NO_GROUP,
        "auto.offset.reset": start_from,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "check.crcs": True,
        "isolation.level": "read_committed" if read_committed else "read_uncommitted",
        "partition.assignment.strategy": "roundrobin",
        "session.timeout.ms": _ms(session),
        "heartbeat.interval.ms": _ms(min(HEARTBEAT_MAX_SECONDS, session / HEARTBEATS_PER_SESSION)),
        "max.poll.interval.ms": _ms(connection.max_poll_interval_seconds),
        "fetch.wait.max.ms": _ms(FETCH_WAIT_SECONDS),
        "queued.max.messages.kbytes": READ_AHEAD_KIB,
    }
    if member is not None:
        config["group.instance.id"] = member
    return config


def producer_config(connection: KafkaConnection, transactional_id: str | None) -> dict[str, Any]:
    """For `confluent_kafka.Producer`, without what all clients share."""
    limit_ms = _ms(connection.request_timeout_seconds)
    linger_ms = _ms(connection.linger_seconds)
    config: dict[str, Any] = {
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": connection.compression,
        "message.max.bytes": max(1000, connection.max_message_bytes + RECORD_OVERHEAD),
        "linger.ms": linger_ms,
        # Equal keys go where kafka-python and Java's client send them.
        "partitioner": "murmur2_random",
        "retry.backoff.ms": _ms(RETRY_SECONDS),
        "topic.metadata.propagation.max.ms": _ms(TOPIC_PATIENCE_SECONDS),
        "queue.buffering.max.kbytes": max(
            SEND_BUFFER_KIB, 2 * connection.max_message_bytes // 1024
        ),
        "delivery.report.only.error": True,
    }
    if transactional_id is None:
        config["delivery.timeout.ms"] = max(limit_ms, 1000) + linger_ms
    else:
        config["transactional.id"] = transactional_id
        timeout_ms = max(1000, _ms(connection.transaction_timeout_seconds))
        config["transaction.timeout.ms"] = timeout_ms
        config["socket.timeout.ms"] = min(limit_ms, timeout_ms)
    return config


#: On top of key and value, headers and a record's own fields count in librdkafka's limit.
RECORD_OVERHEAD = 64 * 1024


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000)) if seconds else 0
