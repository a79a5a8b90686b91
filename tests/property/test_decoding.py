"""The quick way to read a message and the explaining one agree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final, get_args

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from streamal.errors import Reject
from streamal.events import Prediction, ProbabilityRules, decoded
from streamal.events.base import FeatureMap, Metadata, rejecting
from streamal.events.bounds import Irregular
from streamal.events.formats import Envelope, FieldMapping, FlatFormat, flat
from streamal.events.formats.mapping import Finder, find_in_own_shape
from streamal.events.formats.regular import read_regular
from tests.support.messages import DETECTION, VALID

GOLDEN: Final = Path(__file__).parent.parent / "golden/wire/Prediction.json"

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
shares = st.floats(0, 1) | st.sampled_from([0, 1, 0.5, 0.25, -0.0, 1e-320, 1.0005, "0.5", True])
names = st.sampled_from(["a", "b", "", "ü", "x" * 256, "x" * 257, "0", "\x7f"]) | st.text()
distributions = (
    st.dictionaries(names, shares, max_size=4)
    | st.sampled_from([{"a": 0.25, "b": 0.75}, {"b": 0.5, "a": 0.5}, {"a": 0.3, "b": 0.7005}, {}])
    | st.sampled_from([{"a": 1}, {"a": 0, "b": 1}, {"a": 1e308, "b": 1e308}, {"a": True}])
    | st.lists(st.floats(0, 1), min_size=1, max_size=4).map(
        lambda given: {str(n): p / (sum(given) or 1) for n, p in enumerate(given)}
    )
)
labels = (
    st.sampled_from([0, 1, True, False, 1.0, -2.0, 1.5, -0.0, 1e22, 1e300, "", "a", "x" * 257])
    | st.text()
    | numbers
)
times = (
    st.sampled_from(
        [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.1Z",
            "2026-01-01T00:00:00.123456Z",
            "2026-01-01T00:00:00.1234567Z",
            "2026-01-01T00:00:00,123Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T23:59:60Z",
            "2026-02-29T00:00:00Z",
            "2026-W01-1T00:00:00Z",
            "2026-01-01t00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+02:00",
            "2026-01-01T00:00:00-23:59",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+02:00:30Z",
            "2026-01-01T00:00:00.Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:59:59.999999Z",
            "٢026-01-01T00:00:00Z",
            "2026-01-01",
            "1767225600",
            1_767_225_600,
            1_767_225_600.25,
            1_767_225_600_123,
            -1,
            1e30,
            True,
        ]
    )
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
    | st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,6})?Z\Z"
    )
    | numbers
)


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One in eight is odd, so that messages of many parts are often accepted."""
    return st.integers(0, 7).flatmap(lambda number: usual if number else odd)


exact = (
    st.lists(st.floats(0, 1) | st.integers(0, 3), min_size=1, max_size=4)
    .filter(lambda given: sum(given) > 0)
    .map(lambda given: {f"c{n}": p / sum(given) for n, p in enumerate(given)})
) | st.sampled_from([{"a": 1}, {"b": 0.5, "a": 0.5}, {"a": 0, "b": 1}, {"a": 0.3, "b": 0.7005}])
plain_text = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8)
moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | st.floats(0, 2e9)
objects = st.fixed_dictionaries(
    {"score": mostly(st.floats(0, 1) | st.integers(0, 1), shares | anything)},
    optional={
        "label": mostly(plain_text | st.integers(), labels | st.none()),
        "probabilities": mostly(exact, distributions),
        "box": mostly(st.lists(numbers, min_size=2, max_size=4), st.just([1] * 17) | anything),
    },
)
outputs = st.fixed_dictionaries(
    {"label": mostly(plain_text | st.none() | st.booleans() | st.integers(), labels | anything)},
    optional={
        "probabilities": mostly(exact, distributions | anything),
        "value": mostly(numbers, anything),
        "token_probabilities": mostly(st.lists(st.floats(0, 1), max_size=4), anything),
        "objects": mostly(st.lists(objects, max_size=3), anything),
    },
)
ids = st.sampled_from(["e", "", 17, True, 1.5, "x" * 257, "a\x00", "a\x85", "\u00a0"]) | names
features = mostly(
    st.dictionaries(names, scalars | st.lists(numbers, max_size=4), max_size=5),
    st.dictionaries(names, anything, max_size=5) | anything,
)
messages = st.fixed_dictionaries(
    {
        "event_id": mostly(plain_text | st.integers(0, 2**64 - 1), ids | anything),
        "timestamp": mostly(moments, times | anything),
        "features": features,
        "prediction": mostly(outputs, anything),
    },
    optional={
        "schema_version": mostly(st.just(1), st.sampled_from([1.0, True, 2, "1", None])),
        "model": mostly(
            st.fixed_dictionaries({}, optional={"name": plain_text, "version": st.integers()}),
            st.fixed_dictionaries({}, optional={"name": ids, "version": ids}) | anything,
        ),
        "committee": mostly(st.lists(exact | numbers, max_size=3), anything),
        "metadata": mostly(st.dictionaries(names, scalars, max_size=3), anything),
        "model.name": ids,
        "prediction.label": labels,
        "unknown": st.dictionaries(names, scalars, max_size=2) | anything,
    },
)
every_rules = st.builds(
    ProbabilityRules, tolerance=st.sampled_from([0, 1e-3, 0.2]), normalise=st.booleans()
)
MAPPINGS: Final = (
    FieldMapping(),
    FieldMapping(event_id="$key", timestamp="$timestamp", label="prediction"),
    FieldMapping(features="*", label="prediction.label", metadata="unknown"),
    FieldMapping(features_prefix="prediction", label="model", probabilities_prefix="m"),
    FieldMapping(features="features.a", positive_probability="prediction.value"),
    FieldMapping(event_id="model.name", label="prediction.label.b", objects="committee"),
)


