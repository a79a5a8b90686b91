"""Measure, print a table per section, and write all of it as one JSON document."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.throughput.bench import Bench, Options
from benchmarks.throughput.log import running_log

#: Name on the command line to what it measures; those that take long are not run by default.
SECTIONS: Final = {
    "cpu": "CPU time of the process per event, beside loops and frameworks",
    "latency": "event to readable review at 10, 50 and 90 % of the largest rate",
    "freshness": "label to the first decision with the model that has learned it",
    "learning": "labels that the trainer learns per second",
    "restart": "restart of gate and trainer with many reviews pending",
    "memory": "resident memory of each process",
    "scaling": "1, 2 and 4 gates on 4 partitions",
    "endurance": "the last tenth of a long run beside its second tenth",
    "backtest": "rows per CPU second of `streamal backtest`",
    "core": "the core alone, beside River's and scikit-activeml's",
    "profile": "where the time of a gate goes",
}
#: Those that take long, and run only when they are named, or with `--only all`.
_LONG: Final = frozenset({"restart", "endurance"})
_DEFAULT: Final = tuple(name for name in SECTIONS if name not in _LONG)
#: Say where things lie, not what is measured.
_PLACES: Final = frozenset({"json", "bootstrap", "data"})
_PACKAGES: Final = (
    *("streamal", "river", "kafka-python", "confluent-kafka", "crc32c", "orjson", "numpy"),
    *("quixstreams", "bytewax", "faststream", "aiokafka", "faust-streaming", "scikit-activeml"),
)


def main() -> None:
    """Run what the command line asks for."""
    options = _arguments()
    document: dict[str, Any] = {"environment": _environment(), "settings": _settings(options)}
    with running_log(options.bootstrap) as log:
        bench = Bench(log, _options(options))
        try:
            for name in options.only:
                module = importlib.import_module(f"benchmarks.throughput.sections.{name}")
                result = module.run(bench)
                document[name] = result.rows
                _console().print(result.table)
                if options.json:
                    options.json.write_text(json.dumps(document, indent=2) + "\n")
        finally:
            shutil.rmtree(bench.folder, ignore_errors=True)


def _console() -> Console:
    """Wide enough for the names of all rows, also into a file."""
    return Console(width=max(120, Console().width))


def _arguments() -> argparse.Namespace:
    lines = "\n".join(f"  {name:12} {what}" for name, what in SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput",
        description=f"{__doc__}\n\nsections:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", type=_sections, default=_DEFAULT, help="sections by comma, or all"
    )
    parser.add_argument("--rows", default="", help="only rows with one of these in their name")
    parser.add_argument("--events", type=int, default=30_000, help="measured events of a row")
    parser.add_argument("--warm-up", type=int, default=5_000, help="events before those")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each row")
    parser.add_argument("--pending", type=int, default=1_000_000, help="reviews of a restart")
    parser.add_argument("--endurance", type=int, default=300_000, help="events of the long run")
    parser.add_argument("--labels", type=int, default=20_000, help="that the trainer learns")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each latency's rate")
    parser.add_argument("--data", type=_recording, help="FILE:COLUMN to backtest")
    parser.add_argument("--bootstrap", help="a broker that runs already, instead of one of ours")
    parser.add_argument("--json", type=Path, help="write everything here")
    return parser.parse_args()


def _sections(text: str) -> tuple[str, ...]:
    if text == "all":
        return tuple(SECTIONS)
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f"{name}: not one of {', '.join(SECTIONS)}")
    return names


def _recording(text: str) -> tuple[Path, str]:
    path, _, column = text.rpartition(":")
    if not path:
        raise argparse.ArgumentTypeError(f"{text}: must be FILE:COLUMN")
    return Path(path), column


def _options(given: argparse.Namespace) -> Options:
    return Options(
        events=given.events,
        warm_up=given.warm_up,
        repeat=given.repeat,
        rows=tuple(part.strip() for part in given.rows.split(",") if part.strip()),
        pending=given.pending,
        endurance=given.endurance,
        labels=given.labels,
        seconds=given.seconds,
        data=given.data,
    )


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    shown = {name: value for name, value in vars(given).items() if name not in _PLACES}
    return shown | {"data": given.data and given.data[0].name}


def _environment() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
