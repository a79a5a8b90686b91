"""River's adaptive random forest for numbers, as it is used here."""

from __future__ import annotations

from streamal.core.learners.regression.random_forest import AdaptiveRandomForestRegressor


def narrow(index: int) -> tuple[dict[str, float], float]:
    return {name: float(index % 7) for name in "abcd"}, float(index % 7)


def wide(index: int) -> dict[str, float]:
    return {f"column {number}": float(index) for number in range(256)}


def test_items_without_columns_are_not_learned() -> None:
    forest = AdaptiveRandomForestRegressor(seed=1)
    forest.learn_one({}, 1.0)
    assert len(forest) == 0


def test_it_starts_over_when_items_turn_out_wider() -> None:
    forest = AdaptiveRandomForestRegressor(seed=1)
    forest.learn_one({"a": 1.0}, 1.0)
    assert forest.max_features == 1
    for index in range(200):
        forest.learn_one(wide(index), 1.0)
    assert forest.max_features in range(9, 17)


def test_a_wide_first_item_does_not_blind_it() -> None:
    forest = AdaptiveRandomForestRegressor(seed=1, grace_period=20, delta=0.05)
    forest.learn_one(wide(0), 1.0)
    for index in range(900):
        forest.learn_one(*narrow(index))
    assert forest.max_features == 2
    assert all(abs(forest.predict_one(x) - y) < 1.5 for x, y in map(narrow, range(7)))
