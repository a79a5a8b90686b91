"""The wire contracts as JSON Schema, or as an AsyncAPI document over the topics."""

from __future__ import annotations

from typing import Any

from streamal import __version__
from streamal.events import (
    AnnotatorRuling,
    DriftEvent,
    Heartbeat,
    LabelEvent,
    Prediction,
    ReviewRequest,
    SnapshotHeader,
    WindowStats,
)
from streamal.events.base import Event
from streamal.events.topics import Topics

__all__ = ["asyncapi", "json_schemas"]

_EVENTS: tuple[type[Event], ...] = (
    Prediction,
    ReviewRequest,
    LabelEvent,
    AnnotatorRuling,
    WindowStats,
    SnapshotHeader,
    Heartbeat,
    DriftEvent,
)


def json_schemas() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of every event, by name."""
    return {event.__name__: event.model_json_schema() for event in _EVENTS}


def asyncapi(topics: Topics) -> dict[str, Any]:
    """AsyncAPI 3.0 document: who reads and writes what, dead letters apart (any bytes).

    Args:
        topics: the names to use.
    """
    flows: tuple[tuple[str, tuple[type[Event], ...], str, str], ...] = (
        (topics.predictions, (Prediction,), "receive", "What production publishes."),
        (topics.reviews, (ReviewRequest,), "send", "What a human should look at."),
        (
            topics.labels,
            (LabelEvent, AnnotatorRuling),
            "receive",
            "What humans answered, and what leads decided about annotators.",
        ),
        (topics.windows, (WindowStats,), "send", "Counts over all events, for estimation."),
        (
            topics.models,
            (SnapshotHeader, Heartbeat),
            "send",
            "Headers of signed model snapshots, and the trainer's heartbeats between them.",
        ),
        (topics.drift, (DriftEvent,), "send", "What has changed."),
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "streamal",
            "version": __version__,
            "description": "Stream-based selective sampling: predictions in, reviews out, labels "
            "back.",
        },
        "defaultContentType": "application/json",
        "channels": {
            topic: {
                "address": topic,
                "messages": {
                    event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
                    for event in events
                },
            }
            for topic, events, _, _ in flows
        },
        "operations": {
            f"{action}-{topic}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": summary,
            }
            for topic, _, action, summary in flows
        },
        "components": {
            "messages": {
                event.__name__: {"name": event.__name__, "payload": _inline(event)}
                for event in _EVENTS
            }
        },
    }


def _inline(event: type[Event]) -> dict[str, Any]:
    """The event's schema with references that hold inside of the AsyncAPI document."""
    template = f"#/components/messages/{event.__name__}/payload/$defs/{{model}}"
    return event.model_json_schema(ref_template=template)
