"""The command `streamal backtest`: options in, table, document and report out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from streamal.cli.common import Json, check_target, write_file, write_json
from streamal.core.types import Task
from streamal.errors import SettingsInvalid

if TYPE_CHECKING:
    from streamal.lab import Experiment, Results

__all__ = ["backtest"]

# The defaults of `GateSettings` and `LearnerSettings`, which the help tells without loading them.
_POLICY: Final = "quantile"
_LEARNER: Final = "default"
_BUDGET: Final = 0.05
#: Taken when none is named.
_STRATEGY: Final = {
    Task.CLASSIFICATION: "margin",
    Task.REGRESSION: "expected_absolute_error",
}
_PARAMETERS: Final = "(with parameters: NAME,key=value,...); may be given several times."

# The recording.
_Data: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DATA", help="Recorded in stream order: CSV, JSON lines, Parquet.")
]
_Label: TypeAlias = Annotated[str, typer.Option(metavar="COLUMN", help="Column with the truth.")]
_Limit: TypeAlias = Annotated[
    int | None, typer.Option(min=2, help="Use the first so many events.", show_default="all")
]
_Prediction: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column with what production predicted. Without this and --probabilities the "
        "online model's own predictions stand in.",
    ),
]
_Probabilities: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="PREFIX",
        help="Prefix of the columns with production's class probabilities: PREFIX + class.",
    ),
]
_Task: TypeAlias = Annotated[
    Task, typer.Option(help="What the label column holds: classes, or numbers.")
]
_Tolerance: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0, help="Regression: how far off a prediction may be and still be right."),
]

# What is compared.
_Strategies: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help=f"Query strategy {_PARAMETERS}",
        show_default=_STRATEGY[Task.CLASSIFICATION],
    ),
]
_Policies: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help=f"Budget policy {_PARAMETERS}", show_default=_POLICY),
]
_Learners: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help=f"Online learner {_PARAMETERS}", show_default=_LEARNER),
]
_Budgets: TypeAlias = Annotated[
    list[float] | None,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=1,
        help="Share of events to ask about; may be given several times.",
        show_default=str(_BUDGET),
    ),
]
_Seeds: TypeAlias = Annotated[int, typer.Option(min=1, help="Seeds to run each combination with.")]

# How people answer.
_Delay: TypeAlias = Annotated[
    int, typer.Option(min=0, help="Events decided between a question and its answer.")
]
_Noise: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Share of answers that name a wrong class.")
]
_Missing: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Share of questions that are never answered.")
]

# How it is run and shown.
_Jobs: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Processes to use.", show_default="one per core")
]
_Report: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Write a self-contained HTML report.")
]


def backtest(
    data: _Data,
    label: _Label,
    strategy: _Strategies = None,
    policy: _Policies = None,
    learner: _Learners = None,
    budget: _Budgets = None,
    delay: _Delay = 0,
    noise: _Noise = 0.0,
    missing: _Missing = 0.0,
    seeds: _Seeds = 1,
    limit: _Limit = None,
    prediction: _Prediction = None,
    probabilities: _Probabilities = None,
    task: _Task = Task.CLASSIFICATION,
    tolerance: _Tolerance = None,
    jobs: _Jobs = None,
    report: _Report = None,
    json: Json = None,
) -> None:
    """Compare strategies, budget policies and learners on recorded data, without a broker.

    Every combination decides on each event as production's gate would, asks about what it chooses,
    and learns the answers. Beside it run the same learner on labels of random events and on all
    labels. Exit codes: 0 done, 2 wrong options or data, 130 interrupted.
    """
    from streamal.lab import Experiment, Recording, Reviewers

    if (tolerance is None) is (task is Task.REGRESSION):
        raise SettingsInvalid("--tolerance: needed with --task regression, and only there")
    check_target(json)
    check_target(report, option="--report")
    experiment = Experiment(
        recording=Recording(data, label, prediction, probabilities, limit, tolerance),
        reviewers=Reviewers(delay, noise, missing),
        strategies=tuple(strategy or (_STRATEGY[task],)),
        policies=tuple(policy or (_POLICY,)),
        learners=tuple(learner or (_LEARNER,)),
        budgets=tuple(budget or (_BUDGET,)),
        seeds=seeds,
    )
    _publish(_run(experiment, jobs or os.cpu_count() or 1), report, json)


def _run(experiment: Experiment, jobs: int) -> Results:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from streamal.lab import run_experiment

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


def _publish(results: Results, report: Path | None, json: str | None) -> None:
    from rich.console import Console

    from streamal.lab.report import report as report_page
    from streamal.lab.summary import summary, tables

    if report is not None:
        write_file(report, report_page(results).encode(), option="--report")
    if json != "-":
        Console().print(*tables(summary(results.runs())), sep="\n")
    if json is not None:
        write_json(json, results.document())
