"""From a label to the first decision with the model that has learned it, over gate and trainer.

Decisions are seen in review requests, so many events are routed here, and often enough.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

import orjson

from benchmarks.throughput.bench import Bench, Result, Spread, table
from benchmarks.throughput.log import Failed
from benchmarks.throughput.pipeline import Pipeline
from benchmarks.throughput.reviews import answer
from benchmarks.throughput.rows import MAIN_GATE
from benchmarks.throughput.sections.latency import paced

_BUDGET: Final = 0.5
_RATE: Final = 200
#: Longer than a lone label waits with the default settings.
_LIMIT_SECONDS: Final = 90.0
_EACH_LABEL: Final = "[trainer]\nsnapshot_every_labels = 1\n"
_TRIALS: Final = 5


def run(bench: Bench) -> Result:
    """As installed, and with a snapshot for every label."""
    shown = table("Label to first decision with the new model, seconds", "settings", "seconds")
    entries: list[dict[str, Any]] = []
    cases = (
        ("snapshot_every_labels = 1, a label", _EACH_LABEL, 1, _TRIALS),
        ("defaults, as many labels as a snapshot takes", "", 0, _TRIALS),
        ("defaults, a lone label", "", 1, 1),
    )
    for name, settings, labels, trials in cases:
        spread = Spread.of(_measured(bench, settings, labels, trials), 3)
        entries.append({"row": name, "seconds": asdict(spread)})
        shown.add_row(name, str(spread))
    return Result(entries, shown)


def _measured(bench: Bench, settings: str, labels: int, trials: int) -> list[float]:
    row = replace(MAIN_GATE, budget=_BUDGET)
    pipeline = row.pipeline(bench, more=settings)
    count = labels or pipeline.settings.trainer.snapshot_every_labels
    roles = [pipeline.start_ready("trainer"), pipeline.start_ready("gate")]
    topics = pipeline.settings.topics
    events = round(_RATE * (_LIMIT_SECONDS + 30.0) * trials)
    try:
        roles[0].wait_metric("streamal_trainer_leader", 1.0)
        with (
            bench.log.reader(topics.reviews, "end") as consumer,
            paced(bench, topics.predictions, _RATE, events, "fresh"),
        ):
            seen = _reviews(consumer)
            return [_one(bench, pipeline, seen, count) for _ in range(trials)]
    finally:
        for role in roles:
            role.stop()
        bench.log.delete(pipeline.topics)


def _reviews(consumer: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - confluent has no types
    """Review requests as they come, for as long as somebody looks."""
    last = time.monotonic()
    while time.monotonic() < last + _LIMIT_SECONDS:
        for message in consumer.consume(100, timeout=0.02):
            last = time.monotonic()
            yield orjson.loads(message.value())


def _one(bench: Bench, pipeline: Pipeline, seen: Iterator[dict[str, Any]], count: int) -> float:
    """Label `count` fresh reviews at once; seconds until a review names a newer model."""
    reviews = [next(seen) for _ in range(count)]
    before = reviews[-1]["model"]["version"]
    labels = [answer(each["event_id"].encode(), each["prediction"]["label"]) for each in reviews]
    bench.log.append(pipeline.settings.topics.labels, labels)
    labelled = time.time()
    for review in seen:
        if review["model"]["version"] > before:
            return datetime.fromisoformat(review["decided_at"]).timestamp() - labelled
        if time.time() > labelled + _LIMIT_SECONDS:
            break
    raise Failed(f"no newer model than version {before} within {_LIMIT_SECONDS:.0f} s")