def assert_agreement(document: object, mapping: FieldMapping, rules: ProbabilityRules) -> bool:
    """Whether the quick way accepts the message, after seeing that the other one agrees."""
    value = json.dumps(document, ensure_ascii=False).encode()
    adapter, envelope = FlatFormat(mapping, rules), Envelope(value, b"key", 1_767_225_600_123, {})
    try:
        parts = adapter._find(orjson.loads(value), envelope)
        quick = read_regular(parts, rules)
    except (Irregular, Reject):
        return False
    explained = decoded(rejecting(Prediction, flat._as_event(parts), rules))
    assert repr(quick) == repr(explained)  # tells 1 from 1.0 and from true, and -0.0 from 0.0
    assert quick == explained
    assert adapter.read(envelope) == (quick,)
    return True


@settings(max_examples=500)
@given(messages, st.sampled_from(MAPPINGS), every_rules)
@example(VALID, MAPPINGS[0], ProbabilityRules())
@example(DETECTION, MAPPINGS[0], ProbabilityRules())
@example({**VALID, "timestamp": "2026-01-01T00:00:00.Z"}, MAPPINGS[0], ProbabilityRules())
@example({**VALID, "timestamp": "2026-01-01T24:00:00Z"}, MAPPINGS[0], ProbabilityRules())
@example({**VALID, "model": {"name": True}}, MAPPINGS[0], ProbabilityRules())
def test_what_the_quick_way_accepts_the_explaining_one_accepts(
    message: dict[str, Any], mapping: FieldMapping, rules: ProbabilityRules
) -> None:
    assert_agreement(message, mapping, rules)


@settings(max_examples=300)
@given(st.sampled_from([VALID, DETECTION]), st.data())
def test_one_odd_field_in_an_ordinary_message(message: dict[str, Any], data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted({*VALID, "prediction"})))
    by: dict[str, st.SearchStrategy[Any]] = {
        "event_id": ids,
        "timestamp": times,
        "features": features,
        "prediction": outputs,
        "committee": st.lists(distributions | numbers, max_size=3),
    }
    changed = {**message, field: data.draw(by.get(field, anything))}
    assert_agreement(changed, MAPPINGS[0], data.draw(every_rules))


@given(messages)
def test_the_own_shape_is_found_as_the_default_mapping_finds_it(message: dict[str, Any]) -> None:
    found = find_in_own_shape(message)
    if found is None:
        assert any("." in key for key in message)
    else:
        assert list(found) == Finder(flat._paths(FieldMapping())).find(message)


@given(
    st.dictionaries(
        names,
        scalars
        | st.floats()
        | st.integers()
        | st.lists(st.floats() | numbers | anything, max_size=300)
        | st.tuples(numbers)
        | anything,
    )
)
def test_entries_are_kept_or_refused_as_pydantic_alone_does(value: dict[str, Any]) -> None:
    for annotated in (FeatureMap, Metadata):
        bare = TypeAdapter(get_args(annotated)[0])
        assert _validated(TypeAdapter(annotated), value) == _validated(bare, value)


def _validated(adapter: TypeAdapter[Any], value: object) -> tuple[object, ...]:
    """What is kept, or where the first error is and which."""
    try:
        return "kept", repr(adapter.validate_python(value))
    except ValidationError as error:
        first = error.errors()[0]
        return first["loc"], first["type"], first["msg"]


ORDINARY: Final[tuple[dict[str, Any], ...]] = (
    VALID,
    DETECTION,
    orjson.loads(GOLDEN.read_bytes()),
    {**VALID, "event_id": 17, "model": {"version": 3}, "unknown": {"span": [1]}},
    {**VALID, "timestamp": 1_767_225_600.25, "metadata": None},
    {**VALID, "timestamp": "2026-01-01T02:00:00+02:00", "prediction": {"label": True}},
    {**VALID, "prediction": {"value": 3.5}, "committee": [1, 2.5]},
    {**VALID, "prediction": {"probabilities": {"a": 0.1, "b": 0.2, "c": 0.7}}},
    {**VALID, "prediction.label": "flattened"},
)


@pytest.mark.parametrize("message", ORDINARY)
def test_ordinary_messages_are_read_quickly(message: dict[str, Any]) -> None:
    assert assert_agreement(message, MAPPINGS[0], ProbabilityRules())


def test_sums_off_by_rounding_are_read_quickly() -> None:
    off = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.39999998}
    assert math.fsum(off.values()) != 1
    message = {**VALID, "prediction": {"probabilities": off}}
    assert assert_agreement(message, MAPPINGS[0], ProbabilityRules())
