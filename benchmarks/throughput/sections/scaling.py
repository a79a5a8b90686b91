"""1, 2 and 4 gates of one group on 4 partitions."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Final

from benchmarks.throughput.bench import Bench, Result, Spread, table
from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.rows import GateRow, main_gates

_GATES: Final = (1, 2, 4)
_PARTITIONS: Final = 4


def run(bench: Bench) -> Result:
    """The wall-clock rate grows as far as there are cores; the CPU time per event should not."""
    columns = ("gates", "events per second", "CPU of all, µs per event")
    shown = table(f"Gates on {_PARTITIONS} partitions", "program", *columns)
    entries = []
    for row in main_gates():
        for gates in _GATES:
            runs = [_drained(bench, row, gates) for _ in range(bench.options.repeat)]
            rate, cpu = (Spread.of([each[part] for each in runs], 1) for part in (0, 1))
            entries.append(
                {
                    "row": row.name,
                    "gates": gates,
                    "events_per_second": asdict(rate),
                    "cpu_us_per_event": asdict(cpu),
                }
            )
            shown.add_row(row.name, str(gates), str(rate), str(cpu))
    return Result(entries, shown)


def _drained(bench: Bench, row: GateRow, gates: int) -> tuple[float, float]:
    """Events per second, and microseconds of CPU per event over all gates."""
    pipeline = row.pipeline(bench, partitions=_PARTITIONS)
    topic = pipeline.settings.topics.predictions
    warm_up, count = bench.options.warm_up, bench.options.events
    given = list(events(Shape(), warm_up + count))
    processes = [pipeline.start_ready("gate") for _ in range(gates)]
    try:
        bench.log.append(topic, given[:warm_up])
        bench.log.wait_committed(pipeline.gates, topic, warm_up)
        with ExitStack() as stack:
            for process in processes:
                stack.enter_context(process.frozen())
            bench.log.append(topic, given[warm_up:])
            before = sum(process.cpu_seconds() for process in processes)
            started = time.monotonic()
        bench.log.wait_committed(pipeline.gates, topic, warm_up + count)
        seconds = time.monotonic() - started
        cpu = sum(process.cpu_seconds() for process in processes) - before
    finally:
        for process in processes:
            process.stop()
        bench.log.delete(pipeline.topics)
    return count / seconds, cpu / count * 1e6
