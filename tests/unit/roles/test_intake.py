"""What the gate turns away before it decides."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamal.core.types import Production
from streamal.errors import Reject
from streamal.events import DecodedPrediction, DetectedObject, Output
from streamal.events.formats import Envelope, FlatFormat, Outcome
from streamal.ports import Record
from streamal.roles.intake import Intake
from streamal.roles.items import as_production
from streamal.roles.rules import ClassRules

NOW = 1_767_225_600.0


def read(
    value: bytes | None, classes: tuple[str, ...] = (), max_event_bytes: int = 1024 * 1024
) -> DecodedPrediction:
    intake = Intake(
        FlatFormat(), ClassRules(frozenset(classes)), max_event_bytes, max_future_seconds=300
    )
    record = Record(
        topic="predictions",
        partition=0,
        offset=0,
        key=None,
        value=value,
        headers=(),
        timestamp_ms=round(NOW * 1000),
    )
    (outcome,) = intake.read(record, NOW)
    if isinstance(outcome, Reject):
        raise outcome
    return outcome


def event(**changes: object) -> bytes:
    document: dict[str, Any] = {
        "event_id": "e",
        "timestamp": NOW,
        "features": {"x": 1},
        "prediction": {"label": "a"},
    }
    return orjson.dumps({**document, **changes})


def reason(value: bytes | None, classes: tuple[str, ...] = ()) -> str:
    with pytest.raises(Reject) as caught:
        read(value, classes)
    return caught.value.reason


def test_a_good_event_is_read() -> None:
    assert read(event()).prediction.label == "a"


def test_two_megabytes_are_rejected_unparsed() -> None:
    value = event(features={"x": "y" * 2 * 1024 * 1024})
    assert reason(value) == "too_large"
    assert reason(b"[" * 2 * 1024 * 1024) == "too_large"


def test_the_limit_itself_is_allowed() -> None:
    value = event()
    assert read(value, max_event_bytes=len(value)).event_id == "e"
    with pytest.raises(Reject, match="too_large"):
        read(value, max_event_bytes=len(value) - 1)


@pytest.mark.parametrize("value", [None, b""])
def test_tombstones_are_rejected(value: bytes | None) -> None:
    assert reason(value) == "empty"


@pytest.mark.parametrize("ahead", [301, 10_000_000, 9e9])
def test_the_future_is_rejected(ahead: float) -> None:
    assert reason(event(timestamp=NOW + ahead)) == "future_timestamp"


@pytest.mark.parametrize("ahead", [300, 0, -86_400, -NOW])
def test_clocks_may_differ_a_little_and_events_may_be_old(ahead: float) -> None:
    assert read(event(timestamp=NOW + ahead)).timestamp.timestamp() == NOW + ahead


@pytest.mark.parametrize(
    "prediction",
    [
        {"label": "z"},
        {"label": "a", "probabilities": {"a": 0.5, "z": 0.5}},
        {"probabilities": {"z": 1}},
    ],
)
def test_an_unknown_class_is_rejected_where_classes_are_known(prediction: object) -> None:
    assert reason(event(prediction=prediction), ("a", "b")) == "unknown_class"
    assert read(event(prediction=prediction)).event_id == "e"


def test_a_regression_value_has_no_class_to_sample_by() -> None:
    assert reason(event(prediction={"value": 3.5})) == "unsupported_task"


def test_an_object_s_score_is_that_of_its_class_against_everything_else() -> None:
    found = [
        DetectedObject(label="car", score=0.75),
        DetectedObject(score=0.5),
        DetectedObject(label="car", probabilities={"car": 0.25, "van": 0.75}, score=0.9),
        DetectedObject(probabilities={"car": 1.0}),
    ]
    production = as_production(Output(label="ok", objects=tuple(found)))
    assert production.objects == (
        {"car": 0.75, "": 0.25},
        {"object": 0.5, "": 0.5},
        {"car": 0.25, "van": 0.75},
        {"car": 1.0, "": 0.0},
    )
    assert as_production(Output(label="ok", objects=())).objects == ()
    assert as_production(Output(label="ok")).objects is None


def test_tokens_reach_the_strategies() -> None:
    production = as_production(Output(token_probabilities=(0.5, 0.25)))
    assert production == Production("ok", token_probabilities=(0.5, 0.25))


class Lines:
    """One event in each line; an empty line is the half of an event that waits for the other."""

    def __init__(self) -> None:
        self._flat = FlatFormat()

    def read(self, envelope: Envelope) -> list[Outcome]:
        if envelope.value is None:
            raise Reject("empty", "the message has no value")
        lines = envelope.value.splitlines()
        return [outcome for line in lines if line for outcome in self._line(line)]

    def _line(self, line: bytes) -> tuple[Outcome]:
        try:
            return self._flat.read(Envelope(line, None, 0, {}))
        except Reject as reject:
            return (reject,)


def test_each_record_has_its_predictions_in_order_and_what_is_wrong_with_the_others() -> None:
    intake = Intake(Lines(), ClassRules(frozenset({"a"})), 1000, max_future_seconds=300)
    several = (
        event(event_id="1"),
        b"{",
        event(event_id="2", timestamp=NOW + 301),
        event(event_id="3", prediction={"label": "z"}),
        event(event_id="4"),
    )
    values = [b"\n".join(several), b"\n", None, b"x" * 1001, event(event_id="5"), b"{}"]
    records = [Record("predictions", 0, n, 0, None, value) for n, value in enumerate(values)]
    found = [
        [each.reason if isinstance(each, Reject) else each.event_id for each in outcomes]
        for outcomes in intake.read_all(records, NOW)
    ]
    assert found == [
        ["1", "malformed_json", "future_timestamp", "unknown_class", "4"],
        [],
        ["empty"],
        ["too_large"],
        ["5"],
        ["missing_field"],
    ]
