"""Windows of a simulated stream as a gate leaves them behind, for tests of drift detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator, default_rng

from streamal.core.drift import Evidence
from streamal.core.estimation import (
    AccuracyTracker,
    FloatArray,
    LabelledItems,
    Target,
    WindowTotals,
)

__all__ = ["FLOOR", "top_share", "uniform", "windows"]

#: Exploration floor of all gates here.
FLOOR = 0.01


def top_share(budget: float) -> Callable[[FloatArray], FloatArray]:
    """Routes the items that look worst for sure, and the others by the floor."""

    def propensities(doubt: FloatArray) -> FloatArray:
        return np.where(doubt >= np.quantile(doubt, 1 - budget), 1.0, FLOOR)

    return propensities


def uniform(budget: float) -> Callable[[FloatArray], FloatArray]:
    """Routes every item with the same probability."""
    return lambda doubt: np.full(len(doubt), budget)


def windows(
    count: int,
    risk: Callable[[int], float],
    gate: Callable[[int], Callable[[FloatArray], FloatArray]],
    *,
    events: int = 1000,
    seed: int = 0,
) -> Iterator[Evidence]:
    """Evidence of `count` windows of `events` events.

    Args:
        count: windows.
        risk: P(production is wrong) in each window.
        gate: from each item's doubt to its propensity, for each window.
        events: in a window.
        seed: of everything random.
    """
    random = default_rng(seed)
    tracker = AccuracyTracker(least_propensity=FLOOR, target=Target.EXPECTED)
    for window in range(count):
        yield _window(tracker, events, risk(window), gate(window), random)


def _window(
    tracker: AccuracyTracker,
    events: int,
    risk: float,
    gate: Callable[[FloatArray], FloatArray],
    random: Generator,
) -> Evidence:
    doubt = random.beta(1, 1 / risk - 1, events)
    wrong = random.random(events) < doubt
    expected = 1 - np.clip(doubt * random.uniform(0.5, 1.5, events), 0, 1)
    propensity = gate(doubt)
    draws = random.random(events)
    routed = draws < propensity
    estimate = tracker.close(
        WindowTotals(events, float(expected.sum())),
        LabelledItems.of(1.0 - wrong[routed], expected[routed], propensity[routed]),
        {},
    )
    return Evidence(
        events=estimate.events,
        errors=estimate.events * (1 - estimate.raw),
        variance=(estimate.events * estimate.standard_error) ** 2,
        effective_labels=estimate.effective_labels,
        uniform_errors=tuple(bool(error) for error in wrong[routed & (draws < FLOOR)]),
    )
