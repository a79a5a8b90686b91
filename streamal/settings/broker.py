"""How to reach Kafka, and the topics there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from streamal.settings.common import Name, Names, Section

__all__ = [
    "BrokerSettings",
    "TopicSettings",
]


class BrokerSettings(Section):
    """How to reach Kafka; passed to the client and validated before it starts.

    Attributes:
        client: library that talks to Kafka; librdkafka takes less CPU and needs
            `streamal[librdkafka]`.
        bootstrap_servers: `host:port` of one or more brokers.
        security_protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        sasl_mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
        sasl_username: for PLAIN and SCRAM.
        sasl_password: for PLAIN and SCRAM.
        oauth_token_url: token endpoint for OAUTHBEARER with client credentials.
        oauth_client_id: client id at the token endpoint.
        oauth_client_secret: client secret at the token endpoint.
        oauth_scope: scope asked for.
        oauth_token_factory: instead: `package.module:factory` of an object with `token() -> str`.
        ssl_cafile: CA certificates (PEM) that the broker's certificate must chain to.
        ssl_certfile: our certificate (PEM) for mutual TLS.
        ssl_keyfile: its private key (PEM).
        ssl_password: password of the private key.
        ssl_check_hostname: whether the broker's certificate must name its host.
        compression: codec of what streamal writes; with kafka-python all but gzip need
            `streamal[compression]`.
        connect_timeout_seconds: how long start-up waits for a first broker.
        request_timeout_seconds: how long one request may take.
        session_timeout_seconds: after how long without a heartbeat a member is expelled.
        max_poll_interval_seconds: after how long without a poll a member is expelled.
        transaction_timeout_seconds: after how long the broker aborts a silent transaction; the
            longest that one crashed gate can hold back read_committed readers.
        max_message_bytes: largest record that streamal writes (dead letters keep whole events).
    """

    client: Literal["kafka-python", "librdkafka"] = "kafka-python"
    bootstrap_servers: Names = ("localhost:9092",)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_scope: str | None = None
    oauth_token_factory: str | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_password: SecretStr | None = None
    ssl_check_hostname: bool = True
    compression: Literal["none", "gzip", "lz4", "snappy", "zstd"] = "none"
    connect_timeout_seconds: float = Field(default=30, gt=0)
    request_timeout_seconds: float = Field(default=30, gt=0)
    session_timeout_seconds: float = Field(default=45, gt=0)
    max_poll_interval_seconds: float = Field(default=300, gt=0)
    transaction_timeout_seconds: float = Field(default=60, gt=0)
    max_message_bytes: int = Field(default=10 * 1024 * 1024, ge=1_000_000)


class TopicSettings(Section):
    """Names of the topics, and the shape in which `streamal topics create` makes them.

    Attributes:
        predictions: production's topic; created only where it is missing.
        reviews: requests for human review.
        labels: human answers.
        models: signed snapshots and heartbeats (compacted, one partition).
        gate_state: state of each partition's gate (compacted, as many partitions as predictions).
        windows: counts over all events.
        drift: drift events.
        dead_letters: what could not be used, with the reason.
        predictions_partitions: partitions of predictions, gate state and reviews when created.
        labels_partitions: partitions of labels when created; 1 makes their order total and the
            model a reproducible function of the log.
        replication: replicas of every topic that is created.
        retention_seconds: how long the delete-kind topics keep records; longer than
            labels.ttl_seconds.
    """

    predictions: Name = "predictions"
    reviews: Name = "reviews"
    labels: Name = "labels"
    models: Name = "models"
    gate_state: Name = "gate-state"
    windows: Name = "windows"
    drift: Name = "drift"
    dead_letters: Name = "dead-letters"
    predictions_partitions: int = Field(default=4, ge=1, le=10_000)
    labels_partitions: int = Field(default=1, ge=1, le=1_000)
    replication: int = Field(default=1, ge=1, le=100)
    retention_seconds: float = Field(default=14 * 86_400, gt=0)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = {key: value for key, value in self if isinstance(value, str)}
        for shared, users in Counter(names.values()).items():
            if users > 1:
                keys = " and ".join(key for key, name in names.items() if name == shared)
                raise PydanticCustomError(
                    "shared_topic",
                    "{keys} have the same name {name}; each needs a topic of its own",
                    {"keys": keys, "name": repr(shared)},
                )
        return self
