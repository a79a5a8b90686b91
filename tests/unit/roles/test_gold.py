"""Gold items: mixed in by a hash, and not to be told from their neighbours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.events import DecodedOutput, DecodedPrediction, ModelRef, Output, Prediction, decoded
from streamal.roles.gold import GoldItem, GoldShare

ITEMS = (
    GoldItem("one", {"x": 1.0}, "yes", None),
    GoldItem("two", {"x": 2.0}, "no", "yes"),
)


def prediction(event_id: str, output: Output | None = None) -> DecodedPrediction:
    return decoded(
        Prediction(
            event_id=event_id,
            timestamp=datetime(2026, 3, 2, tzinfo=UTC),
            model=ModelRef(name="fraud", version="14"),
            features={"x": 7.0},
            prediction=output or Output(label="no", probabilities={"no": 0.8, "yes": 0.2}),
            committee=({"no": 1.0},),
            metadata={"shop": "north"},
        )
    )


def sent(share: GoldShare, count: int = 2000) -> list[tuple[str, DecodedPrediction]]:
    beside = (share.beside(prediction(f"e{number}")) for number in range(count))
    return [found for found in beside if found is not None]


def test_as_many_as_configured_and_the_same_ones_every_time() -> None:
    share = GoldShare(ITEMS, 0.1, seed=1)
    found = sent(share)
    assert 150 < len(found) < 250
    assert sent(GoldShare(ITEMS, 0.1, seed=1)) == found
    assert sent(GoldShare(ITEMS, 0.1, seed=2)) != found
    assert sent(GoldShare(ITEMS, 0.0, seed=1)) == []
    assert len(sent(GoldShare(ITEMS, 1.0, seed=1))) == 2000


def test_every_item_has_its_turn_under_ids_of_its_own() -> None:
    found = sent(GoldShare(ITEMS, 1.0, seed=1))
    assert {item for item, _ in found} == {"one", "two"}
    assert len({disguised.event_id for _, disguised in found}) == len(found)


def test_it_looks_like_its_neighbour() -> None:
    item, disguised = sent(GoldShare(ITEMS[1:], 1.0, seed=1), 1)[0]
    neighbour = prediction("e0")
    assert item == "two"
    assert disguised.features == {"x": 2.0}
    assert disguised.prediction == DecodedOutput("yes", {"yes": 0.8, "no": 0.2})
    assert disguised.metadata == neighbour.metadata
    assert disguised.timestamp == neighbour.timestamp
    assert disguised.model == neighbour.model
    assert disguised.committee is None


def test_what_is_shown_tells_nothing_about_the_answer() -> None:
    items = tuple(
        GoldItem(f"i{n}", {"x": float(n)}, "yes" if n % 2 else "no", None) for n in range(40)
    )
    answers = {item.item: item.answer for item in items}
    found = sent(GoldShare(items, 1.0, seed=1))
    right = sum(disguised.prediction.label == answers[item] for item, disguised in found)
    assert right / len(found) == pytest.approx(0.5, abs=0.05)


def test_without_probabilities_and_for_numbers() -> None:
    (found,) = [GoldShare(ITEMS[1:], 1.0, 1).beside(prediction("e", Output(label="no")))]
    assert found is not None
    assert found[1].prediction == DecodedOutput("yes")
    number = GoldItem("three", {"x": 3.0}, 2.5, 2.0)
    other = GoldShare((number,), 1.0, 1).beside(prediction("e", Output(value=9.0)))
    assert other is not None
    assert other[1].prediction == DecodedOutput(value=2.0)
