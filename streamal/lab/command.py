"""The command `streamal backtest`: options in, table, document and report out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from streamal.core.types import Task
from streamal.errors import SettingsInvalid
from streamal.lab.experiment import Experiment, Reviewers
from streamal.lab.grid import run_experiment
from streamal.lab.report import report as report_page
from streamal.lab.result import Results
from streamal.lab.source import Recording
from streamal.lab.summary import summary, tables
from streamal.settings import GateSettings, LearnerSettings

__all__ = ["backtest"]

_GATE, _LEARNER = GateSettings(), LearnerSettings()
#: Taken when none is named.
_STRATEGY: Final = {
    Task.CLASSIFICATION: _GATE.strategy,
    Task.REGRESSION: "expected_absolute_error",
}
_PARAMETERS = "(with parameters: NAME,key=value,...); may be given several times."


def backtest(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Recorded in stream order: CSV, JSON lines, Parquet."),
    ],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="Column with the truth.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Query strategy {_PARAMETERS}", show_default=_GATE.strategy
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Budget policy {_PARAMETERS}", show_default=_GATE.policy
        ),
    ] = None,
    learner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Online learner {_PARAMETERS}", show_default=_LEARNER.name
        ),
    ] = None,
    budget: Annotated[
        list[float] | None,
        typer.Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Share of events to ask about; may be given several times.",
            show_default=str(_GATE.budget),
        ),
    ] = None,
    delay: Annotated[
        int, typer.Option(min=0, help="Events decided between a question and its answer.")
    ] = 0,
    noise: Annotated[
        float, typer.Option(min=0, max=1, help="Share of answers that name a wrong class.")
    ] = 0.0,
    missing: Annotated[
        float, typer.Option(min=0, max=1, help="Share of questions that are never answered.")
    ] = 0.0,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds to run each combination with.")] = 1,
    limit: Annotated[
        int | None, typer.Option(min=2, help="Use the first so many events.", show_default="all")
    ] = None,
    prediction: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with what production predicted. Without this and --probabilities the "
            "online model's own predictions stand in.",
        ),
    ] = None,
    probabilities: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Prefix of the columns with production's class probabilities: PREFIX + class.",
        ),
    ] = None,
    task: Annotated[
        Task, typer.Option(help="What the label column holds: classes, or numbers.")
    ] = Task.CLASSIFICATION,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0, help="Regression: how far off a prediction may be and still be right."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes to use.", show_default="one per core")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write a self-contained HTML report.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="PATH|-", help="Write one JSON document to PATH, or to stdout with -."
        ),
    ] = None,
) -> None:
    """Compare strategies, budget policies and learners on recorded data, without a broker.

    Every combination decides on each event as production's gate would, asks about what it chooses,
    and learns the answers. Beside it run the same learner on labels of random events and on all
    labels. Exit codes: 0 done, 2 wrong options or data, 130 interrupted.
    """
    if (tolerance is None) is (task is Task.REGRESSION):
        raise SettingsInvalid("--tolerance: needed with --task regression, and only there")
    for option, target in (("--json", json), ("--report", report)):
        _check_target(option, target)
    experiment = Experiment(
        recording=Recording(data, label, prediction, probabilities, limit, tolerance),
        reviewers=Reviewers(delay, noise, missing),
        strategies=tuple(strategy or (_STRATEGY[task],)),
        policies=tuple(policy or (_GATE.policy,)),
        learners=tuple(learner or (_LEARNER.name,)),
        budgets=tuple(budget or (_GATE.budget,)),
        seeds=seeds,
    )
    results = _run(experiment, jobs or os.cpu_count() or 1)
    if report is not None:
        _write("--report", report, report_page(results).encode())
    if json != "-":
        Console().print(*tables(summary(results.runs())), sep="\n")
    if json is not None:
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        _write("--json", json, orjson.dumps(results.document(), option=options))


def _run(experiment: Experiment, jobs: int) -> Results:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description="replaying", completed=done, total=total)

        return run_experiment(experiment, jobs=jobs, progress=progress)


def _check_target(option: str, target: str | Path | None) -> None:
    """Say that a file can't be written before the work that it is for, not after.

    Raises:
        SettingsInvalid: its folder does not exist, or it is a folder itself.
    """
    path = Path(target or "-")
    if str(target) != "-" and (path.is_dir() or not path.parent.is_dir()):
        raise SettingsInvalid(f"{option} = '{target}': cannot be written: not a file in a folder")


def _write(option: str, target: str | Path, data: bytes) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise SettingsInvalid(f"{option} = '{target}': cannot be written: {error}") from error
