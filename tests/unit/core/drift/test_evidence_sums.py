"""Windows on one scale, whatever the gate routes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from streamal.core.drift.base import Evidence
from streamal.core.drift.evidence_sums import Residuals, Sums
from tests.support.evidence import top_share, uniform, windows


def test_residuals_are_standard_normal_whatever_the_gate_does() -> None:
    gates = [top_share(0.05), uniform(0.02), top_share(0.2)]
    evidence = windows(600, lambda _: 0.15, lambda w: gates[w // 200], seed=5)
    residuals = Residuals(labels=30)
    scores = [found.score for window in evidence if (found := residuals.add(window))]
    assert len(scores) > 200
    assert abs(fmean(scores)) < 0.3
    assert 0.75 < pstdev(scores) < 1.15
    neighbours = [a * b for a, b in pairwise(scores)]
    assert abs(fmean(neighbours)) < 0.15


def test_windows_are_pooled_until_they_hold_enough_labels() -> None:
    residuals = Residuals(labels=30)
    window = Evidence(events=100.0, errors=10.0, variance=9.0, effective_labels=10.0)
    found = [residuals.add(window) for _ in range(9)]
    assert [each is not None for each in found] == [False] * 5 + [True] + [False] * 2 + [True]


def test_before_and_after_part_at_the_latest_values() -> None:
    residuals = Residuals(labels=10)
    for errors in [10.0] * 20 + [30.0] * 4:
        residuals.add(Evidence(100.0, errors, 9.0, 10.0))
    found = residuals.add(Evidence(100.0, 30.0, 9.0, 10.0))
    assert found is not None
    assert found.before == pytest.approx(0.1)
    assert found.after == pytest.approx(0.3)


def test_a_window_without_an_error_is_not_known_exactly() -> None:
    window = Evidence(events=100.0, errors=0.0, variance=0.0, effective_labels=20.0)
    assert Sums.of(window).mean_variance == pytest.approx((0.5 / 20) ** 2)
    large = Sums.of(replace(window, error_size=8.0))
    assert large.mean_variance == pytest.approx((8 * 0.5 / 20) ** 2)
    assert large.plus(Sums.of(window)).mean_variance == pytest.approx((4.5 * 0.5 / 40) ** 2)
    assert Sums().mean_variance == math.inf


def test_sums_of_an_earlier_release_counted_errors() -> None:
    known = Sums.of(Evidence(events=100.0, errors=3.0, variance=2.0, effective_labels=20.0))
    assert Sums.read(known.json()) == Sums.read([100.0, 3.0, 2.0, 20.0]) == known


def test_errors_that_are_all_zero_are_no_change() -> None:
    residuals = Residuals(labels=10)
    perfect = Evidence(100.0, 0.0, 0.0, 10.0, error_size=0.0)
    scores = [found.score for _ in range(5) if (found := residuals.add(perfect))]
    assert scores == [0.0] * 4
