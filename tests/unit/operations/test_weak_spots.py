"""Parts of the data that err more than their share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from streamal.operations.weak_spots import WeakSpots
from streamal.operations.weighting import Weighted
from streamal.state.measures import LabelledReview
from tests.unit.connectors.label_studio.conftest import review


def one(
    *,
    right: bool,
    weight: float = 1.0,
    features: dict[str, object] | None = None,
    **fields: Any,  # noqa: ANN401  any field
) -> Weighted:
    asked = review(features=features or {}, **fields)
    labelled = LabelledReview(asked, "ham", None, (), None, 0.0)
    return Weighted(labelled, 1.0, weight, matured=True, production_correct=right)


def found(*groups: tuple[int, Weighted]) -> WeakSpots:
    spots = WeakSpots()
    for count, weighted in groups:
        for _ in range(count):
            spots.add(weighted)
    return spots


def test_weights_make_events_and_errors() -> None:
    spots = found((10, one(right=True, weight=9)), (10, one(right=False, weight=1)))
    assert spots.all.labelled == 20
    assert spots.all.events == 100
    assert spots.all.errors == 10
    assert spots.all.error_rate == pytest.approx(0.1)


def test_a_part_is_not_blamed_for_being_looked_at_often() -> None:
    # Of both countries a tenth is wrong; in one, errors were looked for ten times as often.
    spots = found(
        (90, one(right=True, weight=10, features={"country": "a"})),
        (10, one(right=False, weight=10, features={"country": "a"})),
        (90, one(right=True, weight=10, features={"country": "b"})),
        (100, one(right=False, weight=1, features={"country": "b"})),
    )
    assert [part for part in spots.worst(5) if part.excess > 1e-6] == []


def test_the_worst_comes_first() -> None:
    spots = found(
        (50, one(right=False, features={"country": "bad", "new": True})),
        (20, one(right=False, features={"country": "so-so", "new": False})),
        (80, one(right=True, features={"country": "so-so", "new": False})),
        (100, one(right=True, features={"country": "good", "new": False})),
    )
    first, second, *_ = spots.worst(9)
    assert {first.key, second.key} == {"feature country", "feature new"}
    assert {first.value, second.value} == {"bad", "True"}
    assert first.totals.error_rate == 1.0
    assert first.excess == pytest.approx(50 - 50 * 70 / 250)
    assert len(spots.worst(1)) == 1


def test_what_everything_has_in_common_is_no_part() -> None:
    spots = found((20, one(right=False, features={"always": "x"})), (20, one(right=True)))
    assert "feature always" not in {part.key for part in spots.worst(9)}


def test_identifiers_and_numbers_are_no_parts() -> None:
    spots = WeakSpots()
    for number in range(200):
        features = {"id": f"id-{number % 60}", "amount": number % 2, "list": (1.0,)}
        spots.add(one(right=number % 3 > 0, features=features, metadata={"shop": "n"}))
    assert {part.key for part in spots.worst(99)} <= {"production says", "production version"}


def test_few_answers_say_nothing() -> None:
    spots = found(
        (9, one(right=False, features={"country": "rare"})),
        (91, one(right=True, features={"country": "common"})),
    )
    assert spots.worst(9) == []


def test_versions_are_parts() -> None:
    spots = found((20, one(right=True)), (20, one(right=False)))
    new = one(right=False)
    asked = new.labelled.review.model_copy(
        update={"produced_by": new.labelled.review.produced_by.model_copy(update={"version": "8"})}
    )
    for _ in range(20):
        spots.add(replace(new, labelled=replace(new.labelled, review=asked)))
    assert ("production version", "8") in {(part.key, part.value) for part in spots.worst(9)}


def test_nothing_at_all() -> None:
    assert WeakSpots().worst(9) == []
    assert WeakSpots().all.error_rate == 0.0
