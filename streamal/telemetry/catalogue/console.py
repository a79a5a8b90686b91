"""Metrics of the review console."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import CONSOLE, Kind, MetricSpec

__all__ = ["CONSOLE_METRICS"]

CONSOLE_METRICS: Final = (
    MetricSpec(
        "console_open_items",
        "streamal_console_open_reviews",
        Kind.GAUGE,
        "Items that wait for a reviewer; those that wait for a lead not counted.",
        "Rising for days: more reviewers, or a lower gate.budget.",
        (CONSOLE,),
        unit="reviews",
    ),
    MetricSpec(
        "console_answers",
        "streamal_console_answers_total",
        Kind.COUNTER,
        "What people did: answered, passed on, decided, or took back.",
        "None while items wait: nobody reviews, or the page cannot be reached.",
        (CONSOLE,),
        labels=("outcome",),
        known={"outcome": ("label", "unsure", "skip", "verdict", "dropped", "withdrawn")},
    ),
    MetricSpec(
        "outbox_waiting",
        "streamal_console_outbox_labels",
        Kind.GAUGE,
        "Answers that are accepted and not on the labels topic yet.",
        "Not falling: the broker is away; answers are kept, see /readyz.",
        (CONSOLE,),
        unit="labels",
    ),
    MetricSpec(
        "outbox_age",
        "streamal_console_outbox_age_seconds",
        Kind.GAUGE,
        "Age of the oldest of them; 0 when there is none.",
        "Far above console.undo_seconds: the broker is away or refuses; see /readyz and the log.",
        (CONSOLE,),
        unit="seconds",
    ),
)
