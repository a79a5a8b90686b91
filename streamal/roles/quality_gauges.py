"""Shows the estimates as gauges; a segment or class that is followed no more is shown no more."""

from __future__ import annotations

import math
from collections.abc import Iterator

from streamal.core.estimation import Estimate
from streamal.events import (
    ComparedLoss,
    LossQuality,
    QualityReport,
    Reported,
    ReportedLoss,
)
from streamal.telemetry import Metrics

__all__ = ["QualityGauges"]


class QualityGauges:
    """The gauges of the leading trainer's estimates.

    Args:
        metrics: of this process.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def show(self, report: QualityReport, production: Estimate, model: Estimate) -> None:
        """Show what is known now.

        Args:
            report: all estimates.
            production: production's over all windows, with its anytime interval.
            model: the online model's.
        """
        metrics = self._metrics
        for gauge, estimate in (
            (metrics.production_accuracy, production),
            (metrics.model_accuracy, model),
        ):
            gauge.labels(kind="estimate").set(estimate.value)
            gauge.labels(kind="low").set(estimate.interval.low)
            gauge.labels(kind="high").set(estimate.interval.high)
            gauge.labels(kind="naive").set(estimate.naive)
        metrics.show(metrics.window_accuracy, dict(_series(report.window)))
        metrics.window_labels.set(report.window.labelled)
        self._show_parts(report)
        if report.loss is not None:
            self._show_losses(report.loss)
            self._show_segment_losses(report)

    def _show_losses(self, losses: LossQuality) -> None:
        for gauge, estimate in (
            (self._metrics.production_error, losses.production),
            (self._metrics.window_error, losses.window),
            (self._metrics.model_error, losses.model),
        ):
            gauge.labels(kind="estimate").set(_known(estimate.value))
            gauge.labels(kind="low").set(estimate.low)
            gauge.labels(kind="high").set(math.inf if estimate.high is None else estimate.high)
            gauge.labels(kind="naive").set(_known(estimate.naive))

    def _show_segment_losses(self, report: QualityReport) -> None:
        metrics = self._metrics
        metrics.show(
            metrics.segment_error,
            {
                labels: value
                for each in report.segments
                if each.loss is not None
                for labels, value in _loss_series(each.loss, each.segment, each.value)
            },
        )
        metrics.show(
            metrics.segment_error_difference,
            {
                labels: value
                for each in report.differences
                if each.loss is not None
                for labels, value in _compared(each.loss, each.segment, each.value, each.reference)
            },
        )

    def _show_parts(self, report: QualityReport) -> None:
        metrics = self._metrics
        metrics.show(
            metrics.segment_accuracy,
            {
                labels: value
                for each in report.segments
                for labels, value in _series(each.accuracy, each.segment, each.value)
            },
        )
        metrics.show(
            metrics.segment_difference,
            {
                labels: value
                for each in report.differences
                for labels, value in _series(
                    each.difference, each.segment, each.value, each.reference
                )
            },
        )
        for gauge, known in (
            (metrics.class_precision, {each.name: each.precision for each in report.classes}),
            (metrics.class_recall, {each.name: each.recall for each in report.classes}),
        ):
            found = (_series(part, name) for name, part in known.items() if part.value is not None)
            metrics.show(gauge, {labels: value for part in found for labels, value in part})
        metrics.show(
            metrics.class_predicted,
            {(each.name,): each.precision.events for each in report.classes},
        )


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _series(part: Reported, *labels: str) -> Iterator[tuple[tuple[str, ...], float]]:
    yield (*labels, "estimate"), _known(part.value)
    yield (*labels, "low"), part.low
    yield (*labels, "high"), part.high


def _loss_series(part: ReportedLoss, *labels: str) -> Iterator[tuple[tuple[str, ...], float]]:
    yield (*labels, "estimate"), _known(part.value)
    yield (*labels, "low"), part.low
    yield (*labels, "high"), math.inf if part.high is None else part.high


def _compared(part: ComparedLoss, *labels: str) -> Iterator[tuple[tuple[str, ...], float]]:
    yield (*labels, "estimate"), _known(part.value)
    yield (*labels, "low"), -math.inf if part.low is None else part.low
    yield (*labels, "high"), math.inf if part.high is None else part.high
