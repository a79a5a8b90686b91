"""Every error of librdkafka, turned into one of ours; the only place where that is decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from streamal.errors import (
    BrokerUnavailable,
    Fatal,
    Fenced,
    Rebalanced,
    Retriable,
    SettingsInvalid,
    StreamalError,
    TopicsInvalid,
    Unauthorized,
)

__all__ = ["UNAUTHORIZED", "kafka_error", "translated", "translating"]

UNAUTHORIZED = frozenset(
    {
        "_AUTHENTICATION",
        "SASL_AUTHENTICATION_FAILED",
        "UNSUPPORTED_SASL_MECHANISM",
        "ILLEGAL_SASL_STATE",
        "SECURITY_DISABLED",
        "TOPIC_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    }
)
_FENCED = frozenset(
    {
        "_FENCED",
        "PRODUCER_FENCED",
        "INVALID_PRODUCER_EPOCH",
        "FENCED_INSTANCE_ID",
    }
)
_REBALANCED = frozenset(
    {
        "ILLEGAL_GENERATION",
        "UNKNOWN_MEMBER_ID",
        "REBALANCE_IN_PROGRESS",
        "_ASSIGNMENT_LOST",
        "_MAX_POLL_EXCEEDED",
    }
)
_TOPICS = frozenset(
    {
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_RECORD",
        "TOPIC_EXCEPTION",
        "UNKNOWN_TOPIC_OR_PART",
        "_UNKNOWN_TOPIC",
        "_UNKNOWN_PARTITION",
        "INVALID_PARTITIONS",
        "INVALID_REPLICATION_FACTOR",
        "INVALID_CONFIG",
        "POLICY_VIOLATION",
    }
)
_SETTINGS = frozenset(
    {
        "_INVALID_ARG",
        "_UNSUPPORTED_FEATURE",
        "_NOT_IMPLEMENTED",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_VERSION",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "INVALID_SESSION_TIMEOUT",
        "INVALID_TRANSACTION_TIMEOUT",
        "INVALID_GROUP_ID",
        "INCONSISTENT_GROUP_PROTOCOL",
        "GROUP_MAX_SIZE_REACHED",
    }
)
_UNAVAILABLE = frozenset(
    {
        "_TRANSPORT",
        "_TIMED_OUT",
        "_TIMED_OUT_QUEUE",
        "_MSG_TIMED_OUT",
        "_ALL_BROKERS_DOWN",
        "_RESOLVE",
        "_SSL",
        "_WAIT_COORD",
        "_IN_PROGRESS",
        "_PREV_IN_PROGRESS",
        "_CONFLICT",
        "_DESTROY",
        "_DESTROY_BROKER",
        "_PURGE_QUEUE",
        "_PURGE_INFLIGHT",
        "_BAD_MSG",
        "_NOENT",
        "BROKER_NOT_AVAILABLE",
        "REQUEST_TIMED_OUT",
        "NETWORK_EXCEPTION",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "NOT_COORDINATOR",
        "NOT_CONTROLLER",
        "LEADER_NOT_AVAILABLE",
        "NOT_LEADER_FOR_PARTITION",
        "REPLICA_NOT_AVAILABLE",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "KAFKA_STORAGE_ERROR",
        "CONCURRENT_TRANSACTIONS",
        "TRANSACTION_ABORTABLE",
        "TRANSACTION_COORDINATOR_FENCED",
        "UNSTABLE_OFFSET_COMMIT",
        "THROTTLING_QUOTA_EXCEEDED",
        "OFFSET_NOT_AVAILABLE",
        "FENCED_LEADER_EPOCH",
        "UNKNOWN_LEADER_EPOCH",
        "INVALID_MSG",
    }
)
_POLICIES: tuple[tuple[frozenset[str], type[StreamalError]], ...] = (
    (UNAUTHORIZED, Unauthorized),
    (_FENCED, Fenced),
    (_REBALANCED, Rebalanced),
    (_TOPICS, TopicsInvalid),
    (_SETTINGS, SettingsInvalid),
    (_UNAVAILABLE, BrokerUnavailable),
)
_NEWER_PRODUCER = "a newer producer has this transactional id, or the transaction timed out"
#: Explains the errors whose own text does not say what an operator can do.
_HINTS: dict[str, str] = {
    "MSG_SIZE_TOO_LARGE": "raise the topic's max.message.bytes, or send less",
    "RECORD_LIST_TOO_LARGE": "raise the topic's segment.bytes, or send less",
    "INVALID_RECORD": "a compacted topic needs a key in each record",
    "_FENCED": _NEWER_PRODUCER,
    "PRODUCER_FENCED": _NEWER_PRODUCER,
    "INVALID_PRODUCER_EPOCH": _NEWER_PRODUCER,
    "FENCED_INSTANCE_ID": "a newer member has this static membership id",
}


def translated(error: KafkaError, about: str) -> StreamalError:
    """Our error for one of librdkafka's.

    Args:
        error: what it raised, or handed to a callback.
        about: what was tried, naming the topic or group; starts the message.
    """
    code = error.name()
    kind = next((ours for theirs, ours in _POLICIES if code in theirs), Fatal)
    if kind is Fatal and (error.retriable() or error.txn_requires_abort()):
        kind = BrokerUnavailable
    if error.fatal() and issubclass(kind, Retriable):
        kind = Fatal
    hint = f" ({_HINTS[code]})" if code in _HINTS else ""
    return kind(f"{about}: {error.str()}{hint}")


def kafka_error(error: KafkaException) -> KafkaError:
    """What the exception carries."""
    carried: KafkaError = error.args[0]
    return carried


@contextmanager
def translating(about: str) -> Iterator[None]:
    """Let only our errors out; programming errors such as `ValueError` pass unchanged."""
    try:
        yield
    except KafkaException as error:
        raise translated(kafka_error(error), about) from error
    except SystemError as error:
        # librdkafka calls back with more to tell after it has raised that it gives up; Python finds
        # fault with that, and the error that matters is the cause.
        if not isinstance(error.__cause__, KafkaException):
            raise
        raise translated(kafka_error(error.__cause__), about) from error
