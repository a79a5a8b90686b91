"""Whatever production publishes ends as a prediction or as a reject with a reason, never else."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.errors import Reject
from streamal.events import DecodedPrediction, Prediction, ProbabilityRules
from streamal.events.bounds import MAX_FEATURE_LIST
from streamal.events.formats import Envelope, FlatFormat

VALID: dict[str, Any] = {
    "event_id": "e-1",
    "timestamp": "2026-01-01T00:00:00Z",
    "features": {"x": 1},
    "prediction": {"label": "a"},
}


def read(value: bytes | None, rules: ProbabilityRules | None = None) -> DecodedPrediction:
    return FlatFormat(rules=rules).read(Envelope(value, b"key", 0, {}))[0]


def event(**changes: object) -> bytes:
    return orjson.dumps({**VALID, **changes})


def with_features(text: str) -> bytes:
    """Features as raw text, for what a JSON library would not write."""
    return event(features="@").replace(b'"@"', text.encode())


def reject(value: bytes | None) -> Reject:
    with pytest.raises(Reject) as caught:
        read(value)
    return caught.value


@pytest.mark.parametrize("value", [None, b"", b" \n\t "])
def test_nothing_at_all(value: bytes | None) -> None:
    assert reject(value).reason == "empty"


@pytest.mark.parametrize(
    "value",
    [
        b"hello",
        b"{",
        b'{"event_id": "e"',
        b"{'event_id': 'e'}",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b'{"event_id":"\xff"}',
        bytes(range(256)),
        b"[" * 5_000,
        b'{"features":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        with_features('{"x": NaN}'),
        with_features('{"x": Infinity}'),
        with_features('{"x": 1e999}'),
        with_features('{"x": ' + "9" * 400 + "}"),
        event(event_id="@").replace(b"@", rb"\ud800"),
        with_features(r'{"x": "\udfff"}'),
    ],
)
def test_not_json(value: bytes) -> None:
    assert reject(value).reason == "malformed_json"


@pytest.mark.parametrize("value", [b"[]", b"1", b"1.5", b'"text"', b"null", b"true"])
def test_json_but_no_object(value: bytes) -> None:
    assert reject(value).reason == "not_an_object"


@pytest.mark.parametrize("field", ["event_id", "timestamp", "features"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_required_field_is_absent_or_null(field: str, absent: bool) -> None:
    document = {name: value for name, value in VALID.items() if name != field}
    if not absent:
        document[field] = None
    error = reject(orjson.dumps(document))
    assert error.reason == "missing_field"
    assert error.detail.startswith(f"{field}: ")


@pytest.mark.parametrize("prediction", [None, {}, "a", 1, [], {"probabilities": {}}])
def test_a_prediction_that_says_nothing(prediction: object) -> None:
    assert reject(event(prediction=prediction)).reason == "missing_prediction"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ""),
        ("event_id", 1.5),
        ("event_id", True),
        ("event_id", ["e"]),
        ("event_id", "x" * 257),
        ("event_id", "a\x00b"),
        ("event_id", "a\nb"),
        ("event_id", "a\x7fb"),
        ("event_id", "a\x85b"),
        ("timestamp", "yesterday"),
        ("timestamp", ""),
        ("timestamp", True),
        ("timestamp", [1]),
        ("timestamp", 1e30),
        ("timestamp", 1_767_225_600_123_456_789),
        ("timestamp", "0001-01-01T00:00:00+05:00"),
        ("timestamp", "9999-12-31T23:59:59-05:00"),
        ("features", [1]),
        ("features", "x"),
        ("metadata", [1]),
        ("metadata", {"a": {"b": 1}}),
        ("metadata", {"a": [1]}),
        ("committee", "x"),
        ("committee", {"a": 1}),
        ("committee", [None]),
        ("committee", ["x"]),
        ("committee", [{"a": None}]),
        ("model", {"name": ""}),
        ("model", {"version": [1]}),
    ],
)
def test_a_field_of_the_wrong_kind(field: str, value: object) -> None:
    error = reject(event(**{field: value}))
    assert error.reason == "invalid_field"
    assert error.detail.startswith(field)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"b": 1},
        [{}],
        ["x"],
        ["1"],
        [True],
        [None],
        [[1]],
        [0.0] * (MAX_FEATURE_LIST + 1),
    ],
)
def test_a_feature_of_the_wrong_kind_is_named_with_what_is_allowed(value: object) -> None:
    error = reject(event(features={"fine": 1, "odd": value}))
    assert error.reason == "invalid_field"
    assert error.detail == (
        "features.odd: must be a finite number, text, a boolean, null or a list of at most 256 "
        "numbers"
    )


@pytest.mark.parametrize(
    "prediction",
    [
        {"label": ""},
        {"label": "x" * 257},
        {"label": 1.5},
        {"label": ["a"]},
        {"label": {"a": 1}},
        {"value": "high"},
        {"value": [1]},
        {"probabilities": [0.5, 0.5]},
        {"probabilities": "x"},
        {"probabilities": {"a": None, "b": 1}},
        {"probabilities": {"a": "likely"}},
        {"probabilities": {"": 0.5, "b": 0.5}},
        {"probabilities": {"a" * 257: 0.5, "b": 0.5}},
    ],
)
def test_a_prediction_of_the_wrong_kind(prediction: object) -> None:
    error = reject(event(prediction=prediction))
    assert error.reason == "invalid_field"
    assert error.detail.startswith("prediction.")


@pytest.mark.parametrize(
    "probabilities",
    [
        {"a": -0.1, "b": 1.1},
        {"a": "NaN", "b": 1},
        {"a": "Infinity"},
        {"a": 0.5, "b": 0.4},
        {"a": 0.5, "b": 0.502},
        {"a": 0, "b": 0},
        {"a": 1e308, "b": 1e308},
        {"a": 2},
    ],
)
@pytest.mark.parametrize("place", ["prediction", "committee"])
def test_what_is_no_distribution(place: str, probabilities: object) -> None:
    changes: dict[str, object] = (
        {"prediction": {"probabilities": probabilities}}
        if place == "prediction"
        else {"committee": [{"a": 1}, probabilities]}
    )
    error = reject(event(**changes))
    assert error.reason == "bad_probabilities"
    assert error.detail.startswith(place)


@pytest.mark.parametrize("probabilities", [{"a": 0, "b": 0}, {"a": -1, "b": 2}, {"a": 1e308}])
def test_normalising_needs_a_positive_sum(probabilities: dict[str, float]) -> None:
    rules = ProbabilityRules(normalise=True)
    with pytest.raises(Reject, match="bad_probabilities"):
        read(event(prediction={"probabilities": probabilities | {"c": probabilities["a"]}}), rules)


@pytest.mark.parametrize("version", [2, 0, "1", "x", [], 1.5])
def test_an_unknown_version_of_the_shape(version: object) -> None:
    assert reject(event(schema_version=version)).reason == "unsupported_schema_version"


def test_a_required_feature_is_absent_or_null() -> None:
    flat = FlatFormat(required_features=("amount",))
    for features in ({"x": 1}, {"amount": None}):
        with pytest.raises(Reject) as caught:
            flat.read(Envelope(event(features=features), None, 0, {}))
        assert caught.value.reason == "missing_feature"
        assert "features.amount" in caught.value.detail
    (kept,) = flat.read(Envelope(event(features={"amount": 0}), None, 0, {}))
    assert kept.features == {"amount": 0}


def test_the_detail_is_one_short_line_whatever_the_event_holds() -> None:
    for name in ("x" * 100_000, "a\nb\x00\u2028"):
        detail = reject(event(features={name: {}})).detail
        assert len(detail) < 600
        assert detail.isprintable()
        assert detail.endswith("a list of at most 256 numbers")


def test_the_last_of_duplicate_keys_counts() -> None:
    value = event().replace(b'{"event_id":"e-1"', b'{"event_id":"first","event_id":"e-1"')
    assert read(value).event_id == "e-1"


REASONS = {
    "bad_probabilities",
    "invalid_field",
    "missing_field",
    "missing_prediction",
    "unsupported_schema_version",
}
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*VALID, "committee", "metadata", "model"]), json_values))
def test_any_value_in_any_field_is_read_or_rejected(changes: dict[str, object]) -> None:
    rejected: Reject | None = None
    try:
        prediction = read(event(**changes)).event()
        assert Prediction.from_bytes(prediction.to_bytes()) == prediction
    except Reject as error:
        rejected = error
    assert rejected is None or (rejected.reason in REASONS and rejected.detail.isprintable())


@given(st.binary(max_size=200))
def test_any_bytes_are_rejected(value: bytes) -> None:
    with pytest.raises(Reject):
        read(value)
