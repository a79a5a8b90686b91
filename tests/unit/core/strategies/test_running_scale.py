"""Running scale: which values count, what they are worth, and how it forgets."""

from __future__ import annotations

import json
from math import nextafter
from statistics import fmean, pstdev

import pytest
from numpy.random import default_rng

from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, FeatureValue

LIMIT = RunningScale.LIMIT


def learned(*values: FeatureValue) -> RunningScale:
    scale = RunningScale()
    for value in values:
        scale.update({"x": value})
    return scale


def only(scale: RunningScale, value: FeatureValue) -> float:
    (standardised,) = scale.standardised({"x": value})
    return standardised


def test_the_first_values_give_exact_moments() -> None:
    values = default_rng(1).normal(50, 7, 200).tolist()
    mean, deviation = fmean(values), pstdev(values)
    assert only(learned(*values), 60.0) == pytest.approx((60 - mean) / deviation)


def test_switches_are_numbers() -> None:
    assert only(learned(True, False, True, False), True) == pytest.approx(1.0)


@pytest.mark.parametrize("odd", [None, "red", (1.0, 2.0), float("nan"), 10**400])
def test_what_is_no_number_is_the_mean_and_moves_nothing(odd: FeatureValue) -> None:
    assert learned(odd).names == ()
    scale = learned(1.0, 2.0, 3.0, odd)
    assert only(scale, odd) == 0.0
    assert scale.standardised({}) == [0.0]
    assert only(scale, 2.0) == pytest.approx(0.0)


@pytest.mark.parametrize("huge", [1e9, 1e300, float("inf")])
def test_outliers_are_clipped(huge: float) -> None:
    scale = learned(1.0, 2.0, 3.0)
    assert only(scale, huge) == LIMIT
    assert only(scale, -huge) == -LIMIT


def test_huge_values_leave_finite_moments() -> None:
    scale = learned(1e149, -1e149, 1e308, float("inf"), -float("inf"))
    json.dumps(scale.state(), allow_nan=False)
    assert abs(only(scale, 5e148)) < 1.0


def test_a_constant_is_the_mean_and_anything_else_is_far_from_it() -> None:
    scale = learned(5, 5, 5)
    assert [only(scale, value) for value in (5, 5.001, 4.999)] == [0.0, LIMIT, -LIMIT]


def test_the_frame_is_mean_and_deviation() -> None:
    values = default_rng(1).normal(50, 7, 200).tolist()
    assert learned(*values).frame("x") == pytest.approx((fmean(values), pstdev(values)))


@pytest.mark.parametrize("constant", [0.0, 5.0, -1e-9, 1e12])
def test_next_to_a_constant_everything_is_many_deviations_away(constant: float) -> None:
    mean, deviation = learned(*[constant] * 9).frame("x")
    assert mean == constant
    assert constant + 0.1 * deviation != constant
    assert abs(nextafter(constant, 1e300) - constant) < deviation < abs(constant) * 1e-10 + 1e-300


def test_one_missing_value_does_not_change_the_others() -> None:
    scale = RunningScale()
    for number in range(10):
        scale.update({"a": number, "b": number * 2.0})
    whole = scale.standardised({"a": 7, "b": 3.0})
    assert scale.standardised({"a": 7, "b": None}) == [whole[0], 0.0]
    assert scale.standardised({"b": 3.0}) == [0.0, whole[1]]


def test_it_says_when_a_feature_is_new_and_takes_only_so_many() -> None:
    scale = RunningScale()
    assert scale.update({"a": 1.0})
    assert not scale.update({"a": 2.0, "text": "b"})
    many: Features = {f"f{i}": float(i) for i in range(1_000)}
    assert scale.update(many)
    assert not scale.update(many)
    assert len(scale.names) == RunningScale.FEATURES


def test_it_follows_a_stream_that_moves() -> None:
    rng = default_rng(3)
    scale = learned(*rng.normal(0, 1, 5_000).tolist())
    assert only(scale, 100.0) == LIMIT
    for value in rng.normal(100, 1, 50_000).tolist():
        scale.update({"x": value})
    assert only(scale, 100.0) == pytest.approx(0.0, abs=0.2)
    assert only(scale, 101.0) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("events", [0, 1, 100, 256, 259, 264, 5_003])
def test_a_restored_scale_goes_on_as_if_nothing_had_happened(events: int) -> None:
    rng = default_rng(4)
    scale, again = learned(*rng.normal(0, 1, events).tolist()), learned(1.0, 2.0)
    again.restore(json.loads(json.dumps(scale.state())))
    for value in rng.normal(1, 2, 50).tolist():
        assert again.standardised({"x": value}) == scale.standardised({"x": value})
        assert again.update({"x": value, "y": -value}) == scale.update({"x": value, "y": -value})
    assert again.state() == scale.state()
