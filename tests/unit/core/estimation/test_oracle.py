"""The same windows, estimated by somebody else: glide-py's active statistical inference.

Its answers are recorded by tests/support/record_glide.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamal.core.estimation import (
    Baseline,
    LabelledItems,
    Target,
    WindowTotals,
    estimate_window,
)

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("glide.json").read_text())[
    "cases"
]
EACH = pytest.mark.parametrize(
    ("case", "answer"),
    [(case, answer) for case in CASES for answer in case["answers"]],
    ids=[f"window-{number}-{how}" for number in range(3) for how in ("plain", "tuned")],
)


def window(case: dict[str, Any]) -> tuple[WindowTotals, LabelledItems]:
    labelled = np.array(case["labelled"], dtype=bool)
    outcome, predicted = np.array(case["outcome"]), np.array(case["predicted"])
    items = LabelledItems.of(
        outcome[labelled], predicted[labelled], np.array(case["propensity"])[labelled]
    )
    return WindowTotals(len(labelled), float(predicted.sum())), items


@EACH
def test_the_estimate_is_the_same(case: dict[str, Any], answer: dict[str, float]) -> None:
    baseline = Baseline(intercept=0.0, slope=answer["lambda"])
    estimate = estimate_window(*window(case), {}, baseline)
    assert estimate.raw == pytest.approx(answer["mean"], abs=1e-12)


@EACH
def test_so_is_its_uncertainty(case: dict[str, Any], answer: dict[str, float]) -> None:
    """Glide takes the spread of all pseudo-outcomes; ours adds two estimated parts of it."""
    baseline = Baseline(intercept=0.0, slope=answer["lambda"])
    estimate = estimate_window(*window(case), {}, baseline, target=Target.EXPECTED)
    assert estimate.standard_error == pytest.approx(answer["standard_error"], rel=0.05)
    low, high = answer["low"], answer["high"]
    assert estimate.interval.low == pytest.approx(low, abs=0.25 * (high - low))
    assert estimate.interval.high == pytest.approx(min(1.0, high), abs=0.25 * (high - low))
