"""How much accuracy does a label buy? Our strategies and policies side by side, same base learner.

    python benchmarks/label_efficiency.py [DATA:LABEL ...] [--seeds 5] [--jobs 2] [--json PATH]

Streams: those that ship inside River (Phishing, Bananas, ImageSegments, the first 10,000 events of
Shuttle) and any recorded ones given as DATA:LABEL. Every combination of a registered strategy and
a registered policy, each with its defaults, asks for 1, 5 and 10 % of the labels and teaches the
same logistic regression. Per combination and budget the table shows, over streams and seeds: mean
prequential accuracy, retention (accuracy / accuracy of the same learner with all labels), mean
rank among the combinations by a stream's mean accuracy (1 is best), and spend error.

What other libraries do on the same streams is not measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from statistics import fmean

import orjson
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from river import datasets

from streamal.core.budgets import BUDGETS
from streamal.core.strategies import STRATEGIES
from streamal.lab import Experiment, Recording, Reviewers, Run, run_experiment

LEARNER = "logistic_regression"
BUDGETS_TRIED = (0.01, 0.05, 0.10)
SHUTTLE_EVENTS = 10_000
#: What a strategy with another name and `source` looks at.
SOURCES = ("model", "committee")

River = Callable[[], Iterable[tuple[Mapping[str, float], object]]]
SHIPPED: Mapping[str, River] = {
    "phishing": datasets.Phishing,
    "bananas": datasets.Bananas,
    "image_segments": datasets.ImageSegments,
    "shuttle": lambda: islice(datasets.Shuttle(), SHUTTLE_EVENTS),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One combination under one budget, over all streams and seeds.

    Attributes:
        accuracy: mean prequential accuracy, in [0, 1].
        retention: mean of accuracy / accuracy with all labels.
        rank: mean rank among the combinations of this budget, 1 is best; ties share their mean.
        spend_error: mean of |share asked about / budget - 1|.
        error_yield: mean share of questions where the model would have been wrong.
        seconds: mean wall time of a run.
    """

    strategy: str
    policy: str
    budget: float
    accuracy: float
    retention: float
    rank: float
    spend_error: float
    error_yield: float
    seconds: float


def shipped(folder: Path) -> Iterator[Recording]:
    """River's streams as files, so that they are read like anybody's recording."""
    for name, stream in SHIPPED.items():
        path = folder / f"{name}.jsonl"
        with path.open("wb") as file:
            for features, label in stream():
                row = {str(column): value for column, value in features.items()}
                file.write(orjson.dumps({**row, "label": label}) + b"\n")
        yield Recording(path, "label")


def strategies() -> tuple[str, ...]:
    """All registered ones; those with a source once for the model and once for the committee."""
    found: list[str] = []
    for name, strategy in STRATEGIES.items():
        takes_source = hasattr(strategy(), "source")
        found += [f"{name},source={source}" for source in SOURCES] if takes_source else [name]
    return tuple(found)


def run_stream(recording: Recording, options: argparse.Namespace) -> list[Run]:
    """All combinations over one stream."""
    experiment = Experiment(
        recording=recording,
        reviewers=Reviewers(),
        strategies=tuple(options.strategy or strategies()),
        policies=tuple(options.policy or BUDGETS),
        learners=(LEARNER,),
        budgets=BUDGETS_TRIED,
        seeds=options.seeds,
    )
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(recording.path.stem, total=None)
        return run_experiment(
            experiment,
            jobs=options.jobs,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        ).runs()


def rows(runs: Sequence[Run]) -> list[Row]:
    """Means by combination and budget, best rank first within a budget."""
    ranks = ranked(runs)
    ordered = sorted(runs, key=combination)
    found = [
        Row(
            strategy=strategy,
            policy=policy,
            budget=budget,
            accuracy=fmean(run.accuracy for run in group),
            retention=fmean(run.retention or 0.0 for run in group),
            rank=fmean(ranks[run.data, combination(run)] for run in group),
            spend_error=fmean(abs(run.query_ratio / run.budget - 1) for run in group),
            error_yield=fmean(run.error_yield or 0.0 for run in group),
            seconds=fmean(run.seconds for run in group),
        )
        for (budget, strategy, policy), group in (
            (key, list(each)) for key, each in groupby(ordered, combination)
        )
    ]
    return sorted(found, key=lambda row: (row.budget, row.rank))


def combination(run: Run) -> tuple[float, str, str]:
    """What is compared, within its budget."""
    return run.budget, run.strategy, run.policy


def ranked(runs: Sequence[Run]) -> dict[tuple[str, tuple[float, str, str]], float]:
    """Rank of each combination on each stream and budget, by mean accuracy over the seeds."""
    by_key: dict[tuple[str, tuple[float, str, str]], list[float]] = {}
    for run in runs:
        by_key.setdefault((run.data, combination(run)), []).append(run.accuracy)
    means = {key: fmean(values) for key, values in by_key.items()}
    return {
        (data, key): _rank(mean, [m for (d, k), m in means.items() if (d, k[0]) == (data, key[0])])
        for (data, key), mean in means.items()
    }


def _rank(value: float, among: Sequence[float]) -> float:
    """1 + how many are better; equal ones share the mean of their places."""
    better = sum(other > value for other in among)
    equal = sum(other == value for other in among)
    return better + (equal + 1) / 2


def table(found: Sequence[Row], streams: Sequence[str], seeds: int) -> Table:
    """The rows for a terminal."""
    one = Table(
        title=f"label efficiency of {LEARNER}: {len(streams)} streams ({', '.join(streams)}), "
        f"{seeds} seeds",
        title_justify="left",
    )
    one.add_column("budget", justify="right")
    one.add_column("strategy / policy", overflow="fold")
    for name in ("accuracy", "retention", "mean rank", "spend error", "error yield", "seconds"):
        one.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for number, row in enumerate(found):
        last = number + 1 == len(found) or found[number + 1].budget != row.budget
        one.add_row(
            f"{row.budget:.0%}",
            f"{row.strategy} / {row.policy}",
            f"{row.accuracy:.2%}",
            f"{row.retention:.1%}",
            f"{row.rank:.2f}",
            f"{row.spend_error:.1%}",
            f"{row.error_yield:.1%}",
            f"{row.seconds:.2f}",
            end_section=last,
        )
    return one


def recorded(text: str) -> Recording:
    """The argument DATA:LABEL."""
    path, colon, label = text.rpartition(":")
    if not colon or not path or not label:
        raise argparse.ArgumentTypeError(f"{text!r} is not DATA:LABEL, a file and its label column")
    return Recording(Path(path), label)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="*", type=recorded, metavar="DATA:LABEL")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--strategy", action="append", help="instead of all registered ones")
    parser.add_argument("--policy", action="append", help="instead of all registered ones")
    parser.add_argument("--only-data", action="store_true", help="leave River's streams out")
    parser.add_argument("--json", type=Path, metavar="PATH")
    return parser.parse_args()


def main() -> None:
    """Run, print, write."""
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        streams = [] if options.only_data else list(shipped(Path(folder)))
        streams += options.data
        if not streams:
            raise SystemExit("--only-data: no DATA:LABEL is given")
        runs = [run for stream in streams for run in run_stream(stream, options)]
    found = rows(runs)
    names = [stream.path.stem for stream in streams]
    Console().print(table(found, names, options.seeds))
    if options.json is not None:
        document = {
            "learner": LEARNER,
            "streams": names,
            "seeds": options.seeds,
            "summary": [asdict(row) for row in found],
            "runs": [{**asdict(run), "data": Path(run.data).stem} for run in runs],
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
