"""Shows how the people are doing: at every heartbeat, from the pending view."""

from __future__ import annotations

import math

from streamal.core.estimation import Estimate
from streamal.events import Heartbeat
from streamal.state.workforce import Workforce
from streamal.telemetry.metrics import Metrics

__all__ = ["noise_dominates", "show_workforce", "with_workforce"]


def noise_dominates(workforce: Workforce, production: Estimate) -> bool:
    """Whether wrong answers may move the accuracy estimate by more than its interval allows.

    A share e of wrong final answers moves a measured accuracy by at most e; the interval speaks of
    sampling alone.
    """
    interval = production.interval
    half_width = (interval.high - interval.low) / 2
    return workforce.answer_noise is not None and workforce.answer_noise > half_width


def with_workforce(heartbeat: Heartbeat, workforce: Workforce, production: Estimate) -> Heartbeat:
    """The heartbeat with what `streamal inspect` says about the people."""
    return heartbeat.model_copy(
        update={
            "quarantined": workforce.quarantined,
            "disputes": workforce.disputes,
            "annotator_alpha": workforce.alpha,
            "answer_noise": workforce.answer_noise,
            "noise_dominates": noise_dominates(workforce, production),
        }
    )


def show_workforce(
    metrics: Metrics, workforce: Workforce, production: Estimate, series: int
) -> None:
    """Set the gauges.

    Args:
        metrics: where.
        workforce: what.
        production: the accuracy estimate that noise may dominate.
        series: how many annotators are shown by name, those with most answers first.
    """
    metrics.annotators_quarantined.set(workforce.quarantined)
    metrics.labels_held.set(workforce.held)
    metrics.disputes_open.set(workforce.disputes)
    metrics.annotator_alpha.set(_or_nan(workforce.alpha))
    metrics.annotator_noise.set(_or_nan(workforce.annotator_noise))
    metrics.answer_noise.set(_or_nan(workforce.answer_noise))
    metrics.noise_dominates.set(noise_dominates(workforce, production))
    for gauge in (metrics.annotator_agreement, metrics.annotator_kappa, metrics.annotator_answers):
        gauge.clear()
    for annotator in workforce.annotators[:series]:
        metrics.annotator_answers.labels(annotator=annotator.name).set(annotator.answers)
        if annotator.agreement is not None:
            metrics.annotator_agreement.labels(annotator=annotator.name).set(annotator.agreement)
        if annotator.name in workforce.kappas:
            kappa = workforce.kappas[annotator.name]
            metrics.annotator_kappa.labels(annotator=annotator.name).set(kappa)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
