"""What a gate counts of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from streamal.events import DecodedPrediction, Prediction, decoded
from streamal.roles.items import items_of
from streamal.roles.observation import Observing

ALL = Observing(frozenset(), max_features=3, bins=64)


def event(features: dict[str, Any], prediction: dict[str, Any], **fields: Any) -> DecodedPrediction:  # noqa: ANN401 - any JSON
    return decoded(
        Prediction.model_validate(
            {
                "event_id": "e1",
                "timestamp": datetime.now(UTC),
                "features": features,
                "prediction": prediction,
                **fields,
            }
        )
    )


def counted(*events: DecodedPrediction, observing: Observing = ALL) -> Mapping[str, list[Any]]:
    columns = observing.columns(items_of(events))
    return {name: np.asarray(values).tolist() for name, values in columns.items()}


def test_features_class_and_doubt_are_counted() -> None:
    values = counted(event({"age": 31, "note": None}, {"probabilities": {"yes": 0.9, "no": 0.1}}))
    assert values == {
        "feature.age": [31],
        "class": ["yes"],
        "uncertainty": [pytest.approx(0.1)],
    }


def test_a_regression_counts_its_value() -> None:
    assert counted(event({}, {"value": 12.5})) == {"value": [12.5]}


def test_of_too_many_features_the_alphabetically_first_are_taken() -> None:
    summary = ALL.summary()
    summary.add(1, ALL.columns(items_of([event(dict.fromkeys("edcba", 1.0), {"label": "yes"})])))
    assert sorted(summary.tables) == ["class", "feature.a", "feature.b", "feature.c"]


def test_only_chosen_features_are_counted() -> None:
    observing = Observing(frozenset({"b"}), max_features=3, bins=64)
    one = event({"a": 1, "b": 2, "class": "x"}, {"label": "yes"})
    assert counted(one, observing=observing) == {"feature.b": [2], "class": ["yes"]}


def test_disagreement_is_that_of_productions_own_ensemble() -> None:
    members = [{"yes": 0.9, "no": 0.1}, {"yes": 0.1, "no": 0.9}]
    one = event({}, {"label": "yes"}, committee=members)
    alone = event({}, {"label": "yes"}, committee=members[:1])
    (disagreement,) = counted(one, alone)["disagreement"]
    assert 0.4 < disagreement <= 1.0
    assert "disagreement" not in counted(alone)


def test_disagreement_of_numbers_is_their_standard_deviation() -> None:
    def of(committee: list[Any]) -> list[Any] | None:
        return counted(event({}, {"value": 3.0}, committee=committee)).get("disagreement")

    assert of([1.0, 3.0, {"yes": 1.0}]) == [1.0]
    assert of([7.0, 7.0]) == [0.0]
    assert of([7.0]) is None
    assert of([1e300, -1e300]) is None


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_events_count_alike_whatever_the_batches_are(size: int) -> None:
    draw = np.random.default_rng(5)
    events = [
        event(
            {
                "number": float(draw.normal()),
                "text": str(draw.integers(40)),
                "mixed": [1.0, "a", None, True, [3.0, 4.0]][draw.integers(5)],
                **({"rare": 1} if number % 9 == 0 else {"zzz": 2.0}),
            },
            {"label": "yes"},
        )
        for number in range(100)
    ]
    observing = Observing(frozenset(), max_features=4, bins=16)
    one, many = observing.summary(), observing.summary()
    for each in events:
        one.add(1, observing.columns(items_of([each])))
    for start in range(0, 100, size):
        part = events[start : start + size]
        many.add(len(part), observing.columns(items_of(part)))
    assert many.json() == one.json()
    assert one.tables["feature.mixed"].categories == {
        "a": many.tables["feature.mixed"].categories["a"],
        "true": many.tables["feature.mixed"].categories["true"],
    }
