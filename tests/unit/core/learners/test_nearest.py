"""The nearest kept items: exactly those that going through all would find."""

from __future__ import annotations

import numpy as np
import pytest

from streamal.core.learners.nearest import nearest


def found(kept: np.ndarray, queries: np.ndarray, count: int) -> list[list[int]]:
    pairs = nearest(kept, np.ascontiguousarray(queries.T), count)
    return [pairs.places[pairs.items == item].tolist() for item in range(len(queries))]


def by_hand(kept: np.ndarray, queries: np.ndarray, count: int) -> list[list[int]]:
    answers = []
    for query in queries:
        distances = [float(((row - query) ** 2).sum()) for row in kept]
        order = sorted(range(len(kept)), key=lambda place: (distances[place], place))
        answers.append(sorted(order[:count]))
    return answers


@pytest.mark.parametrize("count", [1, 3, 20, 60, 100])
@pytest.mark.parametrize("decimals", [0, 8])
def test_of_equally_near_ones_the_oldest_are_taken(count: int, decimals: int) -> None:
    rng = np.random.default_rng(1)
    kept, queries = (
        rng.normal(size=(60, 3)).round(decimals),
        rng.normal(size=(50, 3)).round(decimals),
    )
    assert found(kept, queries, count) == by_hand(kept, queries, count)


def test_one_wild_item_does_not_hide_small_differences() -> None:
    rng = np.random.default_rng(2)
    kept, queries = rng.normal(size=(40, 2)), rng.normal(size=(10, 2))
    kept[7] = 1e12
    assert found(kept, queries, 4) == by_hand(kept, queries, 4)


def test_an_item_that_overflows_is_far_away() -> None:
    kept = np.array([[0.0], [1e200], [1.0], [2.0]])
    assert found(kept, np.array([[0.9], [0.0]]), 2) == [[0, 2], [0, 2]]


def test_distances_are_exact_where_an_item_was_kept() -> None:
    kept = np.random.default_rng(3).normal(size=(30, 5)) + 1e6
    assert nearest(kept, np.ascontiguousarray(kept.T), 1).distances.tolist() == [0.0] * 30


def test_nothing_kept_is_nothing_found() -> None:
    assert found(np.zeros((0, 2)), np.ones((3, 2)), 4) == [[], [], []]


def test_no_items_have_no_neighbours() -> None:
    assert found(np.ones((9, 2)), np.ones((0, 2)), 4) == []
