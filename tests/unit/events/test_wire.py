"""To bytes and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from streamal.errors import Reject
from streamal.events import (
    DeadLetter,
    Heartbeat,
    LabelEvent,
    ModelRef,
    ModelView,
    Output,
    Prediction,
    ReviewRequest,
)
from streamal.events.base import FeatureMap, Metadata

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def review(features: FeatureMap, metadata: Metadata | None = None) -> ReviewRequest:
    return ReviewRequest(
        event_id="e",
        pipeline="p",
        occurred_at=NOON,
        decided_at=NOON,
        expires_at=NOON + timedelta(days=7),
        features=features,
        prediction=Output(label="a"),
        model=ModelView(version=0),
        produced_by=ModelRef(),
        score=1,
        strategy="margin",
        policy="quantile",
        threshold=0.5,
        propensity=0.1,
        reason="exploration",
        priority=1,
        expected_correct=0.5,
        metadata=metadata or {},
    )


def test_features_and_metadata_are_echoed_exactly_nulls_included() -> None:
    features: FeatureMap = {
        "null": None,
        "int": 3,
        "float": 3.0,
        "true": True,
        "text": "",
        "list": (1.5, -2.0),
        "tiny": 5e-324,
        "": "no name",
        "big": 2**64 - 1,
    }
    metadata: Metadata = {"shop": None, "row": 7}
    value = review(features, metadata).to_bytes()
    document = orjson.loads(value)
    assert document["features"] == {**features, "list": [1.5, -2.0]}
    assert [type(each) for each in document["features"].values()][:4] == [
        type(None),
        int,
        float,
        bool,
    ]
    assert document["metadata"] == metadata
    again = ReviewRequest.from_bytes(value)
    assert again.features == features
    assert again.to_bytes() == value


def test_absent_fields_are_left_out() -> None:
    document = orjson.loads(review({}).to_bytes())
    assert document["prediction"] == {"label": "a"}
    assert document["model"] == {"version": 0, "probabilities": {}}
    assert b"null" not in Heartbeat(sent_at=NOON, pending=0).to_bytes()


def test_times_are_written_in_utc() -> None:
    event = LabelEvent(
        event_id="e",
        label="a",
        annotator="x",
        labelled_at=datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))),
    )
    assert orjson.loads(event.to_bytes())["labelled_at"] == "2026-01-01T12:00:00Z"


def test_a_prediction_survives_the_round_trip() -> None:
    event = Prediction(
        event_id="ü",
        timestamp=NOON,
        features={"a": None, "b": (1.0,)},
        prediction=Output(probabilities={"a": 0.25, "b": 0.75}),
        committee=({"a": 1.0}, 0.5),
        metadata={"x": None},
    )
    assert Prediction.from_bytes(event.to_bytes()) == event


def test_events_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        review({}).score = 0.5  # type: ignore[misc]  # that it fails is the point


@pytest.mark.parametrize("propensity", [0, -0.1, 1.1])
def test_a_review_without_a_propensity_is_none(propensity: float) -> None:
    document = orjson.loads(review({}).to_bytes()) | {"propensity": propensity}
    with pytest.raises(Reject, match="propensity"):
        ReviewRequest.from_bytes(orjson.dumps(document))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, "missing_label"),
        ({"label": None}, "missing_label"),
        ({"adjudicates": True}, "missing_label"),
        ({"label": ""}, "invalid_field"),
        ({"label": "a", "value": 1.5}, "invalid_field"),
        ({"value": "1.5"}, "invalid_field"),
        ({"value": True}, "invalid_field"),
        ({"label": "a", "annotator": ""}, "invalid_field"),
        ({"label": "a", "annotator": None}, "invalid_field"),
        ({"label": "a", "labelled_at": "soon"}, "invalid_field"),
        ({"label": "a", "note": "x" * 10_001}, "invalid_field"),
        ({"label": "a", "unsure": "perhaps"}, "invalid_field"),
        ({"label": "a", "features": {"x": {}}}, "invalid_field"),
        ({"label": "a", "prediction": {}}, "missing_prediction"),
        ({"label": "a", "schema_version": 9}, "unsupported_schema_version"),
    ],
)
def test_labels_that_cannot_be_used(parts: dict[str, object], reason: str) -> None:
    document = {"event_id": "e", "annotator": "x", "labelled_at": "2026-01-01T12:00:00Z", **parts}
    with pytest.raises(Reject) as caught:
        LabelEvent.from_bytes(orjson.dumps(document))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "answer", [{"unsure": True}, {"skip": True}, {"withdrawn": True}, {"label": 1}]
)
def test_labels_that_can(answer: dict[str, object]) -> None:
    document = {"event_id": 17, "annotator": "x", "labelled_at": 0, **answer}
    event = LabelEvent.from_bytes(orjson.dumps(document))
    assert event.event_id == "17"
    assert event.label in (None, "1")


@pytest.mark.parametrize("truncated_from", [None, 2_000_000])
def test_dead_letter_headers_survive_the_round_trip(truncated_from: int | None) -> None:
    letter = DeadLetter("malformed_json", "é: line 1", "gate", "predictions", 3, 17, truncated_from)
    headers = letter.headers()
    assert all(name.startswith("streamal.") for name, _ in headers)
    assert DeadLetter.from_headers(headers) == letter


def test_dead_letter_headers_take_any_text_and_miss_none() -> None:
    headers = DeadLetter("r", "lone \ud800", "gate", "t", 0, 0).headers()
    assert DeadLetter.from_headers(headers).detail == "lone ?"
    with pytest.raises(KeyError):
        DeadLetter.from_headers(headers[1:])


def test_a_numeric_answer() -> None:
    answer = {"event_id": "e", "annotator": "x", "labelled_at": "2026-01-01T12:00:00Z", "value": 3}
    label = LabelEvent.from_bytes(orjson.dumps(answer))
    assert (label.label, label.value) == (None, 3.0)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_a_numeric_answer_is_finite(number: bytes) -> None:
    document = b'{"event_id":"e","annotator":"x","labelled_at":"2026-01-01T12:00:00Z","value":%b}'
    with pytest.raises(Reject) as caught:
        LabelEvent.from_bytes(document % number)
    assert caught.value.reason in {"malformed_json", "invalid_field"}
