"""Labels that a trainer learns per second, with the reviews that they answer stored before."""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import islice
from typing import Final

from benchmarks.throughput.bench import Bench, Result, Spread, table
from benchmarks.throughput.events import Shape
from benchmarks.throughput.reviews import answered, requested
from benchmarks.throughput.rows import MAIN_GATE

LEARNED: Final = "streamal_labels_total"
_WARM_UP: Final = 500


def run(bench: Bench) -> Result:
    """As often as everything else."""
    runs = [_labels_per_second(bench) for _ in range(bench.options.repeat)]
    wall = Spread.of([each[0] for each in runs], 0)
    cpu = Spread.of([each[1] for each in runs], 0)
    shown = table("Labels learned by the trainer, logistic_regression", "labels", "per second")
    shown.add_row(f"{bench.options.labels:,} by the clock on the wall", str(wall))
    shown.add_row(f"{bench.options.labels:,} by CPU time", str(cpu))
    entry = {
        "labels": bench.options.labels,
        "per_second": asdict(wall),
        "per_cpu_second": asdict(cpu),
    }
    return Result(entry, shown)


def _labels_per_second(bench: Bench) -> tuple[float, float]:
    pipeline = MAIN_GATE.pipeline(bench)
    topics, count = pipeline.settings.topics, bench.options.labels
    reviews = requested(pipeline.settings.pipeline.name, Shape(), _WARM_UP + count)
    trainer = pipeline.start_ready("trainer")
    try:
        first = list(islice(reviews, _WARM_UP))
        bench.log.append(topics.reviews, first)
        bench.log.append(topics.labels, answered(first))
        trainer.wait_metric(LEARNED, _WARM_UP, outcome="learned")
        with trainer.frozen():
            rest = list(reviews)
            bench.log.append(topics.reviews, rest)
            bench.log.append(topics.labels, answered(rest))
            cpu, started = trainer.cpu_seconds(), time.monotonic()
        trainer.wait_metric(LEARNED, _WARM_UP + count, outcome="learned")
        seconds = time.monotonic() - started
        return count / seconds, count / (trainer.cpu_seconds() - cpu)
    finally:
        trainer.stop()
        bench.log.delete(pipeline.topics)
