"""Metrics of the bridge to Label Studio."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import LABEL_STUDIO, Kind, MetricSpec

__all__ = ["LABEL_STUDIO_METRICS"]

LABEL_STUDIO_METRICS: Final = (
    MetricSpec(
        "label_studio_tasks",
        "streamal_label_studio_tasks_total",
        Kind.COUNTER,
        "What became of reviews on their way to Label Studio: imported; late (expired before); "
        "refused; expired (deleted there, unanswered); duplicate (deleted there).",
        "Refused ones: the log says why; late ones: raise max_open_tasks or add annotators.",
        (LABEL_STUDIO,),
        labels=("outcome",),
        known={"outcome": ("imported", "late", "refused", "expired", "duplicate")},
    ),
    MetricSpec(
        "label_studio_answers",
        "streamal_label_studio_answers_total",
        Kind.COUNTER,
        "Labels published for annotators: label, unsure and skip are first answers; revised ones "
        "were edited; withdrawn ones were deleted.",
        "None while tasks are open: nobody annotates, or the poll fails.",
        (LABEL_STUDIO,),
        labels=("outcome",),
        known={"outcome": ("label", "unsure", "skip", "revised", "withdrawn")},
    ),
    MetricSpec(
        "label_studio_open",
        "streamal_label_studio_open_tasks",
        Kind.GAUGE,
        "Tasks in Label Studio that can still be answered and were not.",
        "At max_open_tasks: annotators fall behind; the rest waits here, by priority.",
        (LABEL_STUDIO,),
        unit="tasks",
    ),
    MetricSpec(
        "label_studio_waiting",
        "streamal_label_studio_waiting_reviews",
        Kind.GAUGE,
        "Reviews that are not tasks yet.",
        "Rising: see streamal_label_studio_open_tasks; if that is low, Label Studio is slow.",
        (LABEL_STUDIO,),
        unit="reviews",
    ),
    MetricSpec(
        "label_studio_webhooks",
        "streamal_label_studio_webhooks_total",
        Kind.COUNTER,
        "Calls of the webhook; refused ones carried another secret.",
        "None while people annotate: answers wait for the poll; see the bridge's log at its start.",
        (LABEL_STUDIO,),
        labels=("outcome",),
        known={"outcome": ("accepted", "refused")},
    ),
    MetricSpec(
        "label_studio_polled",
        "streamal_label_studio_polled_timestamp_seconds",
        Kind.GAUGE,
        "When the project was last read to its end; labels are at most as late as this is old.",
        "Older than a few polls: Label Studio is away or too slow; see /readyz.",
        (LABEL_STUDIO,),
        unit="seconds",
    ),
)
