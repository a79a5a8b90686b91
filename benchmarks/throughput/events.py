"""Events as production publishes them, with the truth that only the benchmark knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import orjson

CLASSES: Final = ("ok", "fraud")
#: Before the first event; a gate refuses events that are dated too far ahead of its clock.
_FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_SPACING_SECONDS: Final = 0.001
_BLOCK: Final = 2_000
#: What production knows of the truth: a gate that asks about its doubts finds errors.
_NOISE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Shape:
    """How an event looks.

    Attributes:
        features: number of numeric features.
        size_bytes: length of the JSON, which is filled up to it; longer where the features are.
    """

    features: int = 10
    size_bytes: int = 409

    def __str__(self) -> str:
        return f"{self.features} features, {self.size_bytes / 1024:.1f} KB"


class Event(NamedTuple):
    """One message, and what a reviewer would answer."""

    key: bytes
    value: bytes
    truth: str


def events(shape: Shape, count: int, *, seed: int = 1, prefix: str = "order") -> Iterator[Event]:
    """The first `count` events; the same for the same arguments.

    Args:
        shape: of the events.
        count: how many.
        seed: draws other values, around the same boundary between the classes.
        prefix: of the event ids.
    """
    slope = np.random.default_rng(0).normal(size=shape.features) / np.sqrt(shape.features)
    rng = np.random.default_rng(seed)
    for start in range(0, count, _BLOCK):
        points = rng.normal(size=(_BLOCK, shape.features)).round(4)
        logits = 3.0 * points @ slope
        seen = 1.0 / (1.0 + np.exp(-logits - rng.normal(scale=_NOISE, size=_BLOCK)))
        truths = rng.random(_BLOCK) < 1.0 / (1.0 + np.exp(-logits))
        rows = zip(points.tolist(), seen.round(4).tolist(), truths.tolist(), strict=True)
        for number, (values, fraud, is_fraud) in enumerate(islice(rows, count - start), start):
            key = f"{prefix}-{number:08d}"
            yield Event(
                key.encode(), _message(shape, key, number, values, fraud), CLASSES[is_fraud]
            )


def _message(shape: Shape, key: str, number: int, values: list[float], fraud: float) -> bytes:
    moment = datetime.fromtimestamp(_FIRST + number * _SPACING_SECONDS, UTC)
    document = {
        "event_id": key,
        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "model": {"name": "fraud", "version": "14"},
        "features": {f"x{index}": value for index, value in enumerate(values)},
        "prediction": {
            "label": CLASSES[fraud > 0.5],
            "probabilities": {"ok": round(1.0 - fraud, 4), "fraud": fraud},
        },
        "metadata": {"shop": "north"},
    }
    missing = shape.size_bytes - len(orjson.dumps(document)) - len(',"note":""')
    if missing > 0:
        document["metadata"] = {"shop": "north", "note": "-" * missing}
    return orjson.dumps(document)
