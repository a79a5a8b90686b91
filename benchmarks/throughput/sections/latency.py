"""From an event to its review, as a read_committed consumer sees it, at three rates."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson

from benchmarks.throughput.bench import Bench, Result, table
from benchmarks.throughput.pipeline import Pipeline
from benchmarks.throughput.rows import GateRow, main_gates
from benchmarks.throughput.sections.cpu import measure

#: Enough reviews for a tail.
_BUDGET: Final = 0.1
_LOADS: Final = (0.1, 0.5, 0.9)
_SHARES: Final = (0.5, 0.99, 0.999)
#: Until a paced producer is at its rate.
_SETTLE_SECONDS: Final = 1.0
#: How long after the last event its review may still come.
_GRACE_SECONDS: Final = 5.0


@contextmanager
def paced(
    bench: Bench, topic: str, rate: float, count: int, prefix: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A production that publishes `count` events at `rate` per second."""
    command = [sys.executable, "-m", "benchmarks.throughput.peers.paced", bench.log.bootstrap]
    command += [topic, str(rate), str(count), prefix]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.kill()


def run(bench: Bench) -> Result:
    """Every client, every rate."""
    columns = ("gate", "load", "events per second", "reviews")
    shown = table(
        f"Event to readable review, budget {_BUDGET:.0%}, ms",
        *columns,
        *(f"p{100 * share:g}" for share in _SHARES),
    )
    entries = []
    for row in main_gates(_BUDGET):
        largest = measure(_shorter(bench), row).events_per_second
        for entry in _at_loads(bench, row, largest):
            entries.append(entry)
            shown.add_row(
                row.name,
                f"{entry['load']:.0%}",
                f"{entry['events_per_second']:,}",
                f"{entry['reviews']:,}",
                *(f"{value:,}" for value in entry["milliseconds"].values()),
            )
    return Result(entries, shown)


def _shorter(bench: Bench) -> Bench:
    """The largest rate takes no more events than half of a row of the table."""
    return replace(bench, options=replace(bench.options, events=bench.options.events // 2))


def _at_loads(bench: Bench, row: GateRow, largest: float) -> Iterator[dict[str, Any]]:
    pipeline = row.pipeline(bench)
    gate = pipeline.start_ready("gate")
    try:
        for load in _LOADS:
            rate = max(1, round(load * largest))
            seconds = _latencies(bench, pipeline, rate)
            quantiles = np.quantile(seconds, _SHARES) if seconds else [float("nan")] * len(_SHARES)
            yield {
                "row": row.name,
                "load": load,
                "events_per_second": rate,
                "reviews": len(seconds),
                "milliseconds": {
                    f"p{100 * share:g}": round(1000.0 * value, 1)
                    for share, value in zip(_SHARES, quantiles, strict=True)
                },
            }
    finally:
        gate.stop()
        bench.log.delete(pipeline.topics)


def _latencies(bench: Bench, pipeline: Pipeline, rate: int) -> list[float]:
    """Seconds from sending to reading, of the reviews after the first second."""
    topics, count = pipeline.settings.topics, round(rate * bench.options.seconds)
    prefix, found, first = f"r{rate}", [], None
    with (
        bench.log.reader(topics.reviews, "end") as consumer,
        paced(bench, topics.predictions, rate, count, prefix) as producer,
    ):
        deadline = None
        while deadline is None or time.monotonic() < deadline:
            for message in consumer.consume(500, timeout=0.05):
                read = time.time()
                sent = datetime.fromisoformat(orjson.loads(message.value())["occurred_at"])
                first = first or sent.timestamp()
                if sent.timestamp() >= first + _SETTLE_SECONDS:
                    found.append(read - sent.timestamp())
            if deadline is None and producer.poll() is not None:
                deadline = time.monotonic() + _GRACE_SECONDS
    return found
