"""The pages on which people look: dashboard and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from streamal.console.board import Accuracy, Numbers, Points
from streamal.console.parts import Visit, since
from streamal.console.pictures import Line, Mark, Timeline, timeline

__all__ = ["dashboard", "history"]

_RANGES: Final[Mapping[str, tuple[str, float | None]]] = {
    "hour": ("1 h", 3600.0),
    "day": ("24 h", 86_400.0),
    "week": ("7 d", 7 * 86_400.0),
    "all": ("All", None),
}
_WIDE, _TALL = 1220.0, 240.0
#: Lengths of time for the axis, longest first, in seconds.
_UNITS: Final = ((" d", 86_400.0), (" h", 3600.0), (" min", 60.0), (" s", 1.0))
_UNKNOWN: Final = "\N{EN DASH}"


def dashboard(visit: Visit) -> Response:
    """Everything at a glance; with `part`, only what changes."""
    chosen = visit.query("range")
    chosen = chosen if chosen in _RANGES else "all"
    numbers = visit.parts.board.numbers(_RANGES[chosen][1])
    now = visit.parts.clock.now()
    return visit.page(
        "dashboard_part.html" if visit.query("part") else "dashboard.html",
        ranges={name: text for name, (text, _) in _RANGES.items()},
        chosen=chosen,
        tiles=_tiles(numbers, visit.parts.desk.items.open_count(now)),
        charts=[
            {"svg": _drawn(chart, f"chart-{number}"), "chart": chart}
            for number, chart in enumerate(_charts(numbers))
        ],
        pace=numbers.pace,
        drifts=list(reversed(numbers.drifts))[:10],
        level=numbers.level,
        end=numbers.end,
    )


def history(visit: Visit) -> Response:
    """Who answered what: leads see everybody, others themselves."""
    name = visit.query("annotator") if visit.account.leads else visit.name
    return visit.page("history.html", entries=visit.parts.desk.audit(name or None), annotator=name)


def _tiles(numbers: Numbers, waiting: int) -> list[dict[str, Any]]:
    latency = numbers.latency[-1][1] if numbers.latency else None
    return [
        {
            "name": "Production accuracy",
            "value": _share(numbers.production.overall),
            "note": _interval(numbers.production, numbers.level),
        },
        {
            "name": "Online model accuracy",
            "value": _share(numbers.model.overall),
            "note": _interval(numbers.model, numbers.level),
        },
        {
            "name": "Sent to review",
            "value": _UNKNOWN if numbers.routed_ratio is None else f"{numbers.routed_ratio:.2%}",
            "note": f"budget {numbers.budget:.2%}",
        },
        {
            "name": "Throughput",
            "value": f"{numbers.throughput[-1][1]:,.3g}/s" if numbers.throughput else _UNKNOWN,
            "note": "events, latest window",
        },
        {
            "name": "Waiting for review",
            "value": f"{waiting:,}",
            "note": "no item has expired yet"
            if numbers.response_rate is None
            else f"{numbers.response_rate:.0%} answered in time",
        },
        {
            "name": "Label latency",
            "value": _UNKNOWN if latency is None else since(latency),
            "note": "median, decision to label",
        },
    ]


def _charts(numbers: Numbers) -> list[Timeline]:
    longest = max((y for _, y in (*numbers.latency, *numbers.latency_tail)), default=0.0)
    unit, seconds = next((each for each in _UNITS if longest >= 3 * each[1]), _UNITS[-1])
    start, end = numbers.start, numbers.end
    budget = [(start, numbers.budget), (end, numbers.budget)]
    return [
        Timeline(
            "Accuracy, estimated from the reviews",
            start,
            end,
            lines=[
                Line("Production, by window", "quiet", numbers.production.windows),
                _running("Online model, so far", "two", numbers.model),
                _running("Production, so far", "one", numbers.production),
            ],
            marks=[Mark(each.window_start.timestamp(), each.cause) for each in numbers.drifts],
            percent=True,
            from_zero=False,
            width=_WIDE,
            height=_TALL,
        ),
        Timeline(
            "Share of events sent to review",
            start,
            end,
            lines=[Line("Sent", "one", numbers.routed), Line("Budget", "quiet", budget)],
            percent=True,
        ),
        Timeline(
            "Throughput", start, end, lines=[Line("Events", "one", numbers.throughput)], unit="/s"
        ),
        Timeline(
            "Waiting for review", start, end, lines=[Line("Open items", "one", numbers.waiting)]
        ),
        Timeline(
            "Time from decision to label",
            start,
            end,
            lines=[
                Line("90th percentile", "two", _scaled(numbers.latency_tail, seconds)),
                Line("Median", "one", _scaled(numbers.latency, seconds)),
            ],
            unit=unit,
        ),
    ]


def _drawn(chart: Timeline, identity: str) -> str:
    """A wide picture comes a second time for phones; the style sheet shows the one that fits."""
    if chart.width < _WIDE:
        return timeline(chart, identity)
    narrow = replace(chart, width=600.0)
    return timeline(chart, identity) + timeline(narrow, f"{identity}-narrow")


def _running(name: str, tone: str, accuracy: Accuracy) -> Line:
    return Line(
        name,
        tone,
        [(at, value) for at, value, _, _ in accuracy.running],
        [(at, low, high) for at, _, low, high in accuracy.running],
    )


def _scaled(points: Points, seconds: float) -> Points:
    return [(at, value / seconds) for at, value in points]


def _share(overall: tuple[float, float, float] | None) -> str:
    return _UNKNOWN if overall is None else f"{overall[0]:.1%}"


def _interval(accuracy: Accuracy, level: float) -> str:
    if accuracy.overall is None:
        return "no window has matured yet"
    _, low, high = accuracy.overall
    return f"{max(0.0, low):.1%} to {min(1.0, high):.1%}, {level:.0%} confidence"
