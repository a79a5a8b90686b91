"""Reviews as a gate requests them and labels as people give them, made without either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from benchmarks.throughput.events import Event, Shape, events

_ANNOTATOR: Final = "reviewer"


def now() -> str:
    """The time of day as events carry it."""
    return datetime.now(UTC).isoformat()


def requested(pipeline: str, shape: Shape, count: int) -> Iterator[Event]:
    """Review requests about the first events of a shape, decided on now."""
    decided, expires = datetime.now(UTC), datetime.now(UTC) + timedelta(days=7)
    about = {
        "schema_version": 1,
        "pipeline": pipeline,
        "decided_at": decided.isoformat(),
        "expires_at": expires.isoformat(),
        "model": {"version": 1, "label": "ok", "probabilities": {"ok": 0.6, "fraud": 0.4}},
        "score": 0.8,
        "strategy": "margin",
        "policy": "quantile",
        "threshold": 0.7,
        "propensity": 0.5,
        "reason": "above_threshold",
        "priority": 0.8,
        "expected_correct": 0.6,
        "segments": {"model_version": "14"},
    }
    for event in events(shape, count):
        published = orjson.loads(event.value)
        request = {
            **about,
            "event_id": published["event_id"],
            "occurred_at": published["timestamp"],
            "features": published["features"],
            "prediction": published["prediction"],
            "produced_by": published["model"],
            "metadata": published["metadata"],
        }
        yield Event(event.key, orjson.dumps(request), event.truth)


def answered(reviews: Iterable[Event]) -> Iterator[Event]:
    """The true label of each review."""
    for review in reviews:
        yield answer(review.key, review.truth)


def answer(event_id: bytes, label: str) -> Event:
    """A label, given now."""
    said = {
        "event_id": event_id.decode(),
        "label": label,
        "annotator": _ANNOTATOR,
        "labelled_at": now(),
    }
    return Event(event_id, orjson.dumps(said), label)
