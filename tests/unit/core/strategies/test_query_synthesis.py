"""Query synthesis: real items near made-up ones, which lie between the classes."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from numpy.random import default_rng

from streamal.core.batch import Batch
from streamal.core.strategies import QuerySynthesis, build_strategy
from streamal.core.strategies.labelled_points import STEPS
from streamal.core.strategies.made_up_items import MadeUpItems
from streamal.core.types import (
    Context,
    Features,
    JsonValue,
    Labelled,
    LabelledItem,
    Production,
)
from tests.support.scoring import note, score_one


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
    note(strategy, context)
    assert score_one(strategy, context) == 1.0
    assert strategy.state() == QuerySynthesis().state()


def test_the_nearest_of_the_window_scores_one_and_scores_rise_with_nearness() -> None:
    strategy, rng = QuerySynthesis(window=50), default_rng(2)
    known = labelled(({"x": -1.0, "y": 0.0}, "a"), ({"x": 1.0, "y": 2.0}, "b"))

    def item(x: float, y: float) -> Context:
        return Context("e", {"x": x, "y": y}, Production(), labelled=known)

    points = rng.normal(0, 1.2, size=(200, 2)).tolist()
    for x, y in points:
        note(strategy, item(x, y))
    ordered = sorted(points, key=lambda point: np.hypot(point[0], point[1] - 1.0))
    scores = [score_one(strategy, item(x, y)) for x, y in ordered]
    # Whole steps: two that are about as near may stand the other way round.
    assert sorted(scores, reverse=True) == pytest.approx(scores, abs=0.05)
    assert score_one(strategy, item(0.0, 1.0)) == 1.0
    assert score_one(strategy, item(99.0, -99.0)) <= 0.1


def test_a_new_label_moves_the_question() -> None:
    """Bisection: where the middle turns out to be, the other half has it."""
    strategy, ends = QuerySynthesis(pairs=1, window=50), [({"x": 0.0}, "a"), ({"x": 16.0}, "b")]
    before, after = labelled(*ends), labelled(*ends, ({"x": 8.0}, "a"))

    def best(known: Labelled) -> set[float]:
        items = [Context("e", {"x": float(x)}, Production(), labelled=known) for x in range(17)]
        for item in items:
            note(strategy, item)
        return {float(str(i.features["x"])) for i in items if score_one(strategy, i) == 1.0}

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
        note(strategy, item(x))
    assert score_one(strategy, item(2.0)) == 1.0
    assert score_one(strategy, item(far - 4.0)) == 1.0
    assert score_one(strategy, item(far - 9.0)) == pytest.approx(1 / 3)
    assert score_one(strategy, item(9.0)) < 0.2


# Items to ask people about

SQUARE = labelled(
    ({"x": 0.0, "n": 2, "new": False}, "a"),
    ({"x": 8.0, "n": 7, "new": False}, "b"),
    ({"x": 0.0, "n": 3, "new": True}, "a"),
    ({"x": 8.0, "n": 4, "new": True}, "b"),
)
EVENT: Features = {"x": 1.0, "n": 1, "new": True}


def offered(
    known: Labelled, event: Features, name: str = "query_synthesis", **parameters: JsonValue
) -> list[Features]:
    strategy = build_strategy(name, {"step": 0.1} if name == "query_synthesis" else parameters)
    context = Context("e", event, Production(), labelled=known)
    return [item.features for item in strategy.made_up(Batch.of([context]), 0)]


def test_items_are_of_the_event_s_shape_and_the_nearest_comes_first() -> None:
    near, far = offered(SQUARE, EVENT)
    assert near == {"x": 4.0, "n": 4, "new": True}  # 3.5 is rounded to even
    assert far == {"x": 4.0, "n": 4, "new": False}
    assert offered(SQUARE, {**EVENT, "new": False}) == [far, near]
    assert [type(value) for value in near.values()] == [float, int, bool]


@pytest.mark.parametrize(
    ("event", "count"),
    [
        (EVENT, 2),
        ({"x": 1.0}, 2),
        ({**EVENT, "colour": "red"}, 0),
        ({**EVENT, "gap": None}, 0),
        ({**EVENT, "place": (1.0, 2.0)}, 0),
        ({**EVENT, "unseen": 1.0}, 0),
        ({}, 0),
    ],
)
def test_nothing_is_made_up_of_what_is_not_known(event: Features, count: int) -> None:
    assert len(offered(SQUARE, event)) == count


def test_a_feature_that_one_of_a_pair_lacks_or_that_was_text_once_leaves_it_out() -> None:
    first, *others = SQUARE.items
    gap = LabelledItem(first.event_id, {"x": 0.0, "new": False}, "a")
    assert len(offered(Labelled((gap, *others)), EVENT)) == 1
    text = LabelledItem("e9", {"x": -50.0, "n": "two", "new": True}, "a")
    assert offered(Labelled((*SQUARE.items, text)), EVENT) == []
    huge = LabelledItem("e9", {"x": -50.0, "n": 10**400, "new": True}, "a")
    assert offered(Labelled((*SQUARE.items, huge)), EVENT) == []


def test_what_comes_out_as_a_labelled_item_is_not_asked_about() -> None:
    known = labelled(({"n": 2}, "a"), ({"n": 3}, "b"))
    assert offered(known, {"n": 1}) == []  # 2.5 is rounded to 2
    assert offered(labelled(({"n": 2}, "a"), ({"n": 6}, "b")), {"n": 1}) == [{"n": 4}]


def test_a_step_aside_stays_within_what_was_labelled() -> None:
    rng = default_rng(4)
    points = rng.normal(size=(60, 3)).tolist()
    known = labelled(*(({"x": x, "y": y, "z": z}, "a" if z > 0 else "b") for x, y, z in points))
    items = list(MadeUpItems(known, 30, 4.0).like({"x": 0.0, "y": 0.0, "z": 0.0}))
    assert len(items) >= 20
    for name in "xyz":
        values = [float(str(item.features[name])) for item in known.items]
        made_up = [float(str(item.features[name])) for item in items]
        assert min(values) <= min(made_up)
        assert max(made_up) <= max(values)
    assert len({item.key for item in items}) == len(items)


def test_combinations_offer_what_their_parts_make_up() -> None:
    parts: JsonValue = [
        {"strategy": "margin"},
        {"strategy": "query_synthesis", "parameters": {"step": 0.1}},
    ]
    alone = offered(SQUARE, EVENT)
    for name in ("max", "weighted_sum"):
        assert offered(SQUARE, EVENT, name, strategies=parts) == alone
    bandit = build_strategy("bandit", {"strategies": parts})
    assert bandit.makes_up_items
    for followed, count in (("margin", 0), ("query_synthesis", 2)):
        context = Context(
            "e",
            EVENT,
            Production(),
            labelled=SQUARE,
            strategy_weights={
                "margin": float(followed == "margin"),
                "query_synthesis": float(followed == "query_synthesis"),
            },
        )
        assert len(list(bandit.made_up(Batch.of([context]), 0))) == count
