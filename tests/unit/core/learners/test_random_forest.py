"""The guard against a first item with few columns."""

from __future__ import annotations

import pytest

from streamal.core.learners.random_forest import AdaptiveRandomForest


def item(x: int) -> dict[str, float]:
    return {"x": float(x), **{f"other {index}": 1.0 for index in range(8)}}


@pytest.mark.parametrize("firsts", [[{}], [{"y": 1.0}], [{}, {"y": 1.0}] * 3])
def test_a_narrow_first_item_does_not_blind_the_forest(firsts: list[dict[str, float]]) -> None:
    forest = AdaptiveRandomForest(n_models=3, grace_period=20, delta=0.01, seed=1)
    for first in firsts:
        forest.learn_one(first, 0)
    for index in range(200):
        forest.learn_one(item(index % 10), int(index % 10 > 4))
    assert forest.predict_one(item(9)) == 1
    assert forest.predict_one(item(0)) == 0
