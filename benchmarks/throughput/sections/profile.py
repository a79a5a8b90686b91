"""Where the CPU time of a gate goes, by package, as a sampling profiler sees it.

The gate's role runs in a process of its own whose timer fires with every millisecond of CPU time
or so; each sample is counted for the package that runs, and for every package that waits for it.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from benchmarks.throughput.bench import Bench, Result, table
from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.process import Process
from benchmarks.throughput.rows import MAIN_GATE
from streamal.bootstrap import Pipeline, connect
from streamal.clock import SystemClock
from streamal.settings import load_settings
from streamal.telemetry.metrics import Metrics

_INTERVAL_SECONDS: Final = 0.001
#: Between two questions to the broker whether all is done, so that they do not show.
_LOOK_SECONDS: Final = 2.0
_SHOWN: Final = 30
_LEAST_SHARE: Final = 0.005
_PACKAGES: Final = Path(json.__file__).parents[1]


@dataclass
class Samples:
    """What the timer saw.

    Attributes:
        own: package to samples in which it ran.
        within: package to samples in which it was on the stack.
        functions: function to samples in which it ran.
    """

    own: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)

    def take(self, _number: int, frame: FrameType | None) -> None:
        """One tick; a function in C counts for the one in Python that called it."""
        if frame is None:
            return
        leaf = group_of(frame.f_globals.get("__name__", ""))
        self.own[leaf] += 1
        self.functions[f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"] += 1
        stack: set[str] = set()
        above: FrameType | None = frame
        while above is not None:
            stack.add(group_of(above.f_globals.get("__name__", "")))
            above = above.f_back
        self.within.update(stack)


def group_of(module: str) -> str:
    """Modules of streamal stand for themselves, those of others for their package."""
    parts = module.split(".")
    return ".".join(parts[:3]) if parts[0] == "streamal" else parts[0]


def run(bench: Bench) -> Result:
    """One gate, profiled."""
    pipeline = MAIN_GATE.pipeline(bench)
    topic, count = pipeline.settings.topics.predictions, bench.options.events
    warm_up = bench.options.warm_up
    found = bench.folder / "profile.json"
    command = [sys.executable, "-m", __name__, str(pipeline.config), str(warm_up + count)]
    bench.log.append(topic, events(Shape(), warm_up + count))
    gate = Process([*command, str(found)], bench.folder / "profile.log")
    try:
        gate.wait_handled(warm_up + count)
    finally:
        gate.stop()
        bench.log.delete(pipeline.topics)
    return _result(json.loads(found.read_text()))


def _result(samples: dict[str, Any]) -> Result:
    cpu = samples["cpu_us_per_event"]
    total = sum(samples["own"].values())
    columns = ("of the time", "with what it calls")
    shown = table(f"Where the time of a gate goes ({cpu:.0f} µs per event)", "package", *columns)
    shares = {
        name: (number / total, samples["within"][name] / total)
        for name, number in sorted(samples["own"].items(), key=lambda each: -each[1])
    }
    for name, (own, within) in shares.items():
        if own >= _LEAST_SHARE:
            shown.add_row(name, f"{own:.1%}", f"{within:.1%}")
    functions = Counter(samples["functions"]).most_common(_SHOWN)
    entry = {
        "samples": total,
        "cpu_us_per_event": cpu,
        "packages": {
            name: {"own": round(own, 4), "within": round(within, 4)}
            for name, (own, within) in shares.items()
        },
        "functions": {name: round(number / total, 4) for name, number in functions},
    }
    return Result(entry, shown)


def profile(config: Path, count: int, out: Path) -> None:
    """Run the gate's role in this thread until it has committed `count` events, sampled."""
    settings, samples = load_settings(config), Samples()
    signal.signal(signal.SIGPROF, samples.take)
    with connect(settings) as broker:
        pipeline = Pipeline(settings, broker, SystemClock(), Metrics(settings.pipeline.name))
        gate = pipeline.gate(instance="profiled")
        gate.start()
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)
        started = time.process_time()
        while not _has_committed(gate, count):
            until = time.monotonic() + _LOOK_SECONDS
            while time.monotonic() < until:
                gate.step()
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        cpu = (time.process_time() - started) / count * 1e6
        out.write_text(json.dumps(vars(samples) | {"cpu_us_per_event": round(cpu, 1)}))
        sys.stdout.write(f"handled {count}\n")
        sys.stdout.flush()
        signal.pause()


def _has_committed(gate: Any, count: int) -> bool:  # noqa: ANN401 - a role's own
    offsets = gate.consumer.committed(gate.consumer.assignment())
    return sum(each or 0 for each in offsets.values()) >= count


if __name__ == "__main__":
    profile(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
