"""How long gate and trainer are away when they restart while many reviews wait for an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from benchmarks.throughput.bench import Bench, Result, table
from benchmarks.throughput.events import Event, Shape, events
from benchmarks.throughput.pipeline import Pipeline
from benchmarks.throughput.reviews import answer, requested
from benchmarks.throughput.rows import MAIN_GATE
from benchmarks.throughput.sections.learning import LEARNED

#: More than a restarted gate reads again for its memory of event ids.
_DECIDED: Final = 20_000
#: A trainer that replays a long log learns nothing meanwhile.
_REPLAY_SECONDS: Final = 1_800.0


def run(bench: Bench) -> Result:
    """Each process starts on a log full of reviews, ends, and starts again."""
    pipeline = MAIN_GATE.pipeline(bench)
    pending = bench.options.pending
    topic, name = pipeline.settings.topics.reviews, pipeline.settings.pipeline.name
    truths: dict[bytes, str] = {}  # of two reviews, that will be answered

    def noted() -> Iterator[Event]:
        for review in requested(name, Shape(), pending):
            if len(truths) < 2:
                truths[review.key] = review.truth
            yield review

    try:
        bench.log.append(topic, noted())
        first, again = (_trainer(bench, pipeline, *each) for each in truths.items())
        gate = _gate(bench, pipeline)
    finally:
        bench.log.delete(pipeline.topics)
    shown = table(f"From start to work, with {pending:,} reviews pending", "process", "seconds")
    shown.add_row("trainer without its file: replays the log", f"{first:.1f}")
    shown.add_row("trainer, restarted: start to a label learned", f"{again:.1f}")
    shown.add_row("gate, restarted: start to an event decided", f"{gate:.1f}")
    entry = {
        "pending": pending,
        "trainer_from_log_seconds": round(first, 2),
        "trainer_restart_seconds": round(again, 2),
        "gate_restart_seconds": round(gate, 2),
    }
    return Result(entry, shown)


def _trainer(bench: Bench, pipeline: Pipeline, event_id: bytes, label: str) -> float:
    """Seconds from its start until it has learned a label that was waiting for it."""
    bench.log.append(pipeline.settings.topics.labels, [answer(event_id, label)])
    started = time.monotonic()
    trainer = pipeline.start("trainer")
    try:
        trainer.wait_metric(LEARNED, 1.0, patience=_REPLAY_SECONDS, outcome="learned")
        return time.monotonic() - started
    finally:
        trainer.stop()


def _gate(bench: Bench, pipeline: Pipeline) -> float:
    """The same until it has decided on an event that was waiting for it, as a restarted gate."""
    topic, given = pipeline.settings.topics.predictions, list(events(Shape(), _DECIDED + 1))
    seconds = 0.0
    for count, fresh in ((_DECIDED, given[:-1]), (_DECIDED + 1, given[-1:])):
        bench.log.append(topic, fresh)
        started = time.monotonic()
        gate = pipeline.start("gate")
        try:
            bench.log.wait_committed(pipeline.gates, topic, count, gate.check_alive)
            seconds = time.monotonic() - started
        finally:
            gate.stop()
    return seconds
