"""Runs become the rows of two tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import TypeAlias, cast

from rich.table import Table

from benchmarks.label_efficiency.presets import PresetRun
from benchmarks.label_efficiency.runs import Run
from benchmarks.label_efficiency.streams import SHIPPED

__all__ = [
    "DEFAULT",
    "GateRow",
    "PresetRow",
    "gate_rows",
    "gate_table",
    "preset_rows",
    "preset_table",
]

#: streamal's default strategy and policy.
DEFAULT = "margin / quantile"

#: Budget, library, gate.
_Key: TypeAlias = tuple[float, str, str]


@dataclass(frozen=True)
class GateRow:
    """One gate under one budget.

    Attributes:
        budget: share of events that it may ask about.
        library: who publishes it.
        gate: its name.
        streams: how many it ran on.
        accuracy: mean over streams of the mean over seeds.
        retention: mean over streams of accuracy / accuracy with all labels.
        rank: mean over streams of the rank by accuracy among the gates there, 1 is best; ties share
            their mean.
        rank_published: the same among what others publish and this gate, or streamal's default.
        spend: labels bought in all for each that the budgets of all streams pay.
        worst_spend: on the stream where that is furthest from 1.
    """

    budget: float
    library: str
    gate: str
    streams: int
    accuracy: float
    retention: float
    rank: float
    rank_published: float
    spend: float
    worst_spend: float


@dataclass(frozen=True)
class PresetRow:
    """One learner under one budget, over all of River's streams or over a recorded one.

    Attributes:
        streams: "River's", or the name of the recorded stream.
        budget: share of events asked about.
        learner: registered name.
        accuracy: mean over streams of the mean over seeds.
        retention: mean over streams of accuracy / accuracy with all labels; None where the learner
            did not run with all labels.
        spend: labels bought for each that the budget pays, mean over runs.
    """

    streams: str
    budget: float
    learner: str
    accuracy: float
    retention: float | None
    spend: float


def gate_rows(runs: Sequence[Run], all_labels: Mapping[str, float]) -> list[GateRow]:
    """Means by gate and budget, best rank first within a budget."""
    seeds: dict[tuple[float, str, str, str], list[float]] = {}
    for run in runs:
        seeds.setdefault((*_key(run), run.stream), []).append(run.accuracy)
    accuracy = {place: fmean(each) for place, each in seeds.items()}
    rows = []
    for key, group in groupby(sorted(runs, key=_key), _key):
        own = list(group)
        streams = sorted({run.stream for run in own})
        spends = {
            stream: _pooled([run for run in own if run.stream == stream]) for stream in streams
        }
        rows.append(
            GateRow(
                *key,
                len(streams),
                fmean(accuracy[*key, stream] for stream in streams),
                fmean(accuracy[*key, stream] / all_labels[stream] for stream in streams),
                fmean(_rank(accuracy, key, stream, _anybody) for stream in streams),
                fmean(_rank(accuracy, key, stream, _published) for stream in streams),
                _pooled(own),
                max(spends.values(), key=lambda spend: abs(spend - 1.0)),
            )
        )
    return sorted(rows, key=lambda row: (row.budget, row.rank))


def _key(run: Run) -> _Key:
    return run.budget, run.library, run.gate


def _pooled(runs: Sequence[Run]) -> float:
    return sum(run.queries for run in runs) / sum(run.budget * run.events for run in runs)


def _anybody(key: _Key, other: _Key) -> bool:  # noqa: ARG001 - as `_published`
    return True


def _published(key: _Key, other: _Key) -> bool:
    """Whether `other` counts in the rank of `key` among what others publish."""
    default = key[1] != "streamal" and other[2] == DEFAULT
    return other[1] != "streamal" or default or other == key


def _rank(
    accuracy: Mapping[tuple[float, str, str, str], float],
    key: _Key,
    stream: str,
    counts: Callable[[_Key, _Key], bool],
) -> float:
    own = accuracy[*key, stream]
    among = [
        value
        for (*other, at), value in accuracy.items()
        if (other[0], at) == (key[0], stream) and counts(key, cast("_Key", tuple(other)))
    ]
    better = sum(value > own for value in among)
    return better + (sum(value == own for value in among) + 1) / 2


def preset_rows(runs: Sequence[PresetRun]) -> list[PresetRow]:
    """Means by streams, learner and budget, most accurate first within a budget."""
    rows = [
        _preset_row(runs, group, learner, budget)
        for group, learner, budget in dict.fromkeys(
            (_group(run), run.learner, run.budget) for run in runs
        )
    ]
    return sorted(rows, key=lambda row: (row.streams, row.budget, -row.accuracy))


def _group(run: PresetRun) -> str:
    return "River's" if run.stream in SHIPPED else run.stream


def _preset_row(runs: Sequence[PresetRun], group: str, learner: str, budget: float) -> PresetRow:
    own = [
        run for run in runs if (_group(run), run.learner, run.budget) == (group, learner, budget)
    ]
    full = {run.stream: run.accuracy for run in runs if (run.learner, run.budget) == (learner, 1.0)}
    means = {
        stream: fmean(run.accuracy for run in own if run.stream == stream)
        for stream in sorted({run.stream for run in own})
    }
    retention = (
        fmean(mean / full[stream] for stream, mean in means.items())
        if means.keys() <= full.keys()
        else None
    )
    spend = fmean(run.spend for run in own)
    return PresetRow(group, budget, learner, fmean(means.values()), retention, spend)


def gate_table(rows: Sequence[GateRow]) -> Table:
    """For a terminal."""
    table = Table(title="gates: who asks, and what the same learner makes of it")
    for name in ("budget", "library", "gate"):
        table.add_column(name, overflow="fold")
    for name in (
        *("streams", "accuracy", "retention", "mean rank", "rank among published"),
        *("spend", "worst spend"),
    ):
        table.add_column(name.replace(" ", "\n"), justify="right")
    for number, row in enumerate(rows):
        table.add_row(
            f"{row.budget:.0%}",
            row.library,
            row.gate,
            str(row.streams),
            f"{row.accuracy:.2%}",
            f"{row.retention:.1%}",
            f"{row.rank:.2f}",
            f"{row.rank_published:.2f}",
            f"{row.spend:.1%}",
            f"{row.worst_spend:.1%}",
            end_section=number + 1 == len(rows) or rows[number + 1].budget != row.budget,
        )
    return table


def preset_table(rows: Sequence[PresetRow]) -> Table:
    """For a terminal."""
    table = Table(title="learners behind streamal's default gate")
    for name in ("streams", "budget", "learner", "accuracy", "retention", "spend"):
        table.add_column(name, justify="left" if name in {"streams", "learner"} else "right")
    for row in rows:
        retention = "" if row.retention is None else f"{row.retention:.1%}"
        table.add_row(
            row.streams,
            f"{row.budget:.0%}",
            row.learner,
            f"{row.accuracy:.2%}",
            retention,
            f"{row.spend:.1%}",
        )
    return table
