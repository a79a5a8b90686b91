"""When noise in the answers says more than the interval of the estimate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamal.core.estimation import AccuracyTracker, LabelledItems, Response, WindowTotals
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker
from streamal.events import Heartbeat
from streamal.roles.workforce import noise_dominates, show_workforce, with_workforce
from streamal.state.workforce import Workforce
from streamal.telemetry import Metrics

NOBODY = Workforce((), {}, None, None, None, 0, 0, 0)


def tracker(windows: int) -> AccuracyTracker:
    """Windows of 1000 events, of which 200 were labelled at random."""
    found = AccuracyTracker(level=0.95)
    for window in range(windows):
        correct = [(number + window) % 10 > 0 for number in range(200)]
        items = LabelledItems.of(correct, [0.9] * 200, [0.2] * 200, ["exploration"] * 200)
        found.close(WindowTotals(1000, 900.0), items, {"exploration": Response(200, 200)})
    return found


def test_nothing_is_said_without_noise_or_with_little_data() -> None:
    assert not noise_dominates(NOBODY, tracker(50).anytime())
    assert not noise_dominates(replace(NOBODY, answer_noise=0.2), tracker(0).anytime())


@pytest.mark.parametrize(("noise", "dominates"), [(0.0001, False), (0.2, True)])
def test_noise_is_held_against_the_width_of_the_interval(noise: float, dominates: bool) -> None:
    estimate = tracker(50).anytime()
    assert 0.001 < (estimate.interval.high - estimate.interval.low) / 2 < 0.1
    workforce = replace(NOBODY, answer_noise=noise, alpha=0.5, quarantined=2)
    assert noise_dominates(workforce, estimate) is dominates
    heartbeat = Heartbeat.model_validate({"sent_at": "2026-01-01T00:00:00Z", "pending": 0})
    told = with_workforce(heartbeat, workforce, estimate)
    assert (told.noise_dominates, told.answer_noise, told.quarantined) == (dominates, noise, 2)
    metrics = Metrics("noise")
    show_workforce(metrics, workforce, estimate, 20)
    assert metrics.value("streamal_accuracy_noise_dominated") == dominates
    assert metrics.value("streamal_annotator_alpha") == 0.5


@pytest.mark.parametrize(("noise", "dominates"), [(0.01, False), (1.5, True)])
def test_in_a_regression_noise_is_held_against_the_interval_of_the_error(
    noise: float, dominates: bool
) -> None:
    losses = LossTracker(least_propensity=0.2)
    for _ in range(50):
        found = [float(number % 7) for number in range(200)]
        losses.close(LossTotals(1000), LabelledLosses(found, [0.0] * 200, [0.2] * 200), {})
    error = losses.anytime()
    assert 0.01 < error.interval.half_width < 1.0
    # What is said of classes counts for nothing here.
    workforce = replace(NOBODY, answer_noise=1.0, answer_error=noise)
    accuracy = tracker(50).anytime()
    assert noise_dominates(workforce, accuracy, error) is dominates
    heartbeat = Heartbeat.model_validate({"sent_at": "2026-01-01T00:00:00Z", "pending": 0})
    told = with_workforce(heartbeat, workforce, accuracy, error)
    assert (told.noise_dominates, told.answer_error) == (dominates, noise)
    metrics = Metrics("noise")
    show_workforce(metrics, workforce, accuracy, 20, error)
    assert metrics.value("streamal_accuracy_noise_dominated") == dominates
    assert metrics.value("streamal_answer_absolute_error") == noise
