"""Every metric as data: what it counts, what it means, and what an operator does about it.

`Metrics` is built from this list, the reference page is generated from it, and tests hold both to
Prometheus' naming rules. Every series also carries the constant label `pipeline`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

__all__ = ["CATALOGUE", "LABELS", "Kind", "MetricSpec"]


class Kind(StrEnum):
    """Prometheus' metric types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


GATE: Final = "gate"
TRAINER: Final = "trainer"
_BOTH: Final = (GATE, TRAINER)

#: Every label with what bounds the number of its values.
LABELS: Final[Mapping[str, str]] = {
    "detector": "a registered drift detector",
    "error": "class of a retriable error; two of them",
    "kind": "which number of an estimate: estimate, low, high or naive",
    "outcome": "a fixed set per metric",
    "partition": "a partition assigned to this process; its series end with the assignment",
    "reason": "a fixed set per metric, or the fixed reasons of dead letters",
    "role": "gate or trainer",
    "topic": "one of the configured topics",
}


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric.

    Attributes:
        attribute: its name on `Metrics`.
        name: its name in Prometheus.
        kind: its type.
        meaning: what it says, in one sentence.
        action: what an operator does with it.
        roles: which roles export it.
        labels: names from `LABELS`.
        known: values of labels that are known beforehand. A counter whose labels are all known
            starts at 0, so that its first increment is seen by `rate()`.
        unit: base unit, and the end of the name (before `_total`); empty for plain counts.
        buckets: upper bounds of a histogram, ascending, in `unit`.
        initial: value of a gauge without labels until it is set; NaN is "not known yet" and keeps
            alerts that compare it quiet.
    """

    attribute: str
    name: str
    kind: Kind
    meaning: str
    action: str
    roles: tuple[str, ...]
    labels: tuple[str, ...] = ()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str = ""
    buckets: tuple[float, ...] = ()
    initial: float = math.nan

    @property
    def help(self) -> str:
        """Text of the HELP line."""
        return f"{self.meaning} {self.action}"


_DURATIONS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1)
_BATCHES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LATENCIES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
#: From an oracle's instant answer to the default label horizon of a week.
_HUMAN_LATENCIES: Final = (1, 10, 60, 300, 900, 3600, 14_400, 28_800, 86_400, 259_200, 604_800)
_SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
#: Logarithmic: the interesting propensities are those around a budget of some percent.
_PROPENSITIES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 1)

_GATE_METRICS: Final = (
    MetricSpec(
        "events",
        "streamal_events_total",
        Kind.COUNTER,
        "Predictions read in committed batches, usable or not.",
        "Zero while production is busy: check consumer lag and /readyz.",
        (GATE,),
    ),
    MetricSpec(
        "accepted",
        "streamal_events_accepted_total",
        Kind.COUNTER,
        "Predictions that could be used and were decided on.",
        "The difference to streamal_events_total went to dead letters.",
        (GATE,),
    ),
    MetricSpec(
        "routed",
        "streamal_events_routed_total",
        Kind.COUNTER,
        "Events sent to review, by the rule that routed them.",
        "Divide its rate by that of streamal_events_accepted_total for the spend over any time.",
        (GATE,),
        labels=("reason",),
        known={"reason": ("above_threshold", "at_threshold", "exploration", "max_pending")},
    ),
    MetricSpec(
        "unreachable",
        "streamal_events_unreachable_total",
        Kind.COUNTER,
        "Events that max_per_hour left no chance to be routed; estimates do not speak for them.",
        "More than a few percent: raise max_per_hour or lower the budget.",
        (GATE,),
    ),
    MetricSpec(
        "decision_seconds",
        "streamal_decision_duration_seconds",
        Kind.HISTOGRAM,
        "Time to read, score and decide one event.",
        "Rising: the model has grown, or the process lacks CPU; add gates.",
        (GATE,),
        unit="seconds",
        buckets=_DURATIONS,
    ),
    MetricSpec(
        "decision_latency_seconds",
        "streamal_decision_latency_seconds",
        Kind.HISTOGRAM,
        "Time from an event's arrival on the log to the commit of its decision.",
        "Rising with the lag: add gates, up to the number of partitions.",
        (GATE,),
        unit="seconds",
        buckets=_LATENCIES,
    ),
    MetricSpec(
        "batch_seconds",
        "streamal_batch_duration_seconds",
        Kind.HISTOGRAM,
        "Time to decide and commit one batch.",
        "Far above records times decision time: commits are slow; look at the brokers.",
        (GATE,),
        unit="seconds",
        buckets=_BATCHES,
    ),
    MetricSpec(
        "score",
        "streamal_decision_score_ratio",
        Kind.HISTOGRAM,
        "Informativeness of the accepted events.",
        "All in one bucket: the strategy cannot tell events apart; try another source or strategy.",
        (GATE,),
        unit="ratio",
        buckets=_SHARES,
    ),
    MetricSpec(
        "propensity",
        "streamal_decision_propensity_ratio",
        Kind.HISTOGRAM,
        "Probability with which accepted events were going to be routed.",
        "Its mean is the intended spend; mass in the lowest buckets makes estimates noisy.",
        (GATE,),
        unit="ratio",
        buckets=_PROPENSITIES,
    ),
    MetricSpec(
        "budget_target",
        "streamal_budget_target_ratio",
        Kind.GAUGE,
        "Share of events that may be routed, as configured.",
        "Compare with streamal_budget_spent_ratio.",
        (GATE,),
        unit="ratio",
    ),
    MetricSpec(
        "budget_spent",
        "streamal_budget_spent_ratio",
        Kind.GAUGE,
        "Share of the accepted events that was routed, over the life of the assigned partitions.",
        "Off the target for hours: look at max_per_hour, max_pending and the score histogram.",
        (GATE,),
        unit="ratio",
    ),
    MetricSpec(
        "threshold",
        "streamal_decision_threshold_ratio",
        Kind.GAUGE,
        "Score from which events are routed, at the latest event of each assigned partition.",
        "Partitions that differ much carry different traffic; that is fine if the spend is right.",
        (GATE,),
        labels=("topic", "partition"),
        unit="ratio",
    ),
    MetricSpec(
        "breaker_open",
        "streamal_breaker_open",
        Kind.GAUGE,
        "1 when the gate stopped because too many events were rejected.",
        "Read the dead letters, mend the producer or the format settings, start again.",
        (GATE,),
        initial=0,
    ),
)

_TRAINER_METRICS: Final = (
    MetricSpec(
        "labels",
        "streamal_labels_total",
        Kind.COUNTER,
        "Labels read, by what became of each; their sum is all labels.",
        "Many unknown or late: the review tool sends wrong ids, or answers after the expiry.",
        (TRAINER,),
        labels=("outcome",),
        known={
            "outcome": (
                "learned",
                "unsolicited",
                "duplicate",
                "unsure",
                "skip",
                "late",
                "unknown",
                "rejected",
            )
        },
    ),
    MetricSpec(
        "label_latency_seconds",
        "streamal_label_latency_seconds",
        Kind.HISTOGRAM,
        "Time from a decision to its answer, by the log's clock.",
        "Rising: reviewers fall behind; lower the budget or set max_pending.",
        (TRAINER,),
        unit="seconds",
        buckets=_HUMAN_LATENCIES,
    ),
    MetricSpec(
        "reviews",
        "streamal_reviews_total",
        Kind.COUNTER,
        "Reviews read into the join; a repeated one is of an event that has one already.",
        "Repeated ones: gates run at_least_once, or two gates share no transactional ids.",
        (TRAINER,),
        labels=("outcome",),
        known={"outcome": ("stored", "repeated", "foreign", "rejected")},
    ),
    MetricSpec(
        "pending",
        "streamal_pending_reviews",
        Kind.GAUGE,
        "Reviews that are neither answered nor expired.",
        "Rising without end: there are too few reviewers for the budget.",
        (TRAINER,),
        unit="reviews",
    ),
    MetricSpec(
        "response_rate",
        "streamal_response_ratio",
        Kind.GAUGE,
        "Share of the recently expired reviews that were answered in time; NaN before any expired.",
        "Falling: estimates lose precision, and bias if what is left unanswered is special.",
        (TRAINER,),
        unit="ratio",
    ),
    MetricSpec(
        "snapshots_published",
        "streamal_snapshots_published_total",
        Kind.COUNTER,
        "Model snapshots written to the models topic.",
        "Still while labels are learned: look at this trainer's log and the brokers.",
        (TRAINER,),
    ),
    MetricSpec(
        "snapshot_bytes",
        "streamal_snapshot_size_bytes",
        Kind.GAUGE,
        "Size of the latest snapshot as it lies on the topic, compressed.",
        "Growing without end: bound the learner (tree depth, number of models).",
        (TRAINER,),
        unit="bytes",
    ),
    MetricSpec(
        "leader",
        "streamal_trainer_leader",
        Kind.GAUGE,
        "1 while this trainer is the one that writes the model.",
        "The sum over all trainers is 1; 0 for minutes: no model is learned, check the trainers.",
        (TRAINER,),
        initial=0,
    ),
    MetricSpec(
        "production_accuracy",
        "streamal_production_accuracy_ratio",
        Kind.GAUGE,
        "Production's accuracy over all matured windows: unbiased, with an anytime interval; "
        "naive is the biased mean over routed items, for comparison only.",
        "An upper bound below your target: production is wrong too often; retrain it.",
        (TRAINER,),
        labels=("kind",),
        known={"kind": ("estimate", "low", "high", "naive")},
        unit="ratio",
    ),
    MetricSpec(
        "drift_alarms",
        "streamal_drift_alarms_total",
        Kind.COUNTER,
        "Drift events written to the drift topic, by detector.",
        "Read the event's cause; if production became worse, retrain it on the newest labels.",
        (TRAINER,),
        labels=("detector",),
        known={"detector": ("accuracy_shift",)},
    ),
    MetricSpec(
        "model_accuracy",
        "streamal_model_accuracy_ratio",
        Kind.GAUGE,
        "The online model's accuracy over the same windows, estimated in the same way.",
        "Well above production's: consider to promote the online model, or to retrain.",
        (TRAINER,),
        labels=("kind",),
        known={"kind": ("estimate", "low", "high", "naive")},
        unit="ratio",
    ),
)

_SHARED_METRICS: Final = (
    MetricSpec(
        "rejected",
        "streamal_events_rejected_total",
        Kind.COUNTER,
        "Messages that became dead letters, by role and reason.",
        "Read the dead letters of that reason: their headers name the field and the source offset.",
        _BOTH,
        labels=("role", "reason"),
    ),
    MetricSpec(
        "model_version",
        "streamal_model_version",
        Kind.GAUGE,
        "Version of the model that this role works with; 0 has learned nothing.",
        "A gate that stays behind the trainer: look for refused snapshots and at its log.",
        _BOTH,
        labels=("role",),
    ),
    MetricSpec(
        "model_created",
        "streamal_model_created_timestamp_seconds",
        Kind.GAUGE,
        "When that model was taken; its age is time() minus this.",
        "Old while labels come in: no snapshots are published or none arrives.",
        _BOTH,
        labels=("role",),
        unit="seconds",
    ),
    MetricSpec(
        "model_labels",
        "streamal_model_labels",
        Kind.GAUGE,
        "Labels that this model has learned.",
        "A fall marks a new lineage: settings changed or a snapshot was refused.",
        _BOTH,
        labels=("role",),
        unit="labels",
    ),
    MetricSpec(
        "snapshots_refused",
        "streamal_snapshots_refused_total",
        Kind.COUNTER,
        "Snapshots and heartbeats that failed verification or were made by other versions.",
        "Compare signing keys and images of trainer and gates; then see who else writes there.",
        _BOTH,
    ),
    MetricSpec(
        "lag",
        "streamal_consumer_lag_records",
        Kind.GAUGE,
        "Records between this process's position and the end of an assigned partition.",
        "Rising: add gates, up to the number of partitions.",
        _BOTH,
        labels=("topic", "partition"),
        unit="records",
    ),
    MetricSpec(
        "transactions",
        "streamal_transactions_total",
        Kind.COUNTER,
        "Kafka transactions by how they ended.",
        "Some aborts come with rebalances; a steady stream of them is a broker in trouble.",
        _BOTH,
        labels=("outcome",),
        known={"outcome": ("committed", "aborted")},
    ),
    MetricSpec(
        "retries",
        "streamal_retries_total",
        Kind.COUNTER,
        "Batches that were tried again, by role and error.",
        "BrokerUnavailable for minutes: check the brokers and the network.",
        _BOTH,
        labels=("role", "error"),
        known={"role": _BOTH, "error": ("BrokerUnavailable", "Rebalanced")},
    ),
    MetricSpec(
        "build",
        "streamal_build",
        Kind.INFO,
        "Versions that this process runs.",
        "More than one combination in a pipeline: snapshots are refused until all run one image.",
        _BOTH,
    ),
)

CATALOGUE: Final = (*_GATE_METRICS, *_TRAINER_METRICS, *_SHARED_METRICS)
