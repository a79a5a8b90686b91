"""The contracts as documents that other tools can load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from streamal import events
from streamal.events.base import Event
from streamal.events.topics import Topics
from streamal.operations.schema import asyncapi, json_schemas

#: Keywords of JSON Schema 2020-12 that pydantic writes.
KEYWORDS = {
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "title",
    "type",
}


def nodes(node: object) -> Iterator[dict[str, Any]]:
    """Every object inside of a document."""
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from nodes(inner)


def resolve(document: dict[str, Any], reference: str) -> object:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def schemas_inside(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and all schemas in it, but not its maps from name to schema."""
    yield schema
    for keyword in ("properties", "$defs"):
        for inner in schema.get(keyword, {}).values():
            yield from schemas_inside(inner)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from schemas_inside(schema[keyword])
    for inner in schema.get("anyOf", []):
        yield from schemas_inside(inner)


def test_every_event_has_a_schema() -> None:
    exported = {
        name
        for name in events.__all__
        if isinstance(getattr(events, name), type) and issubclass(getattr(events, name), Event)
    }
    assert set(json_schemas()) == exported


@pytest.mark.parametrize("name", json_schemas())
def test_schemas_use_keywords_of_json_schema_and_resolve(name: str) -> None:
    schema = json_schemas()[name]
    assert schema["type"] == "object"
    assert set(schema["required"]) <= set(schema["properties"])
    for inner in schemas_inside(schema):
        assert set(inner) <= KEYWORDS
        if "$ref" in inner:
            assert resolve(schema, inner["$ref"])


def test_limits_of_the_contract_are_in_the_schema() -> None:
    properties = json_schemas()["ReviewRequest"]["properties"]
    assert properties["propensity"] == {
        "exclusiveMinimum": 0,
        "maximum": 1,
        "title": "Propensity",
        "type": "number",
    }
    assert properties["event_id"]["maxLength"] == 256
    assert properties["schema_version"]["const"] == 1
    assert properties["occurred_at"]["format"] == "date-time"


def test_asyncapi_references_resolve() -> None:
    document = asyncapi(Topics())
    references = [node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        assert resolve(document, reference), reference


def test_asyncapi_names_the_topics_of_the_pipeline() -> None:
    topics = Topics(reviews="orders.reviews", labels="orders_labels")
    document = asyncapi(topics)
    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == {
        "predictions",
        "orders.reviews",
        "orders_labels",
        "models",
        "windows",
        "drift",
    }
    operations = document["operations"]
    assert operations["receive-orders_labels"]["action"] == "receive"
    assert operations["send-orders.reviews"]["channel"] == {"$ref": "#/channels/orders.reviews"}
    assert set(document["channels"]["models"]["messages"]) == {"SnapshotHeader", "Heartbeat"}


def test_every_message_of_asyncapi_travels_somewhere() -> None:
    document = asyncapi(Topics())
    travelling = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert travelling == set(document["components"]["messages"]) == set(json_schemas())


def test_documents_are_json() -> None:
    assert orjson.loads(orjson.dumps(asyncapi(Topics())))
    assert orjson.loads(orjson.dumps(json_schemas()))
