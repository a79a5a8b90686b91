"""Messages of earlier versions stay readable, and no contract changes unnoticed.

`wire/` holds one message of each event as its exact bytes, `schemas/` the JSON Schema of each.
After a change that is meant to be seen by others, write them anew and review the difference::

    WRITE_GOLDEN=1 python -m pytest tests/golden
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from streamal.events import (
    Adjudication,
    AnnotatorRuling,
    DriftEvent,
    Heartbeat,
    LabelEvent,
    ModelRef,
    ModelView,
    Output,
    Prediction,
    ReviewRequest,
    SnapshotHeader,
    WindowStats,
)
from streamal.events.base import Event
from streamal.operations.schema import json_schemas

WIRE: Final = Path(__file__).parent / "wire"
SCHEMAS: Final = Path(__file__).parent / "schemas"

NOON: Final = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)
HEARTBEAT: Final = Heartbeat(
    sent_at=NOON,
    pending=17,
    response_rate=0.875,
    label_latency_seconds=42.5,
    quarantined=1,
    disputes=2,
    annotator_alpha=0.75,
    answer_noise=0.0625,
    noise_dominates=True,
)
EVENTS: Final[tuple[Event, ...]] = (
    Prediction(
        event_id="order-81727",
        timestamp=NOON,
        model=ModelRef(name="fraud", version="14"),
        features={
            "amount": 129.9,
            "items": 3,
            "country": "PT",
            "returning": False,
            "coupon": None,
            "embedding": (0.5, -1.0),
        },
        prediction=Output(label="ok", probabilities={"ok": 0.75, "fraud": 0.25}),
        committee=({"ok": 0.5, "fraud": 0.5}, 0.25),
        metadata={"shop": "north", "row": 7, "campaign": None},
    ),
    ReviewRequest(
        event_id="order-81727",
        pipeline="orders",
        occurred_at=NOON,
        decided_at=NOON + timedelta(seconds=1),
        expires_at=NOON + timedelta(days=7),
        features={"amount": 129.9, "coupon": None, "embedding": (0.5, -1.0)},
        prediction=Output(label="ok", probabilities={"ok": 0.75, "fraud": 0.25}),
        model=ModelView(version=12, label="fraud", probabilities={"ok": 0.25, "fraud": 0.75}),
        produced_by=ModelRef(name="fraud", version="14"),
        score=0.5,
        strategy="margin",
        policy="quantile",
        threshold=0.875,
        propensity=0.0625,
        reason="exploration",
        priority=1.0,
        expected_correct=0.25,
        metadata={"shop": "north", "campaign": None},
        required_labels=2,
        adjudication=Adjudication(
            asked_at=NOON + timedelta(hours=1), answers={"reviewer-3": "fraud", "reviewer-4": "ok"}
        ),
    ),
    LabelEvent(
        event_id="order-81727",
        label="fraud",
        annotator="reviewer-3",
        labelled_at=NOON,
        note="stolen card",
        features={"amount": 129.9},
        prediction=Output(label="ok"),
    ),
    AnnotatorRuling(
        annotator="reviewer-3",
        ruling="release",
        ruled_by="lead-1",
        ruled_at=NOON,
        note="the guideline was unclear",
    ),
    WindowStats(
        pipeline="orders",
        partition=3,
        window_start=NOON,
        window_seconds=3600.0,
        events=500,
        routed=25,
        unreachable=1,
        sum_expected_correct=450.5,
        sum_propensity=24.75,
    ),
    HEARTBEAT,
    SnapshotHeader(
        pipeline="orders",
        version=12,
        lineage="5c1c0e0b",
        label_offsets={"0": 1041},
        labels_learned=1000,
        created_at=NOON,
        learner="default",
        settings_digest="9f86d081",
        streamal="0.1.0",
        river="0.26.1",
        python="3.11",
        chunks=2,
        size_bytes=1_000_000,
        sha256="60303ae2",
        heartbeat=HEARTBEAT,
    ),
    DriftEvent(
        pipeline="orders",
        detector="accuracy_shift",
        cause="production's accuracy fell",
        harmful=True,
        statistic=-0.25,
        low=-0.5,
        high=-0.125,
        window_start=NOON,
        window_seconds=3600.0,
        detected_at=NOON,
    ),
)
BY_NAME: Final = {type(event).__name__: event for event in EVENTS}


@pytest.fixture(scope="module", autouse=True)
def written() -> None:
    """Writes the files anew when asked to."""
    if "WRITE_GOLDEN" not in os.environ:
        return
    for folder in (WIRE, SCHEMAS):
        folder.mkdir(exist_ok=True)
    for name, event in BY_NAME.items():
        (WIRE / f"{name}.json").write_bytes(event.to_bytes() + b"\n")
    for name, schema in json_schemas().items():
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        (SCHEMAS / f"{name}.json").write_bytes(orjson.dumps(schema, option=options))


def golden(name: str) -> bytes:
    return (WIRE / f"{name}.json").read_bytes().removesuffix(b"\n")


def test_every_event_has_its_files() -> None:
    names = {f"{name}.json" for name in json_schemas()}
    assert {f"{name}.json" for name in BY_NAME} == names
    assert {path.name for path in WIRE.iterdir()} == names
    assert {path.name for path in SCHEMAS.iterdir()} == names


@pytest.mark.parametrize("name", BY_NAME)
def test_todays_code_reads_yesterdays_bytes(name: str) -> None:
    assert type(BY_NAME[name]).from_bytes(golden(name)) == BY_NAME[name]


@pytest.mark.parametrize("name", BY_NAME)
def test_todays_code_writes_yesterdays_bytes(name: str) -> None:
    assert BY_NAME[name].to_bytes() == golden(name)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_newer_producer_s_fields_are_ignored(name: str) -> None:
    document = orjson.loads(golden(name)) | {"added_in_1_1": {"x": [1]}}
    assert type(BY_NAME[name]).from_bytes(orjson.dumps(document)) == BY_NAME[name]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_schema_has_not_changed(name: str) -> None:
    assert json_schemas()[name] == orjson.loads((SCHEMAS / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", BY_NAME)
def test_the_message_follows_its_schema(name: str) -> None:
    schema = orjson.loads((SCHEMAS / f"{name}.json").read_bytes())
    document = orjson.loads(golden(name))
    assert violations(document, schema, schema) == []
    for field in schema["required"]:
        without = {key: value for key, value in document.items() if key != field}
        assert violations(without, schema, schema) == [f"lacks {field}"]


KINDS: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def violations(value: Any, node: dict[str, Any], root: dict[str, Any]) -> list[str]:  # noqa: ANN401 - any JSON
    """What of the keywords that pydantic writes most `value` breaks; formats are not looked at."""
    if "$ref" in node:
        return violations(value, root["$defs"][node["$ref"].rpartition("/")[2]], root)
    if "anyOf" in node:
        found = [violations(value, option, root) for option in node["anyOf"]]
        return [] if [] in found else found[0]
    if "type" in node and not isinstance(value, KINDS[node["type"]]):
        return [f"{value!r} is no {node['type']}"]
    if value not in node.get("enum", [node.get("const", value)]):
        return [f"{value!r} is none of the choices"]
    if isinstance(value, list):
        return [line for each in value for line in violations(each, node["items"], root)]
    return _object_violations(value, node, root) if isinstance(value, dict) else []


def _object_violations(
    value: dict[str, Any], node: dict[str, Any], root: dict[str, Any]
) -> list[str]:
    lines = [f"lacks {field}" for field in node.get("required", ()) if field not in value]
    known, rest = node.get("properties", {}), node.get("additionalProperties", {})
    for name, each in value.items():
        lines += violations(each, known.get(name, rest), root)
    return lines
