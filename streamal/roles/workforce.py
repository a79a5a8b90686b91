"""Shows how the people are doing: at every heartbeat, from the pending view."""

from __future__ import annotations

import math

from streamal.core.estimation import Estimate
from streamal.events import Heartbeat
from streamal.state.measures import ReviewMeasures
from streamal.state.workforce import Workforce
from streamal.telemetry.metrics import Metrics

__all__ = ["noise_dominates", "show_responses", "show_workforce", "with_workforce"]

#: Shares of all reviews whose time to an answer is shown.
_LATENCY_SHARES = (0.5, 0.9)


def noise_dominates(
    workforce: Workforce, production: Estimate, error: Estimate | None = None
) -> bool:
    """Whether wrong answers may move the estimate of production by more than its interval allows.

    A share e of wrong final answers moves a measured accuracy by at most e, and answers that are
    off by d on average a mean absolute error by at most d; the intervals speak of sampling alone.

    Args:
        workforce: how noisy answers are.
        production: production's accuracy.
        error: in a regression, production's mean absolute error.
    """
    if error is not None:
        noise, width = workforce.answer_error, error.interval.half_width
    else:
        noise, width = workforce.answer_noise, production.interval.half_width
    return noise is not None and noise > width


def with_workforce(
    heartbeat: Heartbeat,
    workforce: Workforce,
    production: Estimate,
    error: Estimate | None = None,
) -> Heartbeat:
    """The heartbeat with what `streamal inspect` says about the people."""
    return heartbeat.model_copy(
        update={
            "quarantined": workforce.quarantined,
            "disputes": workforce.disputes,
            "annotator_alpha": workforce.alpha,
            "answer_noise": workforce.answer_noise,
            "answer_error": workforce.answer_error,
            "noise_dominates": noise_dominates(workforce, production, error),
        }
    )


def show_workforce(
    metrics: Metrics,
    workforce: Workforce,
    production: Estimate,
    series: int,
    error: Estimate | None = None,
) -> None:
    """Set the gauges.

    Args:
        metrics: where.
        workforce: what.
        production: the accuracy estimate that noise may dominate.
        series: how many annotators are shown by name, those with most answers first.
        error: in a regression, the mean absolute error, which it may dominate instead.
    """
    metrics.annotators_quarantined.set(workforce.quarantined)
    metrics.labels_held.set(workforce.held)
    metrics.disputes_open.set(workforce.disputes)
    metrics.annotator_alpha.set(_or_nan(workforce.alpha))
    metrics.annotator_noise.set(_or_nan(workforce.annotator_noise))
    metrics.answer_noise.set(_or_nan(workforce.answer_noise))
    metrics.answer_error.set(_or_nan(workforce.answer_error))
    metrics.noise_dominates.set(noise_dominates(workforce, production, error))
    for gauge in (metrics.annotator_agreement, metrics.annotator_kappa, metrics.annotator_answers):
        gauge.clear()
    for annotator in workforce.annotators[:series]:
        metrics.annotator_answers.labels(annotator=annotator.name).set(annotator.answers)
        if annotator.agreement is not None:
            metrics.annotator_agreement.labels(annotator=annotator.name).set(annotator.agreement)
        if annotator.name in workforce.kappas:
            kappa = workforce.kappas[annotator.name]
            metrics.annotator_kappa.labels(annotator=annotator.name).set(kappa)


def show_responses(metrics: Metrics, measures: ReviewMeasures, now: float) -> None:
    """Set the gauges of who answers, and how soon; `now` in epoch seconds."""
    rates = measures.response_rates(now)
    metrics.show(metrics.response_by_reason, {(name,): rate for name, rate in rates.items()})
    latencies = measures.latencies(now)
    reached = {share: latencies.quantile(share) for share in _LATENCY_SHARES}
    metrics.show(
        metrics.label_latency_reached,
        {(f"{share:g}",): known for share, known in reached.items() if known is not None},
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
