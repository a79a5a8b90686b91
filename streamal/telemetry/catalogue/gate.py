"""Metrics of the gate."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import GATE, ROUTING_REASONS, Kind, MetricSpec

__all__ = ["GATE_METRICS"]

_DURATIONS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1)
_BATCHES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LATENCIES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
#: Logarithmic: the interesting propensities are those around a budget of some percent.
_PROPENSITIES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 1)

GATE_METRICS: Final = (
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
        known={"reason": ROUTING_REASONS},
    ),
    MetricSpec(
        "synthetic_reviews",
        "streamal_synthetic_reviews_total",
        Kind.COUNTER,
        "Chances to ask about a made-up item (gate.synthetic_share), and what became of them.",
        "Mostly not_numeric: events have text, lists or nulls, of which no item can be made up. "
        "Mostly none: everything that the labels suggest was asked already.",
        (GATE,),
        labels=("outcome",),
        known={"outcome": ("asked", "not_numeric", "none")},
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
        "Time to read, score and decide one event, or one window of windowed_top_k.",
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
        "drift_response",
        "streamal_drift_response_ratio",
        Kind.GAUGE,
        "What is done about drift: factor on the budget, share of exploration, trust in the model.",
        "Anything but 1, gate.exploration and 1 is a response in force; it ends by itself.",
        (GATE,),
        labels=("action",),
        known={"action": ("budget", "exploration", "trust")},
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
