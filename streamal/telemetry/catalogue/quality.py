"""Metrics of production's quality in detail: last window, segments, classes, responses."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import ROUTING_REASONS, TRAINER, Kind, MetricSpec

__all__ = ["QUALITY_METRICS"]

_INTERVAL: Final = {"kind": ("estimate", "low", "high")}

QUALITY_METRICS: Final = (
    MetricSpec(
        "window_accuracy",
        "streamal_window_accuracy_ratio",
        Kind.GAUGE,
        "Production's accuracy in the last matured window alone, with an interval for that window.",
        "Jumpy with few labels per window: lengthen estimation.window_seconds, or spend more.",
        (TRAINER,),
        labels=("kind",),
        known=_INTERVAL,
        unit="ratio",
    ),
    MetricSpec(
        "window_labels",
        "streamal_window_labels",
        Kind.GAUGE,
        "Labels that the last matured window's estimate rests on.",
        "Below some thirty: the window says little by itself; trust the running estimate.",
        (TRAINER,),
        unit="labels",
    ),
    MetricSpec(
        "segment_accuracy",
        "streamal_segment_accuracy_ratio",
        Kind.GAUGE,
        "Production's accuracy by segment over all matured windows, with an anytime interval.",
        "A segment well below the others: look at its reviews; its model may need its own data.",
        (TRAINER,),
        labels=("segment", "value", "kind"),
        known=_INTERVAL,
        unit="ratio",
    ),
    MetricSpec(
        "segment_difference",
        "streamal_segment_difference_ratio",
        Kind.GAUGE,
        "Accuracy of a segment minus that of the one that served most, over the windows where both "
        "served, with an anytime interval.",
        "An upper bound below 0 for a model version: the canary is worse; roll it back.",
        (TRAINER,),
        labels=("segment", "value", "reference", "kind"),
        known=_INTERVAL,
        unit="ratio",
    ),
    MetricSpec(
        "class_precision",
        "streamal_class_precision_ratio",
        Kind.GAUGE,
        "P(production is right) where it chose the class, over all matured windows.",
        "Low: production says this class too easily; look at what it should have said.",
        (TRAINER,),
        labels=("class", "kind"),
        known=_INTERVAL,
        unit="ratio",
    ),
    MetricSpec(
        "class_recall",
        "streamal_class_recall_ratio",
        Kind.GAUGE,
        "P(production chose the class) where it is the true one; none below five labels of it.",
        "Low: production misses this class; retrain with more of it.",
        (TRAINER,),
        labels=("class", "kind"),
        known=_INTERVAL,
        unit="ratio",
    ),
    MetricSpec(
        "class_predicted",
        "streamal_class_predicted_events",
        Kind.GAUGE,
        "Events of all matured windows for which production chose the class, routed or not.",
        "A class that vanishes or takes over: look at production and its inputs.",
        (TRAINER,),
        labels=("class",),
        unit="events",
    ),
    MetricSpec(
        "response_by_reason",
        "streamal_response_by_reason_ratio",
        Kind.GAUGE,
        "Share of the recently expired reviews that were answered in time, by routing rule.",
        "Exploration below the others: estimates rest on it; have it answered first.",
        (TRAINER,),
        labels=("reason",),
        known={"reason": ROUTING_REASONS},
        unit="ratio",
    ),
    MetricSpec(
        "label_latency_reached",
        "streamal_label_latency_reached_seconds",
        Kind.GAUGE,
        "Time within which a share of all recent reviews is answered, those still waiting taken "
        "into account (Kaplan-Meier); no series while fewer have been.",
        "Near estimation.label_horizon_seconds: answers come too late for estimates.",
        (TRAINER,),
        labels=("share",),
        known={"share": ("0.5", "0.9")},
        unit="seconds",
    ),
)
