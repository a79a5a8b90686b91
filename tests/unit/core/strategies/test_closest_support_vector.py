"""MS-cSV: one item for each stretch of the boundary."""

from __future__ import annotations

import pytest

from streamal.core.batch import Batch, Outputs
from streamal.core.budgets import build_budget
from streamal.core.features import FeatureColumns
from streamal.core.gate import Gate
from streamal.core.learners import build_model
from streamal.core.strategies import ClosestSupportVector, build_strategy
from streamal.core.types import Conditions, Context, Labelled, LabelledItem, Production
from tests.support.scoring import note, score_one

NOON = Conditions(now=43_200.0)

#: Each class has one item near the boundary, one far off, and one on the wrong side.
WEST, EAST, NORTH = {"x": -2.0, "y": 0.0}, {"x": 2.0, "y": 0.0}, {"x": 0.0, "y": 9.0}
LABELLED = Labelled(
    (
        LabelledItem("west", WEST, "a", 0.1),
        LabelledItem("far west", {"x": -9.0, "y": 0.0}, "a", 5.0),
        LabelledItem("east", EAST, "b", 0.2),
        LabelledItem("north", NORTH, "b", -1.0),
    )
)


def item(x: float, y: float, distance: float | None, labelled: Labelled = LABELLED) -> Context:
    return Context(
        "e", {"x": x, "y": y}, Production(), boundary_distance=distance, labelled=labelled
    )


@pytest.mark.parametrize(
    ("x", "y", "distance", "score"),
    [
        (-1.5, 0.0, 1.0, 0.125),  # both of the west are as close, at 1 and at 0.5
        (-1.5, 0.0, 0.6, 0.3125),  # one is
        (-1.5, 0.0, 0.25, 0.8),  # none is
        (-1.5, 0.0, 0.0, 1.0),
        (1.5, 0.0, 1.0, 0.5),  # another support vector's
        (0.0, 8.0, 1.0, 0.25),  # the one on the wrong side is a support vector as well
        (-1.5, 0.0, 1e300, 2**-0.75 * 1e-300),  # three of four support vectors would have one
        (1.5, 0.0, 2.0, 2**-0.75 / 3.0),  # whichever is the closest
    ],
)
def test_by_hand(x: float, y: float, distance: float, score: float) -> None:
    strategy = ClosestSupportVector()
    note(strategy, item(-1.8, 0.1, 1.0))
    note(strategy, item(-2.1, -0.1, 0.5))
    note(strategy, item(0.1, 8.5, 1.0))
    note(strategy, item(0.0, 0.0, None))
    assert score_one(strategy, item(x, y, distance)) == pytest.approx(score, rel=1e-6)


def test_of_each_class_only_those_with_the_smallest_margin_are_support_vectors() -> None:
    one, many = ClosestSupportVector(support_vectors=1), ClosestSupportVector()
    for strategy in (one, many):
        note(strategy, item(2.5, 4.3, 0.0))
    # "north" is further inside the wrong class than "east"; alone it also stands for the east.
    assert (score_one(one, item(0.0, 8.5, 0.0)), score_one(many, item(0.0, 8.5, 0.0))) == (0.5, 1.0)


def test_what_has_left_the_window_is_no_rival() -> None:
    strategy = ClosestSupportVector(window=10)
    note(strategy, item(-2.0, 0.0, 0.0))
    assert score_one(strategy, item(-2.0, 0.0, 0.0)) == 0.5
    for _ in range(10):
        note(strategy, item(2.0, 0.0, 0.0))
    assert score_one(strategy, item(-2.0, 0.0, 0.0)) == 1.0


def test_items_in_the_farther_half_are_no_rivals_and_count_as_evenly_spread() -> None:
    strategy = ClosestSupportVector()
    for distance in (1.0, 1.0, 1.0, 2.0):
        note(strategy, item(-2.0, 0.0, distance))
    assert score_one(strategy, item(-2.0, 0.0, 3.0)) == 2**-1.0 / 4.0, "four are nearer, one each"
    for _ in range(2):
        note(strategy, item(2.0, 0.0, 4.0))
    # Now half of them are nearer than 2; the fourth, which was far when it came, has no group.
    assert score_one(strategy, item(-2.0, 0.0, 2.0)) == 2**-3.0 / 3.0


