"""Does the lab's memory grow with the recording? Peak memory of `streamal backtest` by rows.

    python -m benchmarks.lab_memory [--rows 100000 1000000] [--formats csv parquet] [--json PATH]

Recordings of 10 numbers and 2 classes are written into a temporary folder. Each backtest is a
process of its own, with one job, so that all runs follow one another in it; the peak is what the
kernel says of it (`ru_maxrss`). Baselines are always run, so every recording is read three times:
to count, with the budget, and with all labels. Takes minutes per million rows.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

FEATURES: Final = 10
_BLOCK: Final = 10_000
_NAMES: Final = tuple(f"x{number}" for number in range(FEATURES))


@dataclass(frozen=True, slots=True)
class Peak:
    """One row of the table.

    Attributes:
        file: kind of recording.
        rows: of the recording.
        strategy: of the backtest.
        learner: of the backtest.
        peak_megabytes: most memory that the process held (2^20 bytes).
        seconds: wall time of the process.
        accuracy: prequential, to see that the work was done.
    """

    file: str
    rows: int
    strategy: str
    learner: str
    peak_megabytes: float
    seconds: float
    accuracy: float


def blocks(rows: int) -> Iterator[tuple[NDArray[np.float64], list[str]]]:
    """Points and classes, some thousand at a time."""
    rng = np.random.default_rng(1)
    slope = rng.normal(size=FEATURES)
    for start in range(0, rows, _BLOCK):
        points = rng.normal(size=(min(_BLOCK, rows - start), FEATURES)).round(6)
        noisy = points @ slope + rng.normal(size=len(points))
        yield points, np.where(noisy > 0.0, "yes", "no").tolist()


def write(path: Path, rows: int) -> None:
    """A recording in the format of the path's ending."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow((*_NAMES, "class"))
            for points, labels in blocks(rows):
                writer.writerows(
                    (*point, label) for point, label in zip(points.tolist(), labels, strict=True)
                )
        return
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    columns = [*((name, arrow.float64()) for name in _NAMES), ("class", arrow.string())]
    schema = arrow.schema(columns)
    with parquet.ParquetWriter(path, schema) as writer:
        for points, labels in blocks(rows):
            writer.write_table(arrow.table([*points.T, labels], schema=schema))


def measured(path: Path, rows: int, strategy: str, learner: str) -> Peak:
    """Run the backtest and wait for it."""
    command = [
        *(sys.executable, "-m", "streamal", "backtest", str(path), "--label", "class"),
        *("--strategy", strategy, "--learner", learner, "--jobs", "1"),
        *("--json", str(path.with_suffix(".json"))),
    ]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    (run,) = json.loads(path.with_suffix(".json").read_text())
    return Peak(
        file=path.suffix[1:],
        rows=rows,
        strategy=strategy,
        learner=learner,
        peak_megabytes=round(usage.ru_maxrss / 1024, 1),  # Linux counts in kilobytes
        seconds=round(time.perf_counter() - started, 1),
        accuracy=round(run["accuracy"], 4),
    )


def table(peaks: list[Peak]) -> Table:
    """The rows as people read them."""
    shown = Table(title="Peak memory of one backtest: 10 features, 2 classes")
    for column in ("file", "rows", "strategy", "learner", "peak, MB", "seconds", "accuracy"):
        shown.add_column(column, justify="left" if column in {"file", "strategy"} else "right")
    for peak in peaks:
        shown.add_row(
            peak.file,
            f"{peak.rows:,}",
            peak.strategy,
            peak.learner,
            f"{peak.peak_megabytes:.1f}",
            f"{peak.seconds:.0f}",
            f"{peak.accuracy:.2%}",
        )
    return shown


def main() -> None:
    """Measure, print, and write the rows if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument(
        "--formats", nargs="+", choices=("csv", "parquet"), default=["csv", "parquet"]
    )
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--learner", default="gaussian_nb")
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args()
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for ending in options.formats:
            for rows in options.rows:
                path = Path(folder) / f"recording.{ending}"
                write(path, rows)
                peaks.append(measured(path, rows, options.strategy, options.learner))
                Console().print(peaks[-1])
    Console().print(table(peaks))
    if options.json:
        options.json.write_text(json.dumps([asdict(peak) for peak in peaks], indent=2) + "\n")


if __name__ == "__main__":
    main()
