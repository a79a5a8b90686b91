"""Nearest neighbours for numbers."""

from __future__ import annotations

import pytest

from streamal.core.learners.regression.neighbours import NearestNeighbours


def taught(*items: tuple[float, float], weighted: bool = True) -> NearestNeighbours:
    model = NearestNeighbours(3, 50, weighted=weighted)
    for x, y in items:
        model.learn_one({"x": x}, y)
    return model


def test_without_neighbours_it_says_zero() -> None:
    assert taught().predict_one({"x": 1.0}) == 0.0


def test_an_exact_match_does_not_decide_alone() -> None:
    model = taught((0.0, 90.0), (0.1, 10.0), (0.1, 10.0))
    assert 10.0 < model.predict_one({"x": 0.0}) < 70.0


def test_equal_items_are_averaged() -> None:
    assert taught((1.0, 2.0), (1.0, 4.0), (1.0, 6.0)).predict_one({"x": 1.0}) == 4.0


def test_near_ones_count_more_where_weights_are_on() -> None:
    items = ((0.0, 0.0), (1.0, 3.0), (5.0, 9.0))
    assert taught(*items).predict_one({"x": 0.2}) < 3.0
    assert taught(*items, weighted=False).predict_one({"x": 0.2}) == pytest.approx(4.0)


def test_only_the_latest_items_are_kept() -> None:
    model = NearestNeighbours(3, 5)
    for index in range(100):
        model.learn_one({"x": 0.0}, float(index))
    assert model.predict_one({"x": 0.0}) > 90.0
