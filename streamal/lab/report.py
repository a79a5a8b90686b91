"""The report: one HTML file that needs nothing else, neither network nor scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from statistics import fmean
from typing import Final

from streamal.charts import BarChart, LineChart, Series, bar_chart, line_chart
from streamal.lab.experiment import Setup
from streamal.lab.ledger import Point, Trace
from streamal.lab.result import Results
from streamal.lab.summary import COLUMNS, Line, summary
from streamal.pages import figure, page, table

__all__ = ["report"]

#: Lines that can still be told apart in one chart.
_MOST_LINES: Final = 8
#: Stretches over which accuracy over time is averaged.
_STRETCHES: Final = 20


@dataclass(frozen=True, slots=True)
class _Curve:
    """One combination over all its seeds.

    Attributes:
        name: for legends.
        traces: one for each seed.
        baseline: whether it is there to compare with.
    """

    name: str
    traces: Sequence[Trace]
    baseline: bool = False

    @property
    def accuracy(self) -> float:
        """Mean over the seeds."""
        return self.mean(-1, lambda point: point.model_right / point.events)

    def mean(self, place: int, value: Callable[[Point], float]) -> float:
        """Mean over the seeds at one of the kept places."""
        return fmean(value(trace.points[place]) for trace in self.traces)

    def along(
        self, x: Callable[[Point], float], y: Callable[[Point], float]
    ) -> list[tuple[float, float]]:
        """The curve over all kept places."""
        places = range(len(self.traces[0].points))
        return [(self.mean(place, x), self.mean(place, y)) for place in places]

    def accuracy_over_time(self) -> list[tuple[float, float]]:
        """Accuracy within each of a few stretches, at their ends."""
        count = len(self.traces[0].points)
        ends = sorted({count * part // _STRETCHES for part in range(1, _STRETCHES + 1)} - {0})
        starts = [0, *ends[:-1]]
        return [
            (
                self.traces[0].points[end - 1].events,
                fmean(_within(t, start, end) for t in self.traces),
            )
            for start, end in zip(starts, ends, strict=True)
        ]


def _within(trace: Trace, start: int, end: int) -> float:
    """Accuracy between two kept places."""
    before = trace.points[start - 1] if start else Point(0, 0, 0, 0)
    after = trace.points[end - 1]
    return (after.model_right - before.model_right) / (after.events - before.events)


def report(results: Results) -> str:
    """The whole page."""
    lines = summary(results.runs())
    experiment = results.experiment
    title = f"Backtest of {experiment.recording.path.name}"
    reviewers = experiment.reviewers
    facts = (
        f"{lines[0].events:,} events, {experiment.seeds} seed(s) each. Answers come "
        f"{reviewers.delay:,} items later, {reviewers.noise:.1%} of them wrong, "
        f"{reviewers.missing:.1%} never. "
        + (
            "Production's predictions are the recorded ones."
            if experiment.recording.tells_production
            else "No production is recorded: the online model's predictions stand in for it."
        )
    )
    sections = [
        _section(number, results, learner, budget)
        for number, (learner, budget) in enumerate(
            dict.fromkeys((line.learner, line.budget) for line in lines), 1
        )
    ]
    return page(title, f"<p>{escape(facts)}</p>\n{_table(lines)}\n" + "\n".join(sections))


def _table(lines: Sequence[Line]) -> str:
    return table(
        "Means over the seeds. Retention is accuracy divided by that of the same learner with all "
        "labels.",
        [column.title for column in COLUMNS],
        ([column.cell(line) for column in COLUMNS] for line in lines),
        words=sum(column.words for column in COLUMNS),
    )


def _section(number: int, results: Results, learner: str, budget: float) -> str:
    """All charts for one learner under one budget."""
    curves = _curves(results, learner, budget)
    charts: tuple[LineChart | BarChart, ...] = (
        _accuracy_by_labels(curves),
        _accuracy_by_time(curves),
        _calibration(curves),
        _error_yield(curves),
        _spend(curves, budget),
    )
    figures = "\n".join(
        _figure(chart, f"chart-{number}-{place}") for place, chart in enumerate(charts, 1)
    )
    shown = sum(not curve.baseline for curve in curves)
    ran = len({(s.strategy, s.policy) for s in results.experiment.setups()})
    note = f"<p>The {shown} most accurate of {ran} are drawn.</p>" if ran > shown else ""
    return f"<h2>{escape(learner)}, budget {budget:.2%}</h2>\n{note}\n{figures}"


def _figure(chart: LineChart | BarChart, identity: str) -> str:
    if isinstance(chart, LineChart):
        svg = line_chart(chart, identity=identity)
    else:
        svg = bar_chart(chart, identity=identity)
    return figure(chart.title, svg, chart.description)


def _curves(results: Results, learner: str, budget: float) -> list[_Curve]:
    """The best combinations, best first, then the two baselines."""
    here = [s for s in results.experiment.setups() if (s.learner, s.budget) == (learner, budget)]
    ordered = sorted(here, key=_without_seed)
    curves = [
        _Curve(f"{strategy} / {policy}", [results.traces[setup] for setup in setups])
        for (strategy, policy), setups in _grouped(ordered)
    ]
    curves.sort(key=lambda curve: (-curve.accuracy, curve.name))
    baselines = [
        _Curve(name, [results.traces[setup] for setup in dict.fromkeys(setups)], baseline=True)
        for name, setups in (
            ("random (baseline)", [setup.random for setup in here]),
            ("all labels (baseline)", [setup.all_labels for setup in here]),
        )
    ]
    return curves[:_MOST_LINES] + baselines


def _without_seed(setup: Setup) -> tuple[str, str]:
    return setup.strategy, setup.policy


def _grouped(setups: Iterable[Setup]) -> list[tuple[tuple[str, str], list[Setup]]]:
    return [(key, list(group)) for key, group in groupby(setups, _without_seed)]


def _accuracy_by_labels(curves: Sequence[_Curve]) -> LineChart:
    *others, best = curves
    series = [
        Series(
            curve.name,
            curve.along(lambda p: p.queries, lambda p: p.model_right / p.events),
            muted=curve.baseline,
        )
        for curve in others
    ]
    most = max(x for each in series for x, _ in each.points)
    series.append(Series(best.name, [(0.0, best.accuracy), (most, best.accuracy)], muted=True))
    return LineChart(
        "Accuracy against labels spent",
        "Prequential accuracy of the online model so far, by the number of labels asked for. "
        f"Higher and further left is better. {_ranking(curves)}",
        "labels asked for",
        "accuracy so far",
        series,
    )


def _ranking(curves: Sequence[_Curve]) -> str:
    ends = ", ".join(f"{curve.name} {curve.accuracy:.1%}" for curve in curves)
    return f"In the end: {ends}."


def _accuracy_by_time(curves: Sequence[_Curve]) -> LineChart:
    drifts = curves[0].traces[0].drifts
    found = (
        f"The labels that {curves[0].name} chose with the first seed show a change of production's "
        f"accuracy at {', '.join(f'{at:,}' for at in drifts)}."
        if drifts
        else f"The labels that {curves[0].name} chose show no change of production's accuracy."
    )
    return LineChart(
        "Accuracy over time",
        f"Prequential accuracy of the online model within each of {_STRETCHES} stretches. {found}",
        "event",
        "accuracy",
        [Series(c.name, c.accuracy_over_time(), muted=c.baseline) for c in curves],
        marks=drifts,
        marks_name="change of production's accuracy, as found from the selected labels",
    )


def _calibration(curves: Sequence[_Curve]) -> LineChart:
    series = [Series(c.name, _reliability(c.traces)) for c in curves if not c.baseline]
    return LineChart(
        "Calibration",
        "How often production was right, by how sure the online model was that it would be. On the "
        "diagonal, 80 % means 80 %; below it the model promises too much.",
        "expected share right",
        "observed share right",
        [*series, Series("perfect", [(0.0, 0.0), (1.0, 1.0)], muted=True)],
        from_zero=True,
    )


def _reliability(traces: Sequence[Trace]) -> list[tuple[float, float]]:
    points = []
    for cells in zip(*(trace.bins for trace in traces), strict=True):
        events = sum(cell.events for cell in cells)
        if events:
            expected = sum(cell.sum_expected for cell in cells) / events
            points.append((expected, sum(cell.right for cell in cells) / events))
    return points


def _error_yield(curves: Sequence[_Curve]) -> BarChart:
    bars = [
        (curve.name, curve.mean(-1, lambda p: p.errors_found / p.queries if p.queries else 0.0))
        for curve in curves
    ]
    return BarChart(
        "Error yield",
        "Share of the items asked about that production had got wrong. With all labels it is "
        "production's error rate.",
        bars,
    )


def _spend(curves: Sequence[_Curve], budget: float) -> LineChart:
    spending = [curve for curve in curves if "all labels" not in curve.name]
    end = float(spending[0].traces[0].totals.events)
    series = [
        Series(c.name, c.along(lambda p: p.events, lambda p: p.queries / p.events), c.baseline)
        for c in spending
    ]
    return LineChart(
        "Spend over time",
        f"Labels asked for so far as a share of the events so far; the budget is {budget:.2%}.",
        "event",
        "share asked about",
        [*series, Series("budget", [(0.0, budget), (end, budget)], muted=True)],
        from_zero=True,
    )
