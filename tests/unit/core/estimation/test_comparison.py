from __future__ import annotations

import math

import numpy as np
import pytest

from streamal.core.estimation import (
    AccuracyTracker,
    Comparison,
    LabelledItems,
    Target,
    WindowTotals,
)
from streamal.core.estimation.measurement import Measurement


def measured(rng: np.random.Generator, events: int, accuracy: float) -> Measurement:
    """A window of as many events, a tenth of them labelled."""
    correct = (rng.random(events) < accuracy).astype(float)
    drawn = rng.random(events) < 0.1
    items = LabelledItems.of(correct[drawn], [0.8] * drawn.sum(), [0.1] * drawn.sum())
    tracker = AccuracyTracker(least_propensity=0.1, target=Target.EXPECTED)
    return tracker.take(WindowTotals(events, 0.8 * events), items, {})


def test_without_labels_nothing_is_claimed() -> None:
    comparison = Comparison()
    found = comparison.difference()
    assert math.isnan(found.value)
    assert (found.fixed.low, found.fixed.high) == (-1.0, 1.0)
    comparison.close(Measurement(), Measurement(events=10.0))
    assert not comparison.difference().is_worse


def test_the_sequence_waits_for_labels_of_both() -> None:
    rng, comparison = np.random.default_rng(1), Comparison()
    comparison.close(measured(rng, 100, 0.8), measured(rng, 5_000, 0.8))
    assert comparison.difference().anytime.half_width == 1.0
    assert comparison.difference().fixed.half_width < 0.9


def test_intervals_cover_and_the_sequence_does_so_at_all_times() -> None:
    rng, truth, covered, held = np.random.default_rng(2), -0.1, 0, 0
    for _ in range(250):
        comparison, always = Comparison(), True
        for share in (0.05, 0.1, 0.3, 0.5, 0.5, 0.5):
            size = int(3_000 * share)
            base = rng.uniform(0.8, 0.95)  # the world changes, for both alike
            comparison.close(measured(rng, size, base + truth), measured(rng, 3_000 - size, base))
            always &= comparison.difference().anytime.covers(truth)
        covered += comparison.difference().fixed.covers(truth)
        held += always
    assert covered / 250 == pytest.approx(0.95, abs=0.035)
    assert held / 250 >= 0.95
