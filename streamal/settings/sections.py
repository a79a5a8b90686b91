"""The settings tree: every key with its type, range, default and meaning."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from streamal.events.formats import FieldMapping

__all__ = [
    "ENV_DELIMITER",
    "ENV_PREFIX",
    "BreakerSettings",
    "BrokerSettings",
    "EstimationSettings",
    "FormatSettings",
    "GateSettings",
    "LabelSettings",
    "LearnerSettings",
    "PipelineSettings",
    "Settings",
    "SnapshotSettings",
    "TelemetrySettings",
    "TopicSettings",
    "TrainerSettings",
]

#: Kafka accepts these characters in topic, group and transactional-id names.
_NAME = r"^[A-Za-z0-9._-]+$"
_Name = Annotated[str, Field(pattern=_NAME, min_length=1, max_length=200)]
ENV_PREFIX: Final = "STREAMAL_"
ENV_DELIMITER: Final = "__"
#: JSON-like values for constructor parameters; checked against the constructor by its builder.
Parameters = dict[str, Any]


def _comma_separated(value: object) -> object:
    """Lists may be written as text, as environment variables have to: with commas, or as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise PydanticCustomError("list", "begins like a JSON list but is none") from None
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )


class PipelineSettings(_Section):
    """Identity of the pipeline.

    Attributes:
        name: prefix of consumer groups and transactional ids; label of every metric.
        classes: the known classes; others are rejected. Empty: any class is accepted.
        seed: seed of every event-hashed draw.
    """

    name: _Name = "streamal"
    classes: _Names = ()
    seed: int = 0


class BrokerSettings(_Section):
    """How to reach Kafka; passed to the client and validated before it starts.

    Attributes:
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
        compression: codec of what streamal writes; all but gzip need `streamal[compression]`.
        connect_timeout_seconds: how long start-up waits for a first broker.
        request_timeout_seconds: how long one request may take.
        session_timeout_seconds: after how long without a heartbeat a member is expelled.
        max_poll_interval_seconds: after how long without a poll a member is expelled.
        transaction_timeout_seconds: after how long the broker aborts a silent transaction; the
            longest that one crashed gate can hold back read_committed readers.
        max_message_bytes: largest record that streamal writes (dead letters keep whole events).
    """

    bootstrap_servers: _Names = ("localhost:9092",)
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


class TopicSettings(_Section):
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

    predictions: _Name = "predictions"
    reviews: _Name = "reviews"
    labels: _Name = "labels"
    models: _Name = "models"
    gate_state: _Name = "gate-state"
    windows: _Name = "windows"
    drift: _Name = "drift"
    dead_letters: _Name = "dead-letters"
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


class FormatSettings(_Section):
    """How production's messages are read.

    Attributes:
        kind: the adapter; `flat` is JSON with a field mapping.
        fields: where production's JSON holds what, see `FieldMapping`.
        probability_tolerance: largest |sum - 1| of probabilities that is accepted.
        normalise_probabilities: divide by the sum instead of rejecting.
        required_features: features without which an event is rejected.
        max_event_bytes: larger events are rejected unparsed.
        max_future_seconds: events dated further ahead of the clock are rejected.
    """

    kind: Literal["flat"] = "flat"
    fields: FieldMapping = FieldMapping()
    probability_tolerance: float = Field(default=1e-3, ge=0, lt=1)
    normalise_probabilities: bool = False
    required_features: _Names = ()
    max_event_bytes: int = Field(default=1024 * 1024, ge=1024)
    max_future_seconds: float = Field(default=300, ge=0)


class BreakerSettings(_Section):
    """When the gate stops rather than drain the topic into dead letters.

    Attributes:
        max_reject_share: largest share of rejects among the last `window_events`, in (0, 1]; 1
            switches the breaker off.
        window_events: how many events the share is taken over.
        min_events: events seen before the breaker may open.
    """

    max_reject_share: float = Field(default=0.5, gt=0, le=1)
    window_events: int = Field(default=1000, ge=1)
    min_events: int = Field(default=100, ge=1)


