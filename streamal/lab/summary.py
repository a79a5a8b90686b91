"""Runs averaged over their seeds, and the columns in which people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from streamal.lab.result import Run

__all__ = ["COLUMNS", "Column", "Line", "summary", "tables"]


@dataclass(frozen=True, slots=True)
class Line:
    """One combination; numbers are means over its seeds, as in `Run`."""

    strategy: str
    policy: str
    learner: str
    budget: float
    events: int
    query_ratio: float
    accuracy: float
    accuracy_random: float
    accuracy_all_labels: float
    retention: float | None
    error_yield: float | None
    estimate: float | None
    half_width: float
    accuracy_true: float
    covered: int
    seeds: int
    seconds: float
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """How one number is shown.

    Attributes:
        title: of the column.
        cell: text for one line.
        words: whether it is read rather than compared, and so aligned to the left.
    """

    title: str
    cell: Callable[[Line], str]
    words: bool = False


def _share(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}%}"


COLUMNS: Final = (
    Column("strategy", lambda line: line.strategy, words=True),
    Column("policy", lambda line: line.policy, words=True),
    Column("learner", lambda line: line.learner, words=True),
    Column("budget", lambda line: _share(line.budget, 2)),
    Column("spent", lambda line: _share(line.query_ratio, 2)),
    Column("accuracy", lambda line: _share(line.accuracy, 2)),
    Column("random", lambda line: _share(line.accuracy_random, 2)),
    Column("all labels", lambda line: _share(line.accuracy_all_labels, 2)),
    Column("retention", lambda line: _share(line.retention)),
    Column("error yield", lambda line: _share(line.error_yield)),
    Column("estimate", lambda line: f"{_share(line.estimate)}±{100 * line.half_width:.1f}"),
    Column("true", lambda line: _share(line.accuracy_true)),
    Column("covered", lambda line: f"{line.covered}/{line.seeds}"),
    Column("seconds", lambda line: f"{line.seconds:.1f}"),
)


#: What fits beside the name in 80 columns, and does not stand in the title.
_NARROW: Final = tuple(
    column
    for column in COLUMNS
    if column.title in {"spent", "accuracy", "retention", "error yield", "estimate", "true"}
)


#: In a regression, beside the others.
ERROR: Final = Column("mean error", lambda line: "-" if line.error is None else f"{line.error:.4g}")


def summary(runs: Sequence[Run]) -> list[Line]:
    """One line for each combination: by learner and budget as given, the most accurate first."""
    groups: dict[tuple[str, float, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.learner, run.budget, run.strategy, run.policy), []).append(run)
    lines = [_line(group) for group in groups.values()]
    order = {key: place for place, key in enumerate(dict.fromkeys(map(_section, lines)))}
    return sorted(lines, key=lambda line: (order[_section(line)], -line.accuracy))


def tables(lines: Sequence[Line]) -> Iterator[Table]:
    """For a terminal: one table for each learner and budget, narrow enough for 80 columns."""
    for (learner, budget), group in groupby(lines, _section):
        found = list(group)
        first = found[0]
        title = (
            f"{learner}, budget {_share(budget, 2)}: accuracy {_share(first.accuracy_random)} with "
            f"random labels, {_share(first.accuracy_all_labels)} with all"
        )
        one = Table(
            title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
        )
        one.add_column("strategy / policy", overflow="fold")
        columns = _NARROW if first.error is None else (*_NARROW, ERROR)
        for column in columns:
            one.add_column(column.title.replace(" ", "\n"), justify="right", no_wrap=True)
        for line in found:
            name = f"{line.strategy} / {line.policy}"
            one.add_row(name, *(column.cell(line) for column in columns))
        yield one


def _section(line: Line) -> tuple[str, float]:
    return line.learner, line.budget


def _line(runs: Sequence[Run]) -> Line:
    first = runs[0]
    return Line(
        strategy=first.strategy,
        policy=first.policy,
        learner=first.learner,
        budget=first.budget,
        events=first.events,
        query_ratio=fmean(run.query_ratio for run in runs),
        accuracy=fmean(run.accuracy for run in runs),
        accuracy_random=fmean(run.accuracy_random for run in runs),
        accuracy_all_labels=fmean(run.accuracy_all_labels for run in runs),
        retention=_mean([run.retention for run in runs]),
        error_yield=_mean([run.error_yield for run in runs]),
        estimate=_mean([run.estimate.value for run in runs]),
        half_width=fmean((run.estimate.high - run.estimate.low) / 2 for run in runs),
        accuracy_true=fmean(run.accuracy_true for run in runs),
        covered=sum(run.covered for run in runs),
        seeds=len(runs),
        seconds=fmean(run.seconds for run in runs),
        error=_mean([run.errors.model for run in runs if run.errors is not None]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Over those that there are."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
