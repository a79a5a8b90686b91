"""The command: see the package."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

import benchmarks.label_efficiency as package
from benchmarks.label_efficiency.field import BUDGETS_TRIED, entrants, one_gate
from benchmarks.label_efficiency.presets import PresetRun, preset_runs
from benchmarks.label_efficiency.runs import Run, all_labels
from benchmarks.label_efficiency.streams import EVENTS, SHIPPED, Stream, recorded, shipped
from benchmarks.label_efficiency.summary import gate_rows, gate_table, preset_rows, preset_table
from streamal.lab import Recording

#: Slow gates leave out longer streams.
_LONG = 1_500

_screen = Console(stderr=True)


def gate_runs(streams: Sequence[Stream], options: argparse.Namespace) -> Iterator[list[Run]]:
    """Every gate that is wanted over every stream."""
    jobs = options.jobs
    wanted = [
        (stream, f"{entrant.library} {entrant.name}", options.seeds)
        for stream in sorted(streams, key=lambda each: -len(each.labels))
        for entrant in entrants()
        if not (entrant.slow and len(stream.labels) > _LONG)
        if options.gates is None or any(part in entrant.name for part in options.gates)
    ]
    if jobs == 1:
        for number, each in enumerate(wanted, 1):
            yield one_gate(*each)
            _screen.print(f"{number} of {len(wanted)}: {each[0].name}, {each[1]}")
        return
    # MOA's Java runs in this process by now, and a fork of it would hang.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(one_gate, *each): each for each in wanted}
        for number, future in enumerate(as_completed(futures), 1):
            yield future.result()
            stream, name, _ = futures[future]
            _screen.print(f"{number} of {len(wanted)}: {stream.name}, {name}")


def _recorded(text: str) -> Recording:
    path, colon, label = text.rpartition(":")
    if not colon or not path or not label:
        raise argparse.ArgumentTypeError(f"{text!r} is not DATA:LABEL, a file and its label column")
    return Recording(Path(path), label)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.label_efficiency",
        description=(package.__doc__ or "").splitlines()[0],
    )
    parser.add_argument("data", nargs="*", type=_recorded, metavar="DATA:LABEL")
    parser.add_argument("--only", choices=("gates", "learners"), help="one of the two comparisons")
    parser.add_argument("--streams", nargs="*", choices=SHIPPED, default=list(SHIPPED))
    parser.add_argument("--events", type=int, default=EVENTS, help="of each of these at most")
    parser.add_argument("--gates", nargs="*", metavar="PART", help="those with this in their name")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="PATH")
    return parser.parse_args()


def _compare_gates(streams: Sequence[Stream], options: argparse.Namespace) -> dict[str, object]:
    best = {stream.name: all_labels(stream) for stream in streams}
    runs: list[Run] = []
    for each in gate_runs(streams, options):
        runs += each
        _write(options.json, {"all_labels": best, "gate_runs": [asdict(run) for run in runs]})
    rows = gate_rows(runs, best)
    _print(gate_table(rows))
    return {
        "all_labels": best,
        "gates": [asdict(row) for row in rows],
        "gate_runs": [asdict(run) for run in runs],
    }


def _compare_learners(streams: Sequence[Stream], options: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        runs: list[PresetRun] = []
        for run in preset_runs(streams, BUDGETS_TRIED, options.seeds, Path(folder), _screen.print):
            runs.append(run)
            _write(options.json, {"learner_runs": [asdict(each) for each in runs]})
    rows = preset_rows(runs)
    _print(preset_table(rows))
    return {
        "learners": [asdict(row) for row in rows],
        "learner_runs": [asdict(run) for run in runs],
    }


def main() -> None:
    """Run, print, write."""
    options = _options()
    streams = [*shipped(options.streams, options.events), *map(recorded, options.data)]
    document: dict[str, object] = {
        "seeds": options.seeds,
        "streams": {stream.name: len(stream.labels) for stream in streams},
    }
    if options.only != "learners":
        document |= _compare_gates(streams, options)
    if options.only != "gates":
        document |= _compare_learners(streams, options)
    _write(options.json, document)


def _print(table: Table) -> None:
    """Without a terminal as wide as the table is."""
    Console(width=None if Console().is_terminal else 160).print(table)


def _write(path: Path | None, document: dict[str, object]) -> None:
    """What is known so far, so that a run that is cut short is not lost."""
    if path is not None:
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
