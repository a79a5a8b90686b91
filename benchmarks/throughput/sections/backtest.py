"""Rows per CPU second of `streamal backtest`, baselines included, in one process."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final

from river.datasets import synth

from benchmarks.throughput.bench import Bench, Result, Spread, table

#: As many rows and features as the electricity stream has, which River only downloads.
_ROWS: Final = 45_312
_FEATURES: Final = 8
_LABEL: Final = "class"
#: Rows of the run that shows what starting costs.
_FEW: Final = 100


def run(bench: Bench) -> Result:
    """As often as everything else."""
    path, label = bench.options.data or (_generated(bench.folder / "recording.csv"), _LABEL)
    runs = [_backtest(path, label, []) for _ in range(bench.options.repeat)]
    few = [_backtest(path, label, ["--limit", str(_FEW)]) for _ in range(bench.options.repeat)]
    start = min(cpu for cpu, _ in few)
    events = runs[0][1]["events"]
    whole = Spread.of([events / cpu for cpu, _ in runs], 0)
    without = Spread.of([events / (cpu - start) for cpu, _ in runs], 0)
    shown = table(f"streamal backtest, {events:,} rows, logistic_regression", "", "rows per CPU s")
    shown.add_row("the whole command", str(whole))
    shown.add_row("without its start", str(without))
    entry = {
        "rows": events,
        "accuracy": runs[0][1]["accuracy"],
        "start_cpu_seconds": round(start, 2),
        "rows_per_cpu_second": asdict(whole),
        "rows_per_cpu_second_without_start": asdict(without),
    }
    return Result(entry, shown)


def _generated(path: Path) -> Path:
    """Two classes among moving centres, as a CSV file."""
    stream = synth.RandomRBFDrift(
        seed_model=1,
        seed_sample=2,
        n_classes=2,
        n_features=_FEATURES,
        n_centroids=20,
        change_speed=0.001,
        n_drift_centroids=10,
    )
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{number}" for number in range(_FEATURES)), _LABEL])
        for features, label in islice(stream, _ROWS):
            writer.writerow([*(round(value, 6) for value in features.values()), f"c{label}"])
    return path


def _backtest(path: Path, label: str, more: list[str]) -> tuple[float, dict[str, Any]]:
    """CPU seconds of the command, and what it found."""
    command = [sys.executable, "-m", "streamal", "backtest", str(path), "--label", label]
    command += ["--learner", "logistic_regression", "--jobs", "1", "--json", "-", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    (found,) = json.loads(said)
    return usage.ru_utime + usage.ru_stime, found