@pytest.mark.parametrize(
    "labelled",
    [
        Labelled(),
        Labelled(LABELLED.items[:2]),
        Labelled(tuple(LabelledItem(i.event_id, i.features, i.label) for i in LABELLED.items)),
        Labelled(tuple(LabelledItem(i.event_id, {"t": "x"}, i.label, 1.0) for i in LABELLED.items)),
    ],
    ids=["nothing", "one class", "no hyperplane", "no numbers"],
)
def test_without_support_vectors_all_is_unknown(labelled: Labelled) -> None:
    strategy = ClosestSupportVector()
    note(strategy, item(0.0, 0.0, 0.5))
    assert score_one(strategy, item(0.0, 0.0, 0.5, labelled)) == 1.0


def test_a_new_model_brings_its_support_vectors() -> None:
    strategy = ClosestSupportVector()
    note(strategy, item(-1.5, 0.0, 0.0))
    assert score_one(strategy, item(-1.5, 0.0, 0.0)) == 0.5
    newer = Labelled((*LABELLED.items, LabelledItem("newer", {"x": -1.5, "y": 0.0}, "a", 0.0)))
    assert score_one(strategy, item(-1.5, 0.0, 0.0, newer)) == 1.0


def routed(name: str) -> list[float]:
    """Where along the boundary x = 0 a gate asks when a crowd stands at one place of it."""
    model = build_model("logistic_regression", parameters={}, keep_labelled=True)
    for number in range(60):
        x, y = (0.4, -0.4)[number % 2] * (1 + number % 3), float(number % 20)
        model.learn({"x": x, "y": y}, Production(), "ab"[x > 0], event_id=f"l{number}")
    gate = Gate(build_strategy(name, {}), build_budget("quantile", {}, budget=0.1), seed=1)
    rows, nobody = [], Production()
    for number in range(1000):
        crowd = number % 4 != 0
        rows.append({"x": 0.001 if crowd else 0.2, "y": 3.0 if crowd else float(number // 4 % 20)})
    columns, outputs = FeatureColumns(rows), Outputs.of([nobody] * len(rows))
    outlooks, distances = model.outlook(columns, outputs), model.boundary_distance(columns, outputs)
    assert distances is not None
    remembered = model.labelled(margins=True)
    contexts = [
        Context(
            f"e{number}",
            features,
            nobody,
            outlooks.probabilities.item(number),
            boundary_distance=float(distances[number]),
            labelled=remembered,
        )
        for number, features in enumerate(rows)
    ]
    decisions = gate.decide(Batch.of(contexts), NOON)
    return [
        features["y"]
        for features, decision in zip(rows, decisions, strict=True)
        if decision.query and decision.score >= decision.threshold
    ]


def test_a_crowd_at_one_place_does_not_get_all_questions() -> None:
    plain, diverse = routed("hyperplane_distance"), routed("closest_support_vector")
    assert plain.count(3.0) / len(plain) > 0.9
    assert diverse.count(3.0) / len(diverse) < 0.5
    assert len(set(diverse)) > 2 * len(set(plain))


def test_items_of_a_batch_are_rivals_of_those_behind_them() -> None:
    strategy = ClosestSupportVector()
    twins = [item(-1.5, 0.0, 0.5), item(-1.5, 0.0, 0.5), item(1.5, 0.0, 0.5)]
    assert strategy.score(Batch.of(twins)).tolist() == pytest.approx([2 / 3, 1 / 3, 2 / 3])
    elsewhere = Labelled((LabelledItem("other", WEST, "a", 0.1), *LABELLED.items[1:]))
    moved = item(-1.5, 0.0, 0.5, elsewhere)
    assert score_one(strategy, moved) == pytest.approx(2 / 3), "another model's support vector"
