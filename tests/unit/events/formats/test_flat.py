"""Production's own field names."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from streamal.errors import Reject
from streamal.events import DecodedObject, DecodedPrediction
from streamal.events.formats import Envelope, FieldMapping, FlatFormat

FLAT: dict[str, Any] = {
    "id": "e",
    "at": "2026-01-01T00:00:00Z",
    "score": 0.25,
    "f_x": 1.5,
    "f_colour": "red",
    "p_yes": 0.25,
    "p_no": 0.75,
    "outcome": "no",
}


def read(
    document: dict[str, Any],
    *,
    key: bytes | None = None,
    timestamp_ms: int = 0,
    **mapping: str | None,
) -> DecodedPrediction:
    fields = FieldMapping.model_validate({"event_id": "id", "timestamp": "at", **mapping})
    envelope = Envelope(orjson.dumps(document), key, timestamp_ms, {})
    return FlatFormat(fields).read(envelope)[0]


def test_prefixes_are_cut_off() -> None:
    event = read(FLAT, features_prefix="f_", probabilities_prefix="p_")
    assert event.features == {"x": 1.5, "colour": "red"}
    assert event.prediction.probabilities == {"yes": 0.25, "no": 0.75}
    assert event.prediction.label == "no"


def test_a_prefix_that_nothing_has() -> None:
    with pytest.raises(Reject, match="missing_field: features"):
        read(FLAT, features_prefix="g_", label="outcome")
    with pytest.raises(Reject, match="missing_prediction"):
        read(FLAT, features_prefix="f_", probabilities_prefix="q_")


def test_rest_takes_what_nothing_else_maps() -> None:
    event = read(
        FLAT | {"model": {"name": "m"}, "metadata": {}, "schema_version": 1},
        features="*",
        positive_probability="score",
        label="outcome",
    )
    assert set(event.features) == {"f_x", "f_colour", "p_yes", "p_no"}
    event = read(FLAT, features="*", probabilities_prefix="p_", label="outcome")
    assert set(event.features) == {"score", "f_x", "f_colour"}


def test_rest_leaves_the_first_key_of_a_path_alone() -> None:
    document = {"id": "e", "at": 0, "out": {"cls": "a", "more": {}}, "x": 1}
    assert read(document, features="*", label="out.cls").features == {"x": 1}


def test_nested_paths() -> None:
    document = {
        "id": {"of": {"event": "e"}},
        "at": 0,
        "in": {"f": {"x": 1}},
        "out": {"best": {"cls": "a"}},
        "served_by": {"m": "credit", "v": 3},
    }
    event = read(
        document,
        event_id="id.of.event",
        features="in.f",
        label="out.best.cls",
        model_name="served_by.m",
        model_version="served_by.v",
    )
    assert (event.event_id, event.features, event.prediction.label) == ("e", {"x": 1}, "a")
    assert (event.model.name, event.model.version) == ("credit", "3")


def test_a_path_through_what_is_no_object_finds_nothing() -> None:
    with pytest.raises(Reject, match="missing_field: event_id"):
        read({"id": [1], "at": 0, "features": {}, "outcome": "a"}, event_id="id.x", label="outcome")


def test_a_key_that_holds_dots_is_found_first() -> None:
    document = {"id": "e", "at": 0, "out.cls": "a", "out": {"cls": "b"}, "x": 1}
    event = read(document, label="out.cls", features="*")
    assert event.prediction.label == "a"
    assert event.features == {"x": 1}


def test_positive_probability_makes_two_classes() -> None:
    event = read(FLAT, features_prefix="f_", positive_probability="score")
    assert event.prediction.probabilities == {"1": 0.25, "0": 0.75}
    named = read(
        FLAT,
        features_prefix="f_",
        positive_probability="score",
        positive_class="fraud",
        negative_class="ok",
    )
    assert named.prediction.label == "ok"


@pytest.mark.parametrize("score", [1.5, -0.1, "0.5", True, [], {}])
def test_positive_probability_must_be_one(score: object) -> None:
    with pytest.raises(Reject, match="bad_probabilities"):
        read(FLAT | {"score": score}, features_prefix="f_", positive_probability="score")


@pytest.mark.parametrize("score", [0, 1])
def test_a_certain_positive_probability(score: int) -> None:
    event = read(FLAT | {"score": score}, features_prefix="f_", positive_probability="score")
    assert event.prediction.label == str(score)


def test_without_the_positive_probability_the_label_counts() -> None:
    event = read(
        FLAT | {"score": None}, features_prefix="f_", positive_probability="score", label="outcome"
    )
    assert event.prediction.probabilities is None
    assert event.prediction.label == "no"


def test_the_message_s_own_key_and_timestamp() -> None:
    event = read(
        {"features": {}, "outcome": "a"},
        key="schlüssel".encode(),
        timestamp_ms=1_767_225_600_250,
        event_id="$key",
        timestamp="$timestamp",
        label="outcome",
    )
    assert event.event_id == "schlüssel"
    assert event.timestamp.isoformat() == "2026-01-01T00:00:00.250000+00:00"


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "missing_field"), (b"", "invalid_field"), (b"\xff", "invalid_field")],
)
def test_a_key_that_is_no_id(key: bytes | None, reason: str) -> None:
    with pytest.raises(Reject) as caught:
        read(FLAT, key=key, event_id="$key", features_prefix="f_", label="outcome")
    assert caught.value.reason == reason


def test_an_unknown_part_of_the_mapping_is_an_error() -> None:
    with pytest.raises(ValidationError, match="labels"):
        FieldMapping.model_validate({"labels": "x"})


def test_sequences_and_objects_are_found_where_they_are() -> None:
    document = {"id": "e", "at": 0, "x": {}, "lm": {"p": [0.5, 0.25]}, "boxes": [{"score": 0.5}]}
    paths: dict[str, Any] = {"token_probabilities": "lm.p", "objects": "boxes"}
    event = read(document, features="x", **paths)
    assert event.prediction.token_probabilities == (0.5, 0.25)
    assert event.prediction.objects == (DecodedObject(score=0.5),)
    assert event.prediction.label == "ok"
