"""The dashboard *quality and drift*: is production good, and since when?"""

from __future__ import annotations

from typing import Final

from deploy.grafana.panels import Dashboard, Panel, Query, Row, Unit
from deploy.grafana.queries import CHOSEN, mean, number, quantile, rate

__all__ = ["QUALITY"]


def _accuracy(record: str, kind: str, whose: str) -> Query:
    return Query(f'{record}{{{CHOSEN}, kind="{kind}"}}', f"{{{{pipeline}}}} {whose}{kind}")


_PRODUCTION: Final = "streamal:production_accuracy:ratio"
_MODEL: Final = "streamal:model_accuracy:ratio"
_ERROR: Final = "streamal:production_absolute_error:mean"
_DIFFERENCE: Final = "streamal:segment_absolute_error:difference"
_OBJECTIVE: Final = "streamal:objective_absolute_error:mean"
_INTERVAL: Final = ("low", "estimate", "high")

QUALITY: Final = Dashboard(
    "streamal-quality",
    "streamal: quality and drift",
    "For the owners of the production model: how good is it, since when, and can we tell?",
    [
        Row(
            "Now",
            [
                number(
                    "Production's accuracy",
                    "Without bias, over all matured windows.",
                    f'{_PRODUCTION}{{{CHOSEN}, kind="estimate"}}',
                    Unit.SHARE,
                ),
                number(
                    "At least",
                    "Lower bound of an interval that holds at all times together.",
                    f'{_PRODUCTION}{{{CHOSEN}, kind="low"}}',
                    Unit.SHARE,
                ),
                number(
                    "At most",
                    "Upper bound. Under the objective: production is surely worse than promised.",
                    f'{_PRODUCTION}{{{CHOSEN}, kind="high"}}',
                    Unit.SHARE,
                ),
                number(
                    "Objective",
                    "Set in deploy/prometheus/rules/objectives.yml.",
                    f"streamal:objective_accuracy:ratio{{{CHOSEN}}}",
                    Unit.SHARE,
                ),
                number(
                    "Online model's accuracy",
                    "Estimated in the same way. Well above production's: consider to promote it.",
                    f'{_MODEL}{{{CHOSEN}, kind="estimate"}}',
                    Unit.SHARE,
                ),
                number(
                    "Drift alarms, last day",
                    "Read the events on the drift topic.",
                    f"sum by (pipeline) (increase(streamal_drift_alarms_total{{{CHOSEN}}}[1d]))",
                ),
            ],
        ),
        Row(
            "Accuracy",
            [
                Panel(
                    "Production's accuracy",
                    "The interval holds however often it is looked at. It is over all matured "
                    "windows since the start, so it moves slowly; a change of one window shows as "
                    "drift. The naive mean over reviewed items is biased, and here for comparison.",
                    [
                        *(_accuracy(_PRODUCTION, kind, "") for kind in ("low", "estimate", "high")),
                        _accuracy(_PRODUCTION, "naive", ""),
                        Query(
                            f"streamal:objective_accuracy:ratio{{{CHOSEN}}}",
                            "{{pipeline}} objective",
                        ),
                    ],
                    Unit.SHARE,
                    width=24,
                    dashed=["(low|high|objective)$"],
                    low=None,
                    high=1,
                ),
                Panel(
                    "Online model's accuracy",
                    "Of the prediction that it made when the event was decided.",
                    [_accuracy(_MODEL, kind, "") for kind in ("low", "estimate", "high", "naive")],
                    Unit.SHARE,
                    dashed=["(low|high)$"],
                    low=None,
                    high=1,
                ),
                Panel(
                    "Online model's lead, and bias of the naive mean",
                    "Lead: the online model's accuracy minus production's. Bias: how wrong the "
                    "mean over reviewed items would be.",
                    [
                        Query(
                            f'{_MODEL}{{{CHOSEN}, kind="estimate"}} - on (pipeline) '
                            f'{_PRODUCTION}{{{CHOSEN}, kind="estimate"}}',
                            "{{pipeline}} lead",
                        ),
                        Query(
                            f'{_PRODUCTION}{{{CHOSEN}, kind="naive"}} - on (pipeline) '
                            f'{_PRODUCTION}{{{CHOSEN}, kind="estimate"}}',
                            "{{pipeline}} bias",
                        ),
                    ],
                    Unit.SHARE,
                    low=None,
                ),
            ],
        ),
        Row(
            "Numbers: mean absolute error (regressions alone)",
            [
                number(
                    "Production is off by",
                    "Mean absolute error in the unit of the predictions, without bias, over all "
                    "matured windows.",
                    f'{_ERROR}{{{CHOSEN}, kind="estimate"}}',
                ),
                number(
                    "Off by at least",
                    "Lower bound of an interval that holds at all times together. Above the "
                    "objective: production is surely further off than promised.",
                    f'{_ERROR}{{{CHOSEN}, kind="low"}}',
                ),
                number(
                    "Off by at most",
                    "Upper bound; infinite while labels are few and pipeline.value_range is not "
                    "set.",
                    f'{_ERROR}{{{CHOSEN}, kind="high"}}',
                ),
                number(
                    "Objective",
                    "The setting estimation.error_objective.",
                    f"{_OBJECTIVE}{{{CHOSEN}}}",
                ),
                number(
                    "Online model is off by",
                    "Estimated in the same way, over the events about which it had something to "
                    "say. Well below production's: consider to promote it.",
                    f'streamal:model_absolute_error:mean{{{CHOSEN}, kind="estimate"}}',
                ),
                Panel(
                    "Production's mean absolute error",
                    "Over all matured windows since the start, so it moves slowly; a change of one "
                    "window shows as drift. The naive mean over reviewed items is biased, and here "
                    "for comparison.",
                    [
                        *(_accuracy(_ERROR, kind, "") for kind in (*_INTERVAL, "naive")),
                        Query(f"{_OBJECTIVE}{{{CHOSEN}}}", "{{pipeline}} objective"),
                    ],
                    width=24,
                    dashed=["(low|high|objective)$"],
                ),
                Panel(
                    "Online model's mean absolute error",
                    "Of the prediction that it made when the event was decided.",
                    [
                        _accuracy("streamal:model_absolute_error:mean", kind, "")
                        for kind in (*_INTERVAL, "naive")
                    ],
                    dashed=["(low|high)$"],
                ),
                Panel(
                    "Mean absolute error by segment",
                    "Of each model version, and of each value of the keys in estimation.segments.",
                    [
                        Query(
                            f'streamal:segment_absolute_error:mean{{{CHOSEN}, kind="{kind}"}}',
                            f"{{{{pipeline}}}} {{{{segment}}}}={{{{value}}}} {kind}",
                        )
                        for kind in _INTERVAL
                    ],
                    dashed=["(low|high)$"],
                ),
                Panel(
                    "Error against the one that serves most",
                    "Mean absolute error of a version or segment minus the reference's, over the "
                    "windows where both served. The lower bound above 0: surely further off.",
                    [
                        Query(
                            f'{_DIFFERENCE}{{{CHOSEN}, kind="{kind}"}}',
                            f"{{{{pipeline}}}} {{{{value}}}} - {{{{reference}}}} {kind}",
                        )
                        for kind in _INTERVAL
                    ],
                    dashed=["(low|high)$"],
                    low=None,
                ),
                Panel(
                    "Mean absolute error of the last window alone",
                    "Production's, in the latest matured window. Jumpy with few labels.",
                    [
                        _accuracy("streamal:window_absolute_error:mean", kind, "")
                        for kind in _INTERVAL
                    ],
                    dashed=["(low|high)$"],
                ),
            ],
        ),
        Row(
            "Canaries, segments and classes",
            [
                Panel(
                    "Production by segment",
                    "Accuracy of each model version, and of each value of the keys in "
                    "estimation.segments.",
                    [
                        Query(
                            f'streamal:segment_accuracy:ratio{{{CHOSEN}, kind="{kind}"}}',
                            f"{{{{pipeline}}}} {{{{segment}}}}={{{{value}}}} {kind}",
                        )
                        for kind in ("low", "estimate", "high")
                    ],
                    Unit.SHARE,
                    dashed=["(low|high)$"],
                    low=None,
                    high=1,
                ),
                Panel(
                    "Against the one that serves most",
                    "Accuracy of a version or segment minus the reference's, over the windows "
                    "where both served. The upper bound below 0: surely worse.",
                    [
                        Query(
                            f'streamal:segment_difference:ratio{{{CHOSEN}, kind="{kind}"}}',
                            f"{{{{pipeline}}}} {{{{value}}}} - {{{{reference}}}} {kind}",
                        )
                        for kind in ("low", "estimate", "high")
                    ],
                    Unit.SHARE,
                    dashed=["(low|high)$"],
                    low=None,
                ),
                Panel(
                    "Precision by class",
                    "How often production is right where it chose the class.",
                    [
                        Query(
                            "max by (pipeline, class) (streamal_class_precision_ratio"
                            f'{{{CHOSEN}, kind="estimate"}})',
                            "{{pipeline}} {{class}}",
                        )
                    ],
                    Unit.SHARE,
                    high=1,
                ),
                Panel(
                    "Recall by class",
                    "How much of the class production finds. Nothing below five labels of it.",
                    [
                        Query(
                            "max by (pipeline, class) (streamal_class_recall_ratio"
                            f'{{{CHOSEN}, kind="estimate"}})',
                            "{{pipeline}} {{class}}",
                        )
                    ],
                    Unit.SHARE,
                    high=1,
                ),
                Panel(
                    "The last window alone",
                    "Production's accuracy in the latest matured window.",
                    [
                        _accuracy("streamal:window_accuracy:ratio", kind, "")
                        for kind in ("low", "estimate", "high")
                    ],
                    Unit.SHARE,
                    dashed=["(low|high)$"],
                    low=None,
                    high=1,
                ),
                Panel(
                    "Labels of the last window",
                    "Below some thirty a window says little by itself.",
                    [Query(f"max by (pipeline) (streamal_window_labels{{{CHOSEN}}})")],
                ),
            ],
        ),
        Row(
            "Drift",
            [
                Panel(
                    "Drift alarms",
                    "By detector. The event says from what to what, and whether for the worse.",
                    [
                        Query(
                            "sum by (pipeline, detector) (increase(streamal_drift_alarms_total"
                            f"{{{CHOSEN}}}[1h]))",
                            "{{pipeline}} {{detector}}",
                        )
                    ],
                ),
                Panel(
                    "How different events look",
                    "Population stability index of each variable in the last compared window. From "
                    "0.1 look at the feature, from 0.25 at whoever feeds it.",
                    [
                        Query(
                            "max by (pipeline, variable) "
                            f"(streamal_data_stability_ratio{{{CHOSEN}}})",
                            "{{pipeline}} {{variable}}",
                        )
                    ],
                ),
                Panel(
                    "What is done about it",
                    "At the gates: factor on the budget, share of exploration, trust in the model. "
                    "It ends by itself.",
                    [
                        Query(
                            "max by (pipeline, action) "
                            f"(streamal_drift_response_ratio{{{CHOSEN}}})",
                            "{{pipeline}} {{action}}",
                        ),
                        Query(
                            "sum by (pipeline, detector) (increase("
                            f"streamal_drift_responses_total{{{CHOSEN}}}[1h]))",
                            "{{pipeline}} answered {{detector}}",
                        ),
                    ],
                ),
                Panel(
                    "Width of the interval",
                    "Halves with four times the labels. Standing still: too few labels.",
                    [
                        Query(
                            f'{_PRODUCTION}{{{CHOSEN}, kind="high"}} - on (pipeline) '
                            f'{_PRODUCTION}{{{CHOSEN}, kind="low"}}'
                        )
                    ],
                    Unit.SHARE,
                ),
            ],
        ),
        Row(
            "What the gate sees",
            [
                Panel(
                    "Informativeness",
                    "Both quantiles rising: events have become harder. All in one bucket: the "
                    "strategy cannot tell events apart.",
                    [
                        quantile(0.5, "streamal_decision_score_ratio"),
                        quantile(0.95, "streamal_decision_score_ratio"),
                    ],
                    Unit.SHARE,
                    high=1,
                ),
                Panel(
                    "Threshold",
                    "Score from which events are routed. It follows the traffic of its partition.",
                    [
                        Query(
                            "max by (pipeline, topic, partition) "
                            f"(streamal_decision_threshold_ratio{{{CHOSEN}}})",
                            "{{pipeline}} {{topic}}/{{partition}}",
                        )
                    ],
                    Unit.SHARE,
                    high=1,
                ),
                Panel(
                    "Intended and actual spend",
                    "The mean propensity is what was meant, the share routed is what chance made "
                    "of it.",
                    [
                        mean("streamal_decision_propensity_ratio", "{{pipeline}} intended"),
                        Query(
                            f"{rate('streamal_events_routed_total', 'pipeline')} / "
                            f"{rate('streamal_events_accepted_total', 'pipeline')}",
                            "{{pipeline}} actual",
                        ),
                    ],
                    Unit.SHARE,
                ),
                Panel(
                    "Routed by rule",
                    "Exploration is what keeps estimates unbiased; it never stops.",
                    [Query(f"streamal:routed:rate5m{{{CHOSEN}}}", "{{pipeline}} {{reason}}")],
                    Unit.PER_SECOND,
                ),
            ],
        ),
    ],
)
