"""Query synthesis: real items near made-up ones, which lie between the classes."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from numpy.random import default_rng

from streamal.core.strategies import QuerySynthesis
from streamal.core.strategies.labelled_points import STEPS
from streamal.core.strategies.made_up_items import MadeUpItems
from streamal.core.types import Context, Features, Labelled, LabelledItem, Production


def labelled(*items: tuple[Features, str]) -> Labelled:
    return Labelled(
        tuple(LabelledItem(f"e{n}", features, label) for n, (features, label) in enumerate(items))
    )


#: Deviations are 5 along x and 2 along y.
CORNERS = labelled(
    ({"x": 0.0, "y": 0.0}, "a"),
    ({"x": 10.0, "y": 0.0}, "b"),
    ({"x": 0.0, "y": 4.0}, "a"),
    ({"x": 10.0, "y": 4.0}, "c"),
)


def made(known: Labelled, pairs: int = 10, step: float = 0.25) -> list[list[float]]:
    """Made-up items in standard deviations."""
    rows: list[list[float]] = (MadeUpItems(known, pairs, step).points / STEPS).tolist()
    return rows


def test_pairs_are_halved_and_each_item_is_in_one() -> None:
    # "b" and "c" are the nearest two, at 2 deviations of y; then the two of "a" are left over.
    known = labelled(*((item.features, item.label) for item in CORNERS.items))
    assert made(known) in ([[0.0, -1.0], [0.0, 1.0]], [[1.0, 0.0]])
    assert made(known, pairs=1) == made(known)[:1]


def test_a_pair_that_is_near_enough_is_left_across_the_segment() -> None:
    near: Features = {"x": 0.0, "y": 0.0, "z": 0.0}
    known = labelled(
        (near, "a"),
        ({"x": 0.2, "y": 0.0, "z": 0.0}, "b"),
        ({"x": 9.0, "y": 9.0, "z": -9.0}, "b"),
        ({"x": -9.0, "y": -9.0, "z": 9.0}, "b"),
    )
    items = MadeUpItems(known, 1, 0.5)
    first, second = items.scale.points[:2]
    step = items.points[0] - (first + second) / 2
    assert np.linalg.norm(step) / STEPS == pytest.approx(0.5 * sqrt(3), abs=0.03)
    assert abs(step @ (second - first)) <= np.linalg.norm(second - first)  # rounding alone
    assert items.points.tolist() == MadeUpItems(known, 1, 0.5).points.tolist()


def test_a_pair_without_a_gap_is_left_anywhere_but_along_a_constant_feature() -> None:
    known = labelled(
        ({"x": 1.0, "y": 2.0, "k": 7.0}, "a"),
        ({"x": 1.0, "y": 2.0, "k": 7.0}, "b"),
        ({"x": 5.0, "y": 9.0, "k": 7.0}, "a"),
    )
    (point,) = made(known, step=0.5)
    same = MadeUpItems(known, 1, 0.5).scale.points[0] / STEPS
    assert sqrt(sum((p - q) ** 2 for p, q in zip(point, same.tolist(), strict=True))) == (
        pytest.approx(0.5 * sqrt(3), abs=0.05)
    )
    assert point[2] == 0.0


def test_in_one_dimension_there_is_no_side() -> None:
    known = labelled(({"x": 0.0}, "a"), ({"x": 0.5}, "b"), ({"x": 9.0}, "a"))
    first, second = MadeUpItems(known, 1, 4.0).scale.points[:2, 0].tolist()
    assert made(known, pairs=1, step=4.0) == [
        [pytest.approx((first + second) / 2 / STEPS, abs=0.5 / STEPS)]
    ]
    assert made(labelled(({"x": 1.0}, "a"), ({"x": 1.0}, "b"))) == []


@pytest.mark.parametrize(
    "known",
    [
        Labelled(),
        labelled(({"x": 1.0}, "a"), ({"x": 2.0}, "a")),
        labelled(({"x": "red"}, "a"), ({"x": "blue"}, "b")),
    ],
    ids=["nothing", "one class", "no numbers"],
)
def test_without_a_pair_all_is_unknown(known: Labelled) -> None:
    strategy, context = QuerySynthesis(), Context("e", {"x": 1.5}, Production(), labelled=known)
    strategy.commit(context)
    assert strategy.score(context) == 1.0
    assert strategy.state() == QuerySynthesis().state()


def test_the_nearest_of_the_window_scores_one_and_scores_rise_with_nearness() -> None:
    strategy, rng = QuerySynthesis(window=50), default_rng(2)
    known = labelled(({"x": -1.0, "y": 0.0}, "a"), ({"x": 1.0, "y": 2.0}, "b"))

    def item(x: float, y: float) -> Context:
        return Context("e", {"x": x, "y": y}, Production(), labelled=known)

    points = rng.normal(0, 1.2, size=(200, 2)).tolist()
    for x, y in points:
        strategy.commit(item(x, y))
    ordered = sorted(points, key=lambda point: np.hypot(point[0], point[1] - 1.0))
    scores = [strategy.score(item(x, y)) for x, y in ordered]
    # Whole steps: two that are about as near may stand the other way round.
    assert sorted(scores, reverse=True) == pytest.approx(scores, abs=0.05)
    assert strategy.score(item(0.0, 1.0)) == 1.0
    assert strategy.score(item(99.0, -99.0)) <= 0.1


def test_a_new_label_moves_the_question() -> None:
    """Bisection: where the middle turns out to be, the other half has it."""
    strategy, ends = QuerySynthesis(pairs=1, window=50), [({"x": 0.0}, "a"), ({"x": 16.0}, "b")]
    before, after = labelled(*ends), labelled(*ends, ({"x": 8.0}, "a"))

    def best(known: Labelled) -> set[float]:
        items = [Context("e", {"x": float(x)}, Production(), labelled=known) for x in range(17)]
        for item in items:
            strategy.commit(item)
        return {float(str(i.features["x"])) for i in items if strategy.score(i) == 1.0}

    assert best(before) == {8.0}
    assert best(after) == {12.0}


def test_each_made_up_item_has_its_own_nearest() -> None:
    """One of the two lies where many items are; the other's nearest scores as high."""
    strategy, far = QuerySynthesis(pairs=2, step=0.1), 40.0
    known = labelled(
        ({"x": 0.0}, "a"), ({"x": 4.0}, "b"), ({"x": far}, "a"), ({"x": far + 4.0}, "b")
    )

    def item(x: float) -> Context:
        return Context("e", {"x": x}, Production(), labelled=known)

    for x in (*[2.0 + number / 4 for number in range(30)], far - 5.0, far + 9.0):
        strategy.commit(item(x))
    assert strategy.score(item(2.0)) == 1.0
    assert strategy.score(item(far - 4.0)) == 1.0
    assert strategy.score(item(far - 9.0)) == pytest.approx(1 / 3)
    assert strategy.score(item(9.0)) < 0.2
