"""No message takes long to read, whatever is in it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any, Final

import orjson
import pytest

from streamal.errors import Reject
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.events.bounds import (
    MAX_CLASSES,
    MAX_COMMITTEE,
    MAX_CONTAINERS,
    MAX_FEATURES,
    MAX_METADATA,
    MAX_OBJECTS,
    MAX_TOKENS,
    MAX_VALUES,
    check_size,
)
from streamal.events.formats import Envelope, FieldMapping, FlatFormat
from tests.support.messages import (
    ATOMS,
    LABEL,
    LARGEST,
    VALID,
    many,
    mutated,
    seconds,
    usual_seconds_per_byte,
)

#: Every message of the fuzzer takes minutes; a sample of them takes seconds.
MUTATED: Final = 100_000 if os.environ.get("STREAMAL_FUZZ") == "all" else 500

FLAT: Final = FlatFormat()
REST: Final = FlatFormat(FieldMapping(features="*", label="label", event_id="$key"))


def with_value(document: dict[str, Any], path: str, value: bytes) -> bytes:
    """The document with raw JSON at a path."""
    copy = orjson.loads(orjson.dumps(document))
    node, (*parents, last) = copy, path.split(".")
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = "@"
    return orjson.dumps(copy).replace(b'"@"', value)


def read_prediction(value: bytes) -> object:
    return FLAT.read(Envelope(value, b"key", 0, {}))


def read_rest(value: bytes) -> object:
    return REST.read(Envelope(value, b"key", 0, {}))


READERS: Final[tuple[Callable[[bytes], object], ...]] = (
    read_prediction,
    read_rest,
    LabelEvent.from_bytes,
    AnnotatorRuling.from_bytes,
)


def attempt(read: Callable[[bytes], object], value: bytes) -> None:
    try:
        read(value)
    except Reject as reject:
        assert len(reject.detail) < 600  # noqa: PT017 - most messages are rejected, not all


@pytest.fixture(scope="module")
def usual() -> float:
    return usual_seconds_per_byte()


def assert_cheap(read: Callable[[bytes], object], value: bytes, usual: float) -> None:
    """At most ten times what parsing takes of ordinary JSON of this size and 100 kB more.

    Both are measured in the same process. What disturbs one of them seldom does so again: of
    several attempts, each with a parse beside it, one has to be cheap.
    """
    shares = []
    for _ in range(8):
        allowed = 10 * usual * (len(value) + 100_000)
        shares.append(seconds(lambda: attempt(read, value)) / allowed)
        if shares[-1] <= 1:
            return
        usual = usual_seconds_per_byte()
    pytest.fail(f"{min(shares):.1f} times what is allowed: {len(value)} bytes {value[:300]!r}")


PLACES: Final = (
    *("event_id", "timestamp", "model", "model.name", "features", "features.x", "metadata"),
    *("metadata.x", "prediction", "prediction.label", "prediction.probabilities", "committee"),
    *("prediction.value", "prediction.objects", "prediction.token_probabilities", "unknown"),
)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_a_megabyte_of_anything_anywhere(place: str, usual: float, *, named: bool) -> None:
    for atom in (b"{}", b"[]", b"1", b'"a"', b"null"):
        count = LARGEST // (len(atom) + 8 if named else len(atom) + 1)
        assert_cheap(
            read_prediction, with_value(VALID, place, many(atom, count, named=named)), usual
        )


@pytest.mark.parametrize("atom", ATOMS)
@pytest.mark.parametrize(
    ("place", "count", "named"),
    [
        ("features", MAX_FEATURES, True),
        ("metadata", MAX_METADATA, True),
        ("prediction.probabilities", MAX_CLASSES, True),
        ("prediction.objects", MAX_OBJECTS, False),
        ("prediction.token_probabilities", MAX_TOKENS, False),
        ("committee", MAX_COMMITTEE, False),
        ("unknown", MAX_CONTAINERS // 4, False),
    ],
)
def test_as_many_as_are_allowed_of_anything(
    place: str, count: int, usual: float, *, named: bool, atom: bytes
) -> None:
    value = with_value(VALID, place, many(atom, count - 1, named=named))
    assert_cheap(read_prediction, value, usual)


@pytest.mark.parametrize("place", ["features", "prediction.objects", "prediction", "note", "label"])
@pytest.mark.parametrize("atom", [b"{}", b"1", b'"a"'])
def test_a_megabyte_of_a_label(place: str, atom: bytes, usual: float) -> None:
    for named in (False, True):
        value = with_value(LABEL, place, many(atom, LARGEST // 10, named=named))
        assert_cheap(LabelEvent.from_bytes, value, usual)


def test_mutated_messages(usual: float) -> None:
    dice = random.Random(20)
    for _ in range(MUTATED):
        assert_cheap(dice.choice(READERS), mutated(dice), usual)


@pytest.mark.parametrize(
    ("place", "limit", "named", "atom"),
    [
        ("features", MAX_FEATURES, True, b"1"),
        ("metadata", MAX_METADATA, True, b'"a"'),
        ("prediction.objects", MAX_OBJECTS, False, b'{"score":0.5}'),
        ("prediction.token_probabilities", MAX_TOKENS, False, b"0.5"),
        ("committee", MAX_COMMITTEE, False, b'{"a":1}'),
    ],
)
def test_the_limit_itself_is_read(place: str, limit: int, *, named: bool, atom: bytes) -> None:
    read_prediction(with_value(VALID, place, many(atom, limit, named=named)))
    with pytest.raises(Reject, match=rf"invalid_field: {place}: .*at most {limit} are read"):
        read_prediction(with_value(VALID, place, many(atom, limit + 1, named=named)))


def test_the_limit_of_classes() -> None:
    for count in (MAX_CLASSES, MAX_CLASSES + 1):
        share = repr(1 / count).encode()
        value = with_value(VALID, "prediction.probabilities", many(share, count, named=True))
        if count == MAX_CLASSES:
            assert len(FLAT.read(Envelope(value, None, 0, {}))) == 1
        else:
            with pytest.raises(Reject, match=f"at most {MAX_CLASSES} are read"):
                FLAT.read(Envelope(value, None, 0, {}))


def test_values_and_containers_are_counted_wherever_they_are() -> None:
    check_size(many(b"1", MAX_VALUES - 1, named=False))
    check_size(many(b"[]", MAX_CONTAINERS - 1, named=False))
    check_size(many(b"{ }", MAX_CONTAINERS - 1, named=True))
    for value in (
        many(b"1", MAX_VALUES, named=False),
        many(b"[]", MAX_CONTAINERS, named=False),
        many(b"{ }", MAX_CONTAINERS, named=True),
    ):
        with pytest.raises(Reject, match="too_large"):
            check_size(value)


@pytest.mark.parametrize(
    "text", ["{[,", '"' * 5, "\\", '\\"', '",', "\\\\,[", "\n,[", "ü,[", "{\\[,\\"]
)
def test_texts_may_hold_any_number_of_brackets(text: str) -> None:
    features = {"text": text * 100_000, "more": text, "after": 1}
    value = orjson.dumps({**VALID, "features": features})
    (found,) = FLAT.read(Envelope(value, None, 0, {}))
    assert found.features == features


def test_texts_hide_no_brackets() -> None:
    for text in ("\\", '\\"', '"', "\\\\"):
        hidden: list[Any] = [text, [[]] * MAX_CONTAINERS, text]
        with pytest.raises(Reject, match="too_large"):
            check_size(orjson.dumps(hidden))
