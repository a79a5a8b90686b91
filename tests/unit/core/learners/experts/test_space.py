"""Vectors: the scale is that of all labelled items, the level that of the latest."""

from __future__ import annotations

import numpy as np
import pytest

from streamal.core.learners.encoded import Encoded
from streamal.core.learners.experts.space import Moments, VectorSpace


def learned(half_life: float, *items: dict[str, float]) -> VectorSpace:
    space = VectorSpace(half_life)
    for item in items:
        raw, _ = space.learn(item)
        space.move_level(raw)
    return space


def test_moments_are_those_of_all_values() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, (500, 3))
    moments = Moments()
    for row in values:
        moments.learn(row)
    assert moments.mean == pytest.approx(values.mean(axis=0))
    assert 1.0 / moments.scale == pytest.approx(values.std(axis=0))


def test_a_column_that_never_varied_is_zero_whatever_comes() -> None:
    space = learned(1.0, {"x": 3.0}, {"x": 3.0})
    assert space.view(Encoded.of_row({"x": 99.0})).plain[:, 0].tolist() == [1.0, 0.0]


def test_wild_values_are_clipped() -> None:
    space = learned(1.0, {"x": 0.0}, {"x": 1.0})
    assert space.view(Encoded.of_row({"x": 1e100})).plain[:, 0].tolist() == [1.0, 8.0]
    assert space.view(Encoded.of_row({"x": -1e100})).shifted[:, 0].tolist() == [1.0, -8.0, -8.0]


def test_a_late_column_counts_from_its_first_item() -> None:
    space = learned(1.0, {"x": 0.0}, {"x": 2.0}, {"x": 1.0, "y": 10.0}, {"x": 1.0, "y": 30.0})
    assert space.mean.tolist() == [1.0, 20.0]
    assert space.view(Encoded.of_row({"x": 1.0, "y": 30.0})).plain[:, 0].tolist() == [1.0, 0.0, 1.0]


def test_an_unknown_column_is_left_out_and_predicting_adds_none() -> None:
    space = learned(1.0, {"x": 0.0}, {"x": 2.0})
    assert len(space.view(Encoded.of_row({"x": 1.0, "new": 5.0})).plain[:, 0]) == 2
    assert len(space.view(Encoded.of_row({"x": 1.0})).plain[:, 0]) == 2


def test_the_level_follows_the_latest_items() -> None:
    """With a half-life of 1, levels are 0, then 4, then 8; so the distances are 0, 8 and 8."""
    space = VectorSpace(1.0)
    shifts = []
    for value in (0.0, 8.0, 12.0):
        raw, view = space.learn({"x": value})
        shifts.append(float(raw[0] - space._level[0]))
        space.move_level(raw)
        assert len(view.shifted) == 3
    assert shifts == [0.0, 8.0, 8.0]
    assert space._level.tolist() == [8.0]
    assert space.view(Encoded.of_row({"x": 8.0})).shifted[:, 0][2] < 0.0, "below the usual distance"


def test_a_longer_half_life_follows_more_slowly() -> None:
    items = [{"x": 0.0}, {"x": 1.0}]
    assert learned(10.0, *items)._level[0] == pytest.approx(1.0 - 0.5**0.1)
