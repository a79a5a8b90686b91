"""How well production and the online model are doing, window by window, without bias.

A function of the pending view: each matured window is closed once, in time order, and estimated
with the propensities that its decisions recorded. A new leader closes the old windows again, but
reports only those that matured after the last heartbeat, which was written in the same transaction
as the report before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streamal.core.estimation import (
    AccuracyShift,
    AccuracyTracker,
    Estimate,
    LabelledItems,
    Response,
    Shift,
    WindowTotals,
)
from streamal.events import DriftEvent
from streamal.state.measures import ReviewMeasures, ReviewOutcome
from streamal.state.measures import WindowTotals as WindowSums
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
    """

    pipeline: str
    label_horizon_seconds: float
    level: float
    least_propensity: float | None


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What one matured window says.

    Attributes:
        window_start: first instant, seconds since the epoch.
        production: production's accuracy in the window.
        model: the online model's, by what it predicted at decision time.
        drift: the change that the window shows; None when there is none.
    """

    window_start: float
    production: Estimate
    model: Estimate
    drift: DriftEvent | None


class Quality:
    """Closes windows as they mature.

    Args:
        options: settings.
        measures: what the pending view can be asked.
        metrics: shows the latest window.
    """

    def __init__(self, options: QualityOptions, measures: ReviewMeasures, metrics: Metrics) -> None:
        self._options = options
        self._measures = measures
        self._metrics = metrics
        self._closed_until = 0.0
        self.production = self._tracker()
        self.model = self._tracker()
        self._shift = AccuracyShift(least_propensity=options.least_propensity)

    def advance(self, now: float) -> list[WindowReport]:
        """Close the windows that have matured by `now` (seconds since the epoch), oldest first."""
        horizon = now - self._options.label_horizon_seconds
        matured = self._measures.windows(self._closed_until, horizon)
        reports = [self._close(window, now) for window in matured]
        if reports:
            self._show()
        return reports

    def _close(self, window: WindowSums, now: float) -> WindowReport:
        end = window.window_start + window.window_seconds
        self._closed_until = end
        outcomes = self._measures.outcomes(
            window.window_start, end, horizon_seconds=self._options.label_horizon_seconds
        )
        responses = _responses(outcomes)
        items = _labelled(outcomes, _production_correct, use_expectation=True)
        totals = _totals(window, len(items))
        shift = self._shift.close(totals, items, responses)
        return WindowReport(
            window_start=window.window_start,
            production=self.production.close(totals, items, responses),
            model=self.model.close(
                WindowTotals(totals.events) if totals else None,
                _labelled(outcomes, _model_correct, use_expectation=False),
                responses,
            ),
            drift=None if shift is None else self._drift(shift, window, now),
        )

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

    def _show(self) -> None:
        for gauge, tracker in (
            (self._metrics.production_accuracy, self.production),
            (self._metrics.model_accuracy, self.model),
        ):
            estimate = tracker.anytime()
            gauge.labels(kind="estimate").set(estimate.value)
            gauge.labels(kind="low").set(estimate.interval.low)
            gauge.labels(kind="high").set(estimate.interval.high)
            gauge.labels(kind="naive").set(estimate.naive)


def _totals(window: WindowSums, labelled: int) -> WindowTotals | None:
    """The window's sums; None when increments of it are gone, and weights must do without."""
    if window.reachable < labelled:
        return None
    return WindowTotals(window.reachable, min(window.sum_expected_correct, window.reachable))


def _production_correct(outcome: ReviewOutcome) -> bool:
    return bool(outcome.production_correct)


def _model_correct(outcome: ReviewOutcome) -> bool:
    """A model that knew nothing yet was not right."""
    return bool(outcome.model_correct)


def _labelled(
    outcomes: Sequence[ReviewOutcome],
    correct: Callable[[ReviewOutcome], bool],
    *,
    use_expectation: bool,
) -> LabelledItems:
    answered = [outcome for outcome in outcomes if outcome.label is not None]
    return LabelledItems.of(
        [correct(outcome) for outcome in answered],
        [outcome.expected_correct if use_expectation else 0.0 for outcome in answered],
        [outcome.propensity for outcome in answered],
        [outcome.reason for outcome in answered],
    )


def _responses(outcomes: Sequence[ReviewOutcome]) -> dict[str, Response]:
    """Reviews and answers by the rule that routed them: response may well depend on it."""
    asked = Counter(outcome.reason for outcome in outcomes)
    answered = Counter(outcome.reason for outcome in outcomes if outcome.label is not None)
    return {reason: Response(count, answered[reason]) for reason, count in asked.items()}
