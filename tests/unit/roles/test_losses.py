"""The mean absolute error beside the accuracy."""

from __future__ import annotations

import math

import pytest

from streamal.roles.losses import Losses, LossOptions
from streamal.state.measures import ReviewOutcome, WindowTotals

OPTIONS = LossOptions(level=0.95, least_propensity=0.01, bound=None)


def outcome(
    number: int, truth: float | None, production: float = 10.0, model: float | None = None
) -> ReviewOutcome:
    return ReviewOutcome(
        event_id=f"e{number}",
        occurred_at=0.0,
        decided_at=0.0,
        expires_at=9.0,
        propensity=0.5,
        expected_correct=0.5,
        reason="exploration",
        production_label=None,
        model_label=None,
        label=None,
        value=truth,
        answered_at=None if truth is None else 1.0,
        production_value=production,
        model_value=model,
        tolerance=1.0,
        expected_loss=2.0,
    )


def totals(events: int, expected: float = 2.0) -> WindowTotals:
    return WindowTotals(0.0, 60.0, events, 0, 0, 0.0, 0.0, events * expected)


def test_before_the_first_window_there_is_no_report() -> None:
    assert Losses(OPTIONS).report() is None


def test_nothing_labelled_is_nothing_known() -> None:
    losses = Losses(OPTIONS)
    losses.close(totals(100), [outcome(1, None)])
    report = losses.report()
    assert report is not None
    assert (report.production.value, report.production.high) == (None, None)
    assert report.model.value is None


def test_production_and_a_model_that_always_spoke() -> None:
    losses = Losses(OPTIONS)
    for start in range(4):
        found = [outcome(100 * start + n, 12.0, model=11.5) for n in range(50)]
        losses.close(totals(100), found)
    report = losses.report()
    assert report is not None
    assert report.window.value == pytest.approx(2.0, abs=0.1)
    assert report.production.value == pytest.approx(2.0, abs=0.1)
    assert report.model.value == pytest.approx(0.5, abs=0.1)
    assert report.production.events == report.model.events == 400


def test_a_window_speaks_for_itself_and_all_of_them_for_the_whole() -> None:
    losses = Losses(OPTIONS)
    first = losses.close(totals(100), [outcome(n, 12.0, model=12.0) for n in range(50)])
    second = losses.close(totals(100), [outcome(n, 14.0, model=None) for n in range(50)])
    assert first.production.value == pytest.approx(2.0, abs=0.1)
    assert first.model is not None
    assert first.model.value == pytest.approx(0.0, abs=0.1)
    assert second.production.value == pytest.approx(4.0, abs=0.1)
    assert second.model is None
    overall = losses.overall().production
    assert overall.value == pytest.approx(3.0, abs=0.1)
    assert overall.events == 200
    assert overall.interval.low < 3.0 < overall.interval.high
    anytime = losses.production.anytime()
    assert overall.interval.half_width < anytime.interval.half_width


def test_a_model_that_was_silent_at_first_speaks_for_the_rest_only() -> None:
    losses = Losses(OPTIONS)
    found = [outcome(n, 12.0, model=None if n < 25 else 11.0) for n in range(50)]
    losses.close(totals(100), found)
    losses.close(totals(100), [outcome(n, 12.0) for n in range(50)])
    report = losses.report()
    assert report is not None
    assert report.model.labelled == 25
    assert report.model.value == pytest.approx(1.0, abs=0.1)
    assert report.model.events == 50, "as many as the labelled ones stand for"


def test_lost_increments_leave_the_weights() -> None:
    losses = Losses(OPTIONS)
    losses.close(totals(3), [outcome(n, 12.0) for n in range(50)])
    report = losses.report()
    assert report is not None
    assert report.production.events == 100
    assert math.isclose(report.production.value or 0.0, 2.0)
