"""CPU time of the process per event.

A program first handles the warm-up and comes to rest. Then it is frozen while the measured events
are stored, so that it finds them all at once, as after a pause, and so that nothing of them was
fetched before its CPU clock is read.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from rich.console import Console

from benchmarks.throughput.bench import Bench, Result, Spread, table
from benchmarks.throughput.events import Event, Shape, events
from benchmarks.throughput.log import Failed
from benchmarks.throughput.rows import Row, gate_rows, peer_rows
from streamal.errors import StreamalError

_MICRO: Final = 1e6
#: What others are compared with.
_BASE: Final = "quixstreams, at-least-once"


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a row.

    Attributes:
        cpu_us: user and system time of the process per event, in microseconds.
        events_per_second: by the clock on the wall.
        routed: events that somebody is asked about.
    """

    cpu_us: float
    events_per_second: float
    routed: int


@cache
def _stored(shape: Shape, count: int) -> Sequence[Event]:
    """Every row of a shape sees the same."""
    return tuple(events(shape, count))


def measure(bench: Bench, row: Row) -> Sample:
    """Run a row once."""
    warm_up = bench.options.warm_up
    count = max(1, round(bench.options.events * row.share))
    total = warm_up + count
    given = _stored(row.shape, warm_up + bench.options.events)
    subject = row.start(bench, warm_up, total)
    try:
        bench.log.append(subject.topic, given[:warm_up])
        subject.wait(warm_up)
        subject.settle(warm_up)
        with subject.process.frozen():
            before = subject.process.cpu_seconds()
            bench.log.append(subject.topic, given[warm_up:total])
            started = time.monotonic()
        ended = subject.wait(total)
        subject.settle(total)
        cpu = subject.process.cpu_seconds() - before
        routed = len(bench.log.read(subject.reviews))
    finally:
        subject.end()
    return Sample(cpu / count * _MICRO, count / (ended - started), routed)


def run(bench: Bench) -> Result:
    """Every row, by turns."""
    rows = [row for row in (*peer_rows(), *gate_rows()) if bench.options.wants(row.name)]
    missing = {row.name: why for row in rows if (why := row.missing()) is not None}
    samples: dict[str, list[Sample]] = defaultdict(list)
    failures: dict[str, str] = {}
    try:
        for _ in range(bench.options.repeat):
            _round(bench, [row for row in rows if row.name not in missing], samples, failures)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: the table has what was measured until then")
    for row in rows:
        if not samples[row.name] and row.name not in missing:
            missing[row.name] = failures.get(row.name, "not measured")
    return _result(bench, rows, samples, missing)


def _round(
    bench: Bench,
    rows: Sequence[Row],
    samples: dict[str, list[Sample]],
    failures: dict[str, str],
) -> None:
    """Each row once."""
    for row in rows:
        try:
            samples[row.name].append(measure(bench, row))
        except (Failed, StreamalError) as error:
            failures[row.name] = str(error)
        else:
            Console(stderr=True).print(len(samples[row.name]), row.name, samples[row.name][-1])


def _result(
    bench: Bench, rows: Sequence[Row], samples: dict[str, list[Sample]], missing: dict[str, str]
) -> Result:
    columns = ("program", "CPU, µs per event", f"÷ {_BASE}", "events per second", "routed")
    shown = table("CPU time of the process per event", *columns)
    entries = []
    base = Spread.of([each.cpu_us for each in samples[_BASE]]).median if samples[_BASE] else None
    for row in rows:
        if row.name in missing:
            shown.add_row(row.name, missing[row.name].partition("\n")[0])
            entries.append({"row": row.name, "group": row.group, "missing": missing[row.name]})
            continue
        entry = _entry(bench, row, samples[row.name], base)
        entries.append(entry)
        ratio = entry["ratio"]
        shown.add_row(
            row.name,
            str(Spread.of([each.cpu_us for each in samples[row.name]])),
            "" if ratio is None else f"{ratio:.2f}",
            f"{entry['events_per_second']['median']:,.0f}",
            f"{entry['routed_share']:.2%}",
        )
    return Result(entries, shown)


def _entry(bench: Bench, row: Row, samples: list[Sample], base: float | None) -> dict[str, Any]:
    count = max(1, round(bench.options.events * row.share))
    cpu = Spread.of([each.cpu_us for each in samples])
    total = count + bench.options.warm_up
    return {
        "row": row.name,
        "group": row.group,
        "features": row.shape.features,
        "event_bytes": row.shape.size_bytes,
        "events": count,
        "cpu_us_per_event": asdict(cpu),
        "ratio": None if base is None else round(cpu.median / base, 3),
        "events_per_second": asdict(Spread.of([each.events_per_second for each in samples], 0)),
        "routed_share": round(samples[-1].routed / total, 5),
    }
