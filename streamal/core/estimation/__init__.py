"""Honest accuracy from selectively labelled events: estimates, intervals, and their running state.

Reviewed items are chosen because they look wrong, so their plain mean is biased. Every decision
recorded its propensity; weighting by its inverse undoes the choice. Pure: numpy, no clocks, no I/O.
"""

from streamal.core.estimation.baseline import Baseline, BaselineFit
from streamal.core.estimation.classes import ClassEstimate, ClassTracker
from streamal.core.estimation.comparison import Comparison, Difference
from streamal.core.estimation.inclusion import (
    ResponseHistory,
    inclusion_probability,
    response_rate,
)
from streamal.core.estimation.intervals import difference
from streamal.core.estimation.latency import LatencyDistribution, kaplan_meier
from streamal.core.estimation.segments import OTHER, Cell, SegmentTracker
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
    "OTHER",
    "AccuracyShift",
    "AccuracyTracker",
    "Baseline",
    "BaselineFit",
    "Cell",
    "ClassEstimate",
    "ClassTracker",
    "Comparison",
    "Difference",
    "Estimate",
    "FloatArray",
    "Interval",
    "LabelledItems",
    "LatencyDistribution",
    "Method",
    "Response",
    "ResponseHistory",
    "Responses",
    "SegmentTracker",
    "Shift",
    "Target",
    "WindowTotals",
    "difference",
    "estimate_window",
    "inclusion_probability",
    "kaplan_meier",
    "response_rate",
]
