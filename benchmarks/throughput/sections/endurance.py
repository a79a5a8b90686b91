"""Does a gate get slower? The last tenth of a long run beside its second tenth."""

from __future__ import annotations

import time

from benchmarks.throughput.bench import Bench, Result, table
from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.rows import GateRow, main_gates

_TENTHS = 10


def run(bench: Bench) -> Result:
    """Every client."""
    columns = ("second tenth", "last tenth", "last ÷ second", "MB at the end")
    shown = table(f"Events per second over {bench.options.endurance:,} events", "gate", *columns)
    entries = []
    for row in main_gates():
        wall, cpu, megabytes = _tenths(bench, row)
        for name, rates in ((row.name, wall), (f"{row.name}, per CPU second", cpu)):
            ratio = rates[-1] / rates[1]
            figures = (f"{rates[1]:,.0f}", f"{rates[-1]:,.0f}", f"{ratio:.3f}", f"{megabytes:.0f}")
            shown.add_row(name, *figures)
        entries.append(
            {
                "row": row.name,
                "events": bench.options.endurance,
                "events_per_second_by_tenth": [round(each) for each in wall],
                "events_per_cpu_second_by_tenth": [round(each) for each in cpu],
                "last_by_second_tenth": round(wall[-1] / wall[1], 4),
                "megabytes": round(megabytes, 1),
            }
        )
    return Result(entries, shown)


def _tenths(bench: Bench, row: GateRow) -> tuple[list[float], list[float], float]:
    """Events per second and per CPU second of each tenth, and the memory at the end."""
    pipeline = row.pipeline(bench)
    topic, count = pipeline.settings.topics.predictions, bench.options.endurance
    wall, cpu = [], []
    try:
        bench.log.append(topic, events(Shape(), count))
        gate = pipeline.start("gate")
        mark = (0, time.monotonic(), 0.0)
        for tenth in range(1, _TENTHS + 1):
            wanted = count * tenth // _TENTHS
            bench.log.wait_committed(pipeline.gates, topic, wanted, gate.check_alive)
            done = bench.log.committed(pipeline.gates, topic)
            now = (done, time.monotonic(), gate.cpu_seconds())
            wall.append((now[0] - mark[0]) / (now[1] - mark[1]))
            cpu.append((now[0] - mark[0]) / (now[2] - mark[2]))
            mark = now
        megabytes = gate.resident_megabytes()
        gate.stop()
    finally:
        bench.log.delete(pipeline.topics)
    return wall, cpu, megabytes
