"""Honest accuracy from selectively labelled events: estimates, intervals, and their running state.

Reviewed items are chosen because they look wrong, so their plain mean is biased. Every decision
recorded its propensity; weighting by its inverse undoes the choice. Pure: numpy, no clocks, no I/O.
"""

from streamal.core.estimation.baseline import Baseline, BaselineFit
from streamal.core.estimation.inclusion import (
    ResponseHistory,
    inclusion_probability,
    response_rate,
)
from streamal.core.estimation.intervals import difference
from streamal.core.estimation.shift import AccuracyShift, Shift
from streamal.core.estimation.tracker import AccuracyTracker
from streamal.core.estimation.values import (
    Estimate,
    FloatArray,
    Interval,
    LabelledItems,
    Method,
    Response,
    Responses,
    Target,
    WindowTotals,
)
from streamal.core.estimation.window import estimate_window

__all__ = [
    "AccuracyShift",
    "AccuracyTracker",
    "Baseline",
    "BaselineFit",
    "Estimate",
    "FloatArray",
    "Interval",
    "LabelledItems",
    "Method",
    "Response",
    "ResponseHistory",
    "Responses",
    "Shift",
    "Target",
    "WindowTotals",
    "difference",
    "estimate_window",
    "inclusion_probability",
    "response_rate",
]
