"""Metrics of the trainer."""

from __future__ import annotations

from typing import Final

from streamal.core.drift import DETECTORS
from streamal.telemetry.catalogue.losses import LOSS_METRICS
from streamal.telemetry.catalogue.quality import QUALITY_METRICS
from streamal.telemetry.catalogue.spec import TRAINER, Kind, MetricSpec

__all__ = ["TRAINER_METRICS"]

#: From an oracle's instant answer to the default label horizon of a week.
_HUMAN_LATENCIES: Final = (1, 10, 60, 300, 900, 3600, 14_400, 28_800, 86_400, 259_200, 604_800)

#: What an event on the drift topic may come from.
_DETECTORS: Final = ("accuracy_shift", "data_drift", *sorted(DETECTORS))

TRAINER_METRICS: Final = (
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
                "vote",
                "settled",
                "disputed",
                "adjudicated",
                "revised",
                "withdrawn",
                "duplicate",
                "contradictory",
                "held",
                "gold",
                "ruling",
                "unsure",
                "skip",
                "late",
                "unknown",
                "dismissed",
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
        known={"outcome": ("stored", "repeated", "foreign", "gold", "rejected")},
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
        "Drifts written to the drift topic, by detector, and whether production became worse.",
        "Read the event's cause; if production became worse, retrain it on the newest labels.",
        (TRAINER,),
        labels=("detector", "harmful"),
        known={"detector": _DETECTORS, "harmful": ("true", "false")},
    ),
    MetricSpec(
        "drift_responses",
        "streamal_drift_responses_total",
        Kind.COUNTER,
        "Responses to drift that were decided on, by the detector that found it.",
        "The event on the drift topic says what is done and until when; gates show what they do.",
        (TRAINER,),
        labels=("detector",),
        known={"detector": _DETECTORS},
    ),
    MetricSpec(
        "stability_index",
        "streamal_data_stability_ratio",
        Kind.GAUGE,
        "Population stability index of each watched variable in the last compared window.",
        "From 0.1 look at the feature, from 0.25 at whoever feeds it; see the drift event.",
        (TRAINER,),
        labels=("variable",),
        unit="ratio",
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
    *LOSS_METRICS,
    *QUALITY_METRICS,
)
