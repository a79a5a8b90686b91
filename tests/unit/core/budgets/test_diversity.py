"""Picking items that are good and unlike one another."""

from __future__ import annotations

import math

import pytest

from streamal.core.budgets.diversity import diverse_order
from streamal.core.types import Candidate, Features, FeatureValue


def window(*items: tuple[float, Features]) -> list[Candidate]:
    return [Candidate(f"e{n}", score, features) for n, (score, features) in enumerate(items)]


def test_without_diversity_the_scores_order() -> None:
    items = window((0.2, {"x": 1.0}), (0.9, {"x": 1.0}), (0.5, {"x": 1.0}))
    assert diverse_order(items, 3, 0.0) == [1, 2, 0]


def test_a_cluster_of_good_ones_is_visited_once_before_the_rest() -> None:
    cluster = [(0.9 + n / 1000, {"x": 5.0, "y": 5.0}) for n in range(5)]
    others: list[tuple[float, Features]] = [
        (0.6, {"x": -5.0, "y": 0.0}),
        (0.6, {"x": 0.0, "y": -5.0}),
    ]
    order = diverse_order(window(*cluster, *others), 3, 1.0)
    assert order[0] == 4
    assert set(order[1:]) == {5, 6}


def test_scale_and_place_of_a_feature_do_not_matter() -> None:
    points = [(0.9, 0.0, 1.0), (0.8, 0.1, 1.1), (0.7, 3.0, -2.0), (0.6, -3.0, 0.5), (0.5, 1.0, 4.0)]
    plain = window(*((s, {"x": x, "y": y}) for s, x, y in points))
    moved = window(*((s, {"x": 1e6 * x + 1e9, "y": y / 1e6 - 7}) for s, x, y in points))
    assert diverse_order(plain, 5, 0.7) == diverse_order(moved, 5, 0.7)


@pytest.mark.parametrize(
    "odd", [None, "red", math.nan, math.inf, 10**400, (1.0, 2.0), True, -1e300, 1e149]
)
def test_odd_values_are_as_good_as_none(odd: FeatureValue) -> None:
    items = window((0.5, {"x": 1.0}), (0.6, {"x": odd}), (0.7, {}), (0.4, {"y": odd}))
    assert sorted(diverse_order(items, 4, 1.0)) == [0, 1, 2, 3]


def test_nothing_to_compare_leaves_the_scores() -> None:
    assert diverse_order(window((0.1, {}), (0.3, {"c": "red"}), (0.2, {})), 2, 1.0) == [1, 2]
    assert diverse_order([], 0, 1.0) == []
