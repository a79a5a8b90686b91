"""The dashboard *overview*: does it run, and keep up?"""

from __future__ import annotations

from typing import Final

from deploy.grafana.panels import Dashboard, Panel, Query, Row, Unit, View
from deploy.grafana.queries import CHOSEN, mean, number, quantile, rate

__all__ = ["OVERVIEW"]

OVERVIEW: Final = Dashboard(
    "streamal-overview",
    "streamal: overview",
    "For operations: is every pipeline running, keeping up, and within its budget?",
    [
        Row(
            "Now",
            [
                number(
                    "Events",
                    "Predictions read in committed batches. Zero while production is busy: see the "
                    "lag.",
                    f"streamal:events:rate5m{{{CHOSEN}}}",
                    Unit.PER_SECOND,
                ),
                number(
                    "Lag",
                    "Predictions that wait for a decision.",
                    f'streamal:lag:records{{{CHOSEN}, role="gate"}}',
                ),
                number(
                    "Spend, last hour",
                    "Share of the accepted events that went to review.",
                    f"streamal:spend:ratio_rate1h{{{CHOSEN}}}",
                    Unit.SHARE,
                ),
                number(
                    "Leading trainers",
                    "1. At 0 no model is learned; gates go on with the last one.",
                    f"streamal:leaders:count{{{CHOSEN}}}",
                ),
                number(
                    "Age of the model",
                    "Of the newest one that was published. Old is fine while no labels come.",
                    f'streamal:model_age:seconds{{{CHOSEN}, role="trainer"}}',
                    Unit.SECONDS,
                ),
                number(
                    "Alerts",
                    "Alerts that fire; each leads to its section of the runbook.",
                    f'count by (pipeline) (ALERTS{{{CHOSEN}, alertname=~"Streamal.+", '
                    'alertstate="firing"}) '
                    f"or 0 * group by (pipeline) (streamal_build_info{{{CHOSEN}}})",
                ),
            ],
        ),
        Row(
            "Events",
            [
                Panel(
                    "Read, accepted, routed",
                    "The difference of read and accepted went to dead letters.",
                    [
                        Query(rate("streamal_events_total", "pipeline"), "{{pipeline}} read"),
                        Query(
                            rate("streamal_events_accepted_total", "pipeline"),
                            "{{pipeline}} accepted",
                        ),
                        Query(
                            rate("streamal_events_routed_total", "pipeline"),
                            "{{pipeline}} routed",
                        ),
                    ],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Spend against the budget",
                    "Long windows for the budget, the short one for what happens now. Below with "
                    "unreachable events: max_per_hour holds it back.",
                    [
                        Query(f"streamal:spend:ratio_rate1h{{{CHOSEN}}}", "{{pipeline}} 1 hour"),
                        Query(f"streamal:spend:ratio_rate6h{{{CHOSEN}}}", "{{pipeline}} 6 hours"),
                        Query(f"streamal:spend:ratio_rate1d{{{CHOSEN}}}", "{{pipeline}} 1 day"),
                        Query(f"streamal:budget:ratio{{{CHOSEN}}}", "{{pipeline}} budget"),
                        Query(
                            f"streamal:unreachable:ratio_rate6h{{{CHOSEN}}}",
                            "{{pipeline}} unreachable",
                        ),
                    ],
                    Unit.SHARE,
                    dashed=["budget$"],
                ),
                Panel(
                    "Dead letters by reason",
                    "Their headers name the field and the source offset. The runbook explains each "
                    "reason.",
                    [
                        Query(
                            rate("streamal_events_rejected_total", "pipeline, role, reason")
                            + " > 0",
                            "{{pipeline}} {{role}} {{reason}}",
                        )
                    ],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Share of dead letters",
                    "Of the events that gates read, and of the labels that the trainer reads.",
                    [
                        Query(
                            f"streamal:dead_letters:ratio_rate15m{{{CHOSEN}}}",
                            "{{pipeline}} {{role}}",
                        )
                    ],
                    Unit.SHARE,
                ),
            ],
        ),
        Row(
            "Keeping up",
            [
                Panel(
                    "Ready",
                    "0 while a role starts, stops or waits for its broker; /readyz says why.",
                    [Query(f"streamal_ready{{{CHOSEN}}}", "{{pipeline}} {{role}} {{instance}}")],
                ),
                Panel(
                    "Lag by partition",
                    "Rising: add gates, up to the number of partitions.",
                    [
                        Query(
                            f"max by (pipeline, topic, partition) "
                            f"(streamal_consumer_lag_records{{{CHOSEN}}})",
                            "{{pipeline}} {{topic}}/{{partition}}",
                        )
                    ],
                ),
                Panel(
                    "From arrival to committed decision",
                    "Rises with the lag.",
                    [
                        quantile(0.5, "streamal_decision_latency_seconds"),
                        Query(
                            f"streamal:decision_latency_seconds:p99_rate5m{{{CHOSEN}}}",
                            "{{pipeline}} p99",
                        ),
                    ],
                    Unit.SECONDS,
                ),
                Panel(
                    "Time to decide one event, and one batch",
                    "Decisions that grow slower: the model grows or CPU is short. Batches alone: "
                    "commits are slow; look at the brokers.",
                    [
                        mean("streamal_decision_duration_seconds", "{{pipeline}} event"),
                        quantile(0.99, "streamal_batch_duration_seconds"),
                    ],
                    Unit.SECONDS,
                ),
                Panel(
                    "Transactions and tries",
                    "Some aborts come with rebalances; a steady stream of them is a broker in "
                    "trouble.",
                    [
                        Query(
                            rate("streamal_transactions_total", "pipeline, role, outcome"),
                            "{{pipeline}} {{role}} {{outcome}}",
                        ),
                        Query(
                            rate("streamal_retries_total", "pipeline, role, error"),
                            "{{pipeline}} {{role}} {{error}}",
                        ),
                    ],
                    Unit.PER_SECOND,
                ),
            ],
        ),
        Row(
            "Model",
            [
                Panel(
                    "Version in use",
                    "A gate that stays behind the trainer: look for refused snapshots.",
                    [
                        Query(
                            f"streamal_model_version{{{CHOSEN}}}",
                            "{{pipeline}} {{role}} {{instance}}",
                        )
                    ],
                    Unit.VERSION,
                ),
                Panel(
                    "Labels in the model",
                    "A fall marks a new lineage: settings changed or a snapshot was refused.",
                    [
                        Query(
                            f"max by (pipeline, role) (streamal_model_labels{{{CHOSEN}}})",
                            "{{pipeline}} {{role}}",
                        )
                    ],
                ),
                Panel(
                    "Snapshots",
                    "Published while labels are learned; refused after an upgrade, or when keys "
                    "differ.",
                    [
                        Query(
                            rate("streamal_snapshots_published_total", "pipeline"),
                            "{{pipeline}} published",
                        ),
                        Query(
                            rate("streamal_snapshots_refused_total", "pipeline, role"),
                            "{{pipeline}} refused by a {{role}}",
                        ),
                    ],
                    Unit.PER_SECOND,
                ),
                Panel(
                    "Size of the snapshot",
                    "Growing without end: bound the learner.",
                    [Query(f"max by (pipeline) (streamal_snapshot_size_bytes{{{CHOSEN}}})")],
                    Unit.BYTES,
                ),
            ],
        ),
        Row(
            "Processes",
            [
                Panel(
                    "Running processes",
                    "More than one combination of versions in a pipeline: snapshots are refused "
                    "until all run one image.",
                    [Query(f"streamal_build_info{{{CHOSEN}}}")],
                    view=View.TABLE,
                ),
                Panel(
                    "Memory",
                    "Grows with the model and stays: learners and the duplicate memory are "
                    "bounded.",
                    [
                        Query(
                            "process_resident_memory_bytes * on (job, instance) "
                            "group_left (pipeline) max by (job, instance, pipeline) "
                            f"(streamal_build_info{{{CHOSEN}}})",
                            "{{pipeline}} {{instance}}",
                        )
                    ],
                    Unit.BYTES,
                ),
            ],
        ),
    ],
)