class GateSettings(_Section):
    """What is routed to review, and under which budget.

    Attributes:
        strategy: registered name of the query strategy.
        strategy_parameters: its constructor's parameters.
        policy: registered name of the budget policy.
        policy_parameters: its constructor's parameters.
        budget: share of events to route, in (0, 1].
        exploration: share of the budget spent on uniformly drawn events, in [0, 0.9]; 0 makes
            unbiased estimates impossible.
        max_per_hour: hard limit of routed events per hour over all partitions.
        max_pending: unanswered reviews from which only exploration goes on.
        committee: who sits on the committee that strategies with `source = "committee"` ask:
            `learner` (the members of learner.committee_size), `event` (what the event carries),
            `production`, and `model` (the online model itself).
        delivery: `exactly_once` (transactions) or `at_least_once`.
        max_batch_records: most events decided in one transaction.
        poll_timeout_seconds: longest wait for events.
        duplicate_memory_events: how many recent event ids per partition are remembered; a repeated
            one is rejected.
        instance: name of this gate process, unique among those that run at the same time and kept
            over a restart: a restarted gate then aborts at once what its predecessor left open.
            Unset: a random one, and what a killed gate left open is aborted by the broker after
            broker.transaction_timeout_seconds.
        breaker: when to stop.
    """

    strategy: str = "margin"
    strategy_parameters: Parameters = Field(default_factory=dict)
    policy: str = "quantile"
    policy_parameters: Parameters = Field(default_factory=dict)
    budget: float = Field(default=0.05, gt=0, le=1)
    exploration: float = Field(default=0.2, ge=0, le=0.9)
    max_per_hour: float | None = Field(default=None, gt=0)
    max_pending: int | None = Field(default=None, ge=1)
    committee: Annotated[
        tuple[Literal["learner", "event", "production", "model"], ...],
        NoDecode,
        BeforeValidator(_comma_separated),
    ] = ("learner", "event")
    delivery: Literal["exactly_once", "at_least_once"] = "exactly_once"
    max_batch_records: int = Field(default=500, ge=1, le=100_000)
    poll_timeout_seconds: float = Field(default=0.5, gt=0, le=60)
    duplicate_memory_events: int = Field(default=10_000, ge=0, le=10_000_000)
    instance: _Name | None = None
    breaker: BreakerSettings = BreakerSettings()


class LearnerSettings(_Section):
    """The online model.

    Attributes:
        name: registered name, or `package.module:factory` of a River classifier or pipeline.
        parameters: its constructor's parameters.
        target: `label` learns the class, `error` learns P(production is wrong).
        committee_size: members of the online-bagging committee; 0 keeps none.
        warm_start: CSV or JSON-lines file of labelled rows to learn before the first label.
        warm_start_label: its column with the true class.
    """

    name: str = "default"
    parameters: Parameters = Field(default_factory=dict)
    target: Literal["label", "error"] = "label"
    committee_size: int = Field(default=0, ge=0, le=1000)
    warm_start: Path | None = None
    warm_start_label: str = "label"


class LabelSettings(_Section):
    """How labels are waited for.

    Attributes:
        ttl_seconds: how long after the decision a label is still used.
    """

    ttl_seconds: float = Field(default=7 * 86_400, gt=0, le=3650 * 86_400)


class TrainerSettings(_Section):
    """The one writer of the model.

    Attributes:
        state_path: SQLite file with the pending join; a view that is rebuilt when lost. Every
            trainer needs one of its own.
        snapshot_every_labels: labels learned between two snapshots.
        snapshot_every_seconds: longest time that a learned label waits for a snapshot.
        heartbeat_seconds: time between two heartbeats to the gates.
        max_batch_records: most records handled in one step.
        poll_timeout_seconds: longest wait for labels.
    """

    state_path: Path = Path("streamal-state.sqlite3")
    snapshot_every_labels: int = Field(default=50, ge=1)
    snapshot_every_seconds: float = Field(default=60, gt=0)
    heartbeat_seconds: float = Field(default=10, gt=0)
    max_batch_records: int = Field(default=1000, ge=1, le=100_000)
    poll_timeout_seconds: float = Field(default=0.5, gt=0, le=60)


class SnapshotSettings(_Section):
    """Authentication of model snapshots (they are pickles; see docs/decisions/0005).

    Attributes:
        signing_keys: one or more secrets of at least 16 bytes; the first signs, all verify.
        chunk_bytes: largest part of a snapshot in one record.
    """

    signing_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    chunk_bytes: int = Field(default=900_000, ge=1_000, le=100_000_000)


class EstimationSettings(_Section):
    """How production's accuracy is estimated.

    Attributes:
        window_seconds: length of an event-time window.
        label_horizon_seconds: how long after a decision a label still counts for estimates; at most
            labels.ttl_seconds. A window is estimated once its last decision is that old, so this is
            how far estimates lag behind; labels that come later are learned all the same.
        level: confidence level of intervals, in (0, 1).
    """

    window_seconds: float = Field(default=3600, gt=0)
    label_horizon_seconds: float = Field(default=86_400, gt=0)
    level: float = Field(default=0.95, gt=0, lt=1)


class TelemetrySettings(_Section):
    """What operations see.

    Attributes:
        host: address that /metrics, /healthz and /readyz listen on.
        port: their port; 0 picks a free one.
        log_format: `text` for people, `json` for collectors.
        log_level: least severe level that is logged.
    """

    host: str = "0.0.0.0"  # noqa: S104 - scraped from outside of its container by default
    port: int = Field(default=9464, ge=0, le=65_535)
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(BaseSettings):
    """Everything that can be set; `load_settings` reads it from file and environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    pipeline: PipelineSettings = PipelineSettings()
    broker: BrokerSettings = BrokerSettings()
    topics: TopicSettings = TopicSettings()
    format: FormatSettings = FormatSettings()
    gate: GateSettings = GateSettings()
    learner: LearnerSettings = LearnerSettings()
    labels: LabelSettings = LabelSettings()
    trainer: TrainerSettings = TrainerSettings()
    snapshots: SnapshotSettings = SnapshotSettings()
    estimation: EstimationSettings = EstimationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone: a demo or a test must not see a user's environment."""
        return (init_settings,)
