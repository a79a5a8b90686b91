"""Metrics that more than one role exports."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import BOTH, EVERY, Kind, MetricSpec

__all__ = ["REASONS", "SHARED_METRICS"]

#: Every reason of a dead letter; so that the first one of its kind is seen by `rate()`.
REASONS: Final = (
    "bad_probabilities",
    "dismissed_label",
    "duplicate_event",
    "empty",
    "future_timestamp",
    "invalid_field",
    "late_label",
    "malformed_json",
    "missing_feature",
    "missing_field",
    "missing_label",
    "missing_prediction",
    "not_a_lead",
    "not_an_object",
    "too_large",
    "unknown_annotator",
    "unknown_class",
    "unknown_label",
    "unlearnable",
    "unsupported_schema_version",
    "unsupported_task",
    "value_out_of_range",
)

SHARED_METRICS: Final = (
    MetricSpec(
        "rejected",
        "streamal_events_rejected_total",
        Kind.COUNTER,
        "Messages that became dead letters, by role and reason.",
        "Read the dead letters of that reason: their headers name the field and the source offset.",
        BOTH,
        labels=("role", "reason"),
        known={"role": BOTH, "reason": REASONS},
    ),
    MetricSpec(
        "model_version",
        "streamal_model_version",
        Kind.GAUGE,
        "Version of the model that this role works with; 0 has learned nothing.",
        "A gate that stays behind the trainer: look for refused snapshots and at its log.",
        BOTH,
        labels=("role",),
    ),
    MetricSpec(
        "model_created",
        "streamal_model_created_timestamp_seconds",
        Kind.GAUGE,
        "When that model was taken; its age is time() minus this.",
        "Old while labels come in: no snapshots are published or none arrives.",
        BOTH,
        labels=("role",),
        unit="seconds",
    ),
    MetricSpec(
        "model_labels",
        "streamal_model_labels",
        Kind.GAUGE,
        "Labels that this model has learned.",
        "A fall marks a new lineage: settings changed or a snapshot was refused.",
        BOTH,
        labels=("role",),
        unit="labels",
    ),
    MetricSpec(
        "snapshots_refused",
        "streamal_snapshots_refused_total",
        Kind.COUNTER,
        "Snapshots and heartbeats that failed verification or were made by other versions.",
        "Compare signing keys and images of trainer and gates; then see who else writes there.",
        BOTH,
        labels=("role",),
        known={"role": BOTH},
    ),
    MetricSpec(
        "lag",
        "streamal_consumer_lag_records",
        Kind.GAUGE,
        "Records between this process's position and the end of an assigned partition.",
        "Rising: add gates, up to the number of partitions.",
        BOTH,
        labels=("role", "topic", "partition"),
        unit="records",
    ),
    MetricSpec(
        "transactions",
        "streamal_transactions_total",
        Kind.COUNTER,
        "Kafka transactions, by role and how they ended.",
        "Some aborts come with rebalances; a steady stream of them is a broker in trouble.",
        EVERY,
        labels=("role", "outcome"),
        known={"role": EVERY, "outcome": ("committed", "aborted")},
    ),
    MetricSpec(
        "ready",
        "streamal_ready",
        Kind.GAUGE,
        "1 while this role works; 0 while it starts, stops, or waits for its broker.",
        "0 for minutes: /readyz says what it waits for.",
        EVERY,
        labels=("role",),
    ),
    MetricSpec(
        "retries",
        "streamal_retries_total",
        Kind.COUNTER,
        "Batches that were tried again, by role and error.",
        "BrokerUnavailable for minutes: check the brokers and the network; LabelStudioUnavailable: "
        "Label Studio.",
        EVERY,
        labels=("role", "error"),
        known={"role": EVERY, "error": ("BrokerUnavailable", "Rebalanced")},
    ),
    MetricSpec(
        "build",
        "streamal_build",
        Kind.INFO,
        "Versions that this process runs.",
        "More than one combination in a pipeline: snapshots are refused until all run one image.",
        EVERY,
    ),
)
