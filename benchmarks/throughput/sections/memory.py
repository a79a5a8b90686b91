"""Resident memory: a gate that has nothing to do, the same after work, a trainer after work."""

from __future__ import annotations

from benchmarks.throughput.bench import Bench, Result, table
from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.reviews import answered, requested
from benchmarks.throughput.rows import MAIN_GATE
from benchmarks.throughput.sections.learning import LEARNED


def run(bench: Bench) -> Result:
    """One pipeline, its processes one after the other."""
    pipeline = MAIN_GATE.pipeline(bench)
    topics, count = pipeline.settings.topics, bench.options.events // 2
    found: dict[str, float] = {}
    try:
        gate = pipeline.start_ready("gate")
        found["gate, idle"] = gate.resident_megabytes()
        bench.log.append(topics.predictions, events(Shape(), count))
        bench.log.wait_committed(pipeline.gates, topics.predictions, count, gate.check_alive)
        found[f"gate, after {count:,} events"] = gate.resident_megabytes()
        gate.stop()
        trainer = pipeline.start_ready("trainer")
        found["trainer, idle"] = trainer.resident_megabytes()
        labels = bench.options.labels // 2
        reviews = list(requested(pipeline.settings.pipeline.name, Shape(), labels))
        bench.log.append(topics.reviews, reviews)
        bench.log.append(topics.labels, answered(reviews))
        trainer.wait_metric(LEARNED, labels, outcome="learned")
        found[f"trainer, after {labels:,} labels"] = trainer.resident_megabytes()
        trainer.stop()
    finally:
        bench.log.delete(pipeline.topics)
    shown = table("Resident memory, MB (2^20 bytes)", "process", "MB")
    for name, megabytes in found.items():
        shown.add_row(name, f"{megabytes:.0f}")
    return Result({name: round(megabytes, 1) for name, megabytes in found.items()}, shown)
