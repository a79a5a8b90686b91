"""How well production and the online model are doing, window by window, without bias.

A function of the pending view: each matured window is closed once, in time order, and estimated
with the propensities that its decisions recorded. A new leader closes the old windows again, but
reports only those that matured after the last heartbeat, which was written in the same transaction
as the report before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from streamal.core.estimation import (
    AccuracyShift,
    AccuracyTracker,
    Estimate,
    Shift,
    WindowTotals,
)
from streamal.events import DriftEvent, QualityReport
from streamal.roles.breakdown import Breakdown, reported
from streamal.roles.closed_window import ClosedWindow
from streamal.roles.evidence import (
    labelled_items,
    model_correct,
    model_foresaw,
    production_correct,
    responses,
    totals,
)
from streamal.roles.losses import (
    Losses,
    LossEstimates,
    LossOptions,
    loss_totals,
    production_losses,
)
from streamal.roles.quality_gauges import QualityGauges
from streamal.state.measures import ReviewMeasures
from streamal.state.measures import WindowTotals as WindowSums
from streamal.state.segments import SegmentView
from streamal.telemetry import Metrics

__all__ = ["Quality", "QualityOptions", "WindowReport"]


@dataclass(frozen=True, slots=True)
class QualityOptions:
    """Settings of estimation.

    Attributes:
        pipeline: name of the pipeline.
        label_horizon_seconds: how long after a decision a label still counts for estimates.
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force; None when there is none.
        segment_limits: key to the number of its values that are told apart.
        learns_errors: whether the online model predicts if production is right (`target = error`).
        losses: how the errors of a regression are estimated; None in a classification.
    """

    pipeline: str
    label_horizon_seconds: float
    level: float
    least_propensity: float | None
    segment_limits: Mapping[str, int] = field(default_factory=dict)
    learns_errors: bool = False
    losses: LossOptions | None = None


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What one matured window says.

    Attributes:
        window: all that it was estimated from.
        production: production's accuracy in the window.
        model: the online model's, by what it predicted at decision time.
        drift: the change that the window shows; None when there is none.
        losses: mean absolute errors in the window; None in a classification.
    """

    window: ClosedWindow
    production: Estimate
    model: Estimate
    drift: DriftEvent | None
    losses: LossEstimates | None = None

    @property
    def window_start(self) -> float:
        """First instant, seconds since the epoch."""
        return self.window.start


class Quality:
    """Closes windows as they mature.

    Args:
        options: settings.
        measures: what the pending view can be asked.
        segments: what was counted in each segment.
        metrics: shows the estimates.
        since: earliest window that counts, by its first instant in seconds since the epoch.
    """

    def __init__(
        self,
        options: QualityOptions,
        measures: ReviewMeasures,
        segments: SegmentView,
        metrics: Metrics,
        since: float = 0.0,
    ) -> None:
        self._options = options
        self._measures = measures
        self._gauges = QualityGauges(metrics)
        self._closed_until = since
        self._breakdown = Breakdown(
            segments,
            options.segment_limits,
            level=options.level,
            least_propensity=options.least_propensity,
            losses=options.losses,
        )
        self._model_correct = model_foresaw if options.learns_errors else model_correct
        #: All estimates; None before a window matured.
        self.report: QualityReport | None = None
        self.production = self._tracker()
        self.model = self._tracker()
        #: The mean absolute errors; None in a classification.
        self.losses = None if options.losses is None else Losses(options.losses)
        if options.losses is not None and options.losses.objective is not None:
            metrics.error_objective.set(options.losses.objective)
        self._shift = AccuracyShift(least_propensity=options.least_propensity)
        self._production_since_drift = self._tracker()
        self._model_since_drift = self._tracker()

    def advance(self, now: float) -> list[WindowReport]:
        """Close the windows that have matured by `now` (seconds since the epoch), oldest first."""
        horizon = now - self._options.label_horizon_seconds
        matured = self._measures.windows(self._closed_until, horizon)
        reports = [self._close(window, now) for window in matured]
        if reports:
            self.report = self._report(matured[-1], reports[-1])
            self._gauges.show(self.report, self.production.anytime(), self.model.anytime())
        return reports

    def _report(self, window: WindowSums, last: WindowReport) -> QualityReport:
        return QualityReport(
            window_start=datetime.fromtimestamp(window.window_start, UTC),
            window_seconds=window.window_seconds,
            window=reported(last.production),
            production=reported(self.production.anytime()),
            model=reported(self.model.anytime()),
            segments=tuple(self._breakdown.segments()),
            differences=tuple(self._breakdown.differences()),
            classes=tuple(self._breakdown.classes()),
            loss=None if self.losses is None else self.losses.report(),
            production_at_least=_at_least(self._production_since_drift),
            model_at_least=_at_least(self._model_since_drift),
        )

    def _close(self, window: WindowSums, now: float) -> WindowReport:
        end = window.window_start + window.window_seconds
        self._closed_until = end
        outcomes = self._measures.outcomes(
            window.window_start, end, horizon_seconds=self._options.label_horizon_seconds
        )
        answers = responses(outcomes)
        items = labelled_items(outcomes, production_correct, use_expectation=True)
        sums = totals(window.reachable, window.sum_expected_correct, len(items))
        self._breakdown.close(window, outcomes)
        losses = None if self.losses is None else self.losses.close(window, outcomes)
        shift = self._shift.close(sums, items, answers)
        if shift is not None:
            self._production_since_drift, self._model_since_drift = self._tracker(), self._tracker()
        production = (sums, items, answers)
        model = (
            WindowTotals(sums.events) if sums else None,
            labelled_items(outcomes, self._model_correct, use_expectation=False),
            answers,
        )
        self._production_since_drift.close(*production)
        self._model_since_drift.close(*model)
        return WindowReport(
            window=self._closed(
                ClosedWindow(
                    start=window.window_start,
                    seconds=window.window_seconds,
                    totals=sums,
                    items=items,
                    responses=answers,
                    outcomes=tuple(outcomes),
                ),
                window,
            ),
            production=self.production.close(*production),
            model=self.model.close(*model),
            drift=None if shift is None else self._drift(shift, window, now),
            losses=losses,
        )

    def _closed(self, closed: ClosedWindow, window: WindowSums) -> ClosedWindow:
        """With its losses in a regression."""
        if self.losses is None:
            return closed
        losses = production_losses(closed.outcomes)
        return replace(closed, losses=losses, loss_totals=loss_totals(window, losses))

    def _tracker(self) -> AccuracyTracker:
        return AccuracyTracker(
            level=self._options.level, least_propensity=self._options.least_propensity
        )

    def _drift(self, shift: Shift, window: WindowSums, now: float) -> DriftEvent:
        return DriftEvent(
            pipeline=self._options.pipeline,
            detector="accuracy_shift",
            cause=f"production's accuracy went from {shift.before:.1%} to {shift.after:.1%}",
            harmful=shift.is_harmful,
            statistic=shift.after - shift.before,
            low=shift.change.low,
            high=shift.change.high,
            window_start=datetime.fromtimestamp(window.window_start, UTC),
            window_seconds=window.window_seconds,
            detected_at=datetime.fromtimestamp(now, UTC),
        )


def _at_least(tracker: AccuracyTracker) -> float:
    """The accuracy that is reached for sure, however often one looks."""
    return min(1.0, max(0.0, tracker.anytime().interval.low))
