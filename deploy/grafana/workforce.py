"""The dashboard *review workforce*: do people keep up?"""

from __future__ import annotations

from typing import Final

from deploy.grafana.panels import Dashboard, Panel, Query, Row, Unit
from deploy.grafana.queries import CHOSEN, number, rate

__all__ = ["WORKFORCE"]

WORKFORCE: Final = Dashboard(
    "streamal-workforce",
    "streamal: review workforce",
    "For those who plan reviewers' time: how much is asked, answered, late, and left.",
    [
        Row(
            "Now",
            [
                number(
                    "Waiting reviews",
                    "Neither answered nor expired.",
                    f"streamal:pending:reviews{{{CHOSEN}}}",
                ),
                number(
                    "Answered in time",
                    "Of the reviews that expired lately; without a value before any has.",
                    f"streamal:response:ratio{{{CHOSEN}}}",
                    Unit.SHARE,
                ),
                number(
                    "Time to answer, median",
                    "From decision to answer, over a day.",
                    f"streamal:label_latency_seconds:p50_rate1d{{{CHOSEN}}}",
                    Unit.SECONDS,
                ),
                number(
                    "Time to answer, 9 of 10",
                    "From decision to answer, over a day.",
                    f"streamal:label_latency_seconds:p90_rate1d{{{CHOSEN}}}",
                    Unit.SECONDS,
                ),
                number(
                    "Asked, last hour",
                    "Reviews requested.",
                    f"sum by (pipeline) (increase(streamal_events_routed_total{{{CHOSEN}}}[1h]))",
                ),
                number(
                    "Answered, last hour",
                    "Labels read, whatever became of them.",
                    f"sum by (pipeline) (increase(streamal_labels_total{{{CHOSEN}}}[1h]))",
                ),
            ],
        ),
        Row(
            "Demand and answers",
            [
                Panel(
                    "Asked and answered",
                    "Asked above answered for days: there are too few reviewers for the budget. "
                    "Lower it, or set max_pending.",
                    [
                        Query(
                            rate("streamal_events_routed_total", "pipeline"), "{{pipeline}} asked"
                        ),
                        Query(rate("streamal_labels_total", "pipeline"), "{{pipeline}} answered"),
                    ],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Waiting reviews",
                    "Rising without end: there are too few reviewers for the budget.",
                    [Query(f"streamal:pending:reviews{{{CHOSEN}}}")],
                ),
                Panel(
                    "Labels by what became of them",
                    "Unknown: the review tool sends wrong ids. Late: answers come after the "
                    "expiry. Duplicate: several answers to one event.",
                    [Query(f"streamal:labels:rate1h{{{CHOSEN}}}", "{{pipeline}} {{outcome}}")],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Answered in time",
                    "Under the objective, estimates lose precision, and are biased if what stays "
                    "unanswered is special.",
                    [
                        Query(f"streamal:response:ratio{{{CHOSEN}}}"),
                        Query(
                            f"streamal:objective_response:ratio{{{CHOSEN}}}",
                            "{{pipeline}} objective",
                        ),
                    ],
                    Unit.SHARE,
                    dashed=["objective$"],
                    high=1,
                ),
            ],
        ),
        Row(
            "Time",
            [
                Panel(
                    "Time to answer",
                    "Rising: reviewers fall behind.",
                    [
                        Query(
                            f"streamal:label_latency_seconds:p50_rate1d{{{CHOSEN}}}",
                            "{{pipeline}} p50",
                        ),
                        Query(
                            f"streamal:label_latency_seconds:p90_rate1d{{{CHOSEN}}}",
                            "{{pipeline}} p90",
                        ),
                    ],
                    Unit.SECONDS,
                ),
                Panel(
                    "Half of all reviews are answered within",
                    "Reviews that still wait are taken into account, which the time to answer "
                    "beside it leaves out. Near the label horizon: answers come too late.",
                    [
                        Query(
                            "max by (pipeline) (streamal_label_latency_reached_seconds"
                            f'{{{CHOSEN}, share="0.5"}})'
                        )
                    ],
                    Unit.SECONDS,
                ),
                Panel(
                    "Answered in time, by rule",
                    "Exploration below the others: estimates rest on it; have it answered first.",
                    [
                        Query(
                            "max by (pipeline, reason) (streamal_response_by_reason_ratio"
                            f"{{{CHOSEN}}})",
                            "{{pipeline}} {{reason}}",
                        )
                    ],
                    Unit.SHARE,
                    high=1,
                ),
                Panel(
                    "Unsure and skipped",
                    "Share of the labels. Rising: items have become harder, or the guidelines are "
                    "unclear.",
                    [
                        Query(
                            "sum by (pipeline) "
                            f'(streamal:labels:rate1h{{{CHOSEN}, outcome=~"unsure|skip"}}) '
                            f"/ (sum by (pipeline) (streamal:labels:rate1h{{{CHOSEN}}}) > 0)"
                        )
                    ],
                    Unit.SHARE,
                ),
            ],
        ),
        Row(
            "Trust",
            [
                Panel(
                    "Waiting for a lead",
                    "Disputes: adjudicate them. Annotators in quarantine: look at their answers "
                    "with `streamal annotators list`, then release or dismiss them.",
                    [
                        Query(
                            f"max by (pipeline) (streamal_disputes_open{{{CHOSEN}}})",
                            "{{pipeline}} disputes",
                        ),
                        Query(
                            f"max by (pipeline) (streamal_annotators_quarantined{{{CHOSEN}}})",
                            "{{pipeline}} in quarantine",
                        ),
                        Query(
                            f"max by (pipeline) (streamal_labels_held{{{CHOSEN}}})",
                            "{{pipeline}} answers held",
                        ),
                    ],
                ),
                Panel(
                    "Agreement beyond chance",
                    "Krippendorff's alpha of items with several answers. Below 0.67: sharpen the "
                    "guideline. Without a value while no item has two answers.",
                    [Query(f"max by (pipeline) (streamal_annotator_alpha{{{CHOSEN}}})")],
                ),
                Panel(
                    "Noise of answers",
                    "Likely share of wrong answers, single and final. Above the half-width of the "
                    "accuracy interval, more annotators help and more labels do not.",
                    [
                        Query(
                            f"max by (pipeline) (streamal_annotator_noise_ratio{{{CHOSEN}}})",
                            "{{pipeline}} single",
                        ),
                        Query(
                            f"max by (pipeline) (streamal_answer_noise_ratio{{{CHOSEN}}})",
                            "{{pipeline}} final",
                        ),
                    ],
                    Unit.SHARE,
                ),
                Panel(
                    "Noise of numbers",
                    "Regressions alone: how far a final answer is likely off, in the unit of the "
                    "predictions. Above the half-width of the error's interval, more annotators "
                    "help and more labels do not.",
                    [Query(f"max by (pipeline) (streamal_answer_absolute_error{{{CHOSEN}}})")],
                ),
                Panel(
                    "Answers by annotator",
                    "The busiest annotators, by name up to labels.annotator_series.",
                    [
                        Query(
                            "max by (pipeline, annotator) "
                            f"(streamal_annotator_answers{{{CHOSEN}}})",
                            "{{pipeline}} {{annotator}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "The join",
            [
                Panel(
                    "Reviews read by the trainer",
                    "Repeated ones: gates run at_least_once, or share no transactional ids.",
                    [
                        Query(
                            rate("streamal_reviews_total", "pipeline, outcome"),
                            "{{pipeline}} {{outcome}}",
                        )
                    ],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Labels not read yet",
                    "Stays near 0. Rising: no trainer leads, or learning is slower than answers.",
                    [
                        Query(
                            f'streamal:lag:records{{{CHOSEN}, role="trainer"}}',
                        )
                    ],
                ),
            ],
        ),
    ],
)
