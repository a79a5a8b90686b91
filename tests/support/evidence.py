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
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker

__all__ = ["FLOOR", "loss_windows", "top_share", "uniform", "windows"]

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


def loss_windows(
    count: int,
    mean: Callable[[int], float],
    gate: Callable[[int], Callable[[FloatArray], FloatArray]],
    *,
    tail: float = 1.0,
    events: int = 1000,
    seed: int = 0,
) -> Iterator[Evidence]:
    """Evidence of `count` windows of a regression, whose losses g explains in part.

    Args:
        count: windows.
        mean: mean absolute error in each window.
        gate: from each item's doubt to its propensity, for each window.
        tail: shape of the losses around what is expected of each: standard deviation of their
            logarithm; 1 is as heavy as errors of prices are.
        events: in a window.
        seed: of everything random.
    """
    random = default_rng(seed)
    tracker = LossTracker(least_propensity=FLOOR, target=Target.EXPECTED)
    for window in range(count):
        doubt = mean(window) * random.gamma(2.0, 0.5, events)
        loss = doubt * random.lognormal(-(tail**2) / 2, tail, events)
        expected = doubt * random.uniform(0.5, 1.5, events)
        propensity = gate(window)(expected)
        drawn = random.random(events) < propensity
        estimate = tracker.close(
            LossTotals(events, float(expected.sum())),
            LabelledLosses(
                loss[drawn].tolist(), expected[drawn].tolist(), propensity[drawn].tolist()
            ),
            {},
        )
        yield Evidence(
            events=estimate.events,
            errors=estimate.events * estimate.raw if estimate.labelled else 0.0,
            variance=(estimate.events * estimate.standard_error) ** 2 if estimate.labelled else 0.0,
            effective_labels=estimate.effective_labels,
            error_size=tracker.typical,
        )
