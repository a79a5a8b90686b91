"""Lines over time as inline SVG. Colours come from the style sheet, so that dark mode reaches them.

`streamal.charts` draws for documents that stand alone; a page that is looked at live needs a time
axis, bands and marks, and no colours of its own (docs/decisions/0009).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from streamal.charts import ticks

__all__ = ["Line", "Mark", "Timeline", "histogram", "timeline"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 10.0, 10.0, 24.0
_STEPS: Final = tuple(
    60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)
)
_DAY: Final = 86_400.0
_MOST_TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        name: for the legend beside the picture.
        tone: which colour: `one`, `two`, `three` or `quiet`.
        points: time in epoch seconds and value, in time order.
        band: time, low and high of an interval around it.
    """

    name: str
    tone: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a vertical line with a flag."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A picture in words.

    Attributes:
        title: what it shows; read out by screen readers.
        start: left end, epoch seconds.
        end: right end.
        lines: drawn in this order.
        marks: what happened.
        percent: whether values are shares.
        from_zero: whether the axis begins at 0.
        unit: behind the numbers of the axis.
        width: in units of the style sheet's pixels, about.
        height: in the same units.
    """

    title: str
    start: float
    end: float
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    percent: bool = False
    from_zero: bool = True
    unit: str = ""
    width: float = 600.0
    height: float = 190.0


def timeline(chart: Timeline, identity: str) -> str:
    """The picture as an `<svg>` element; `identity` is unique on the page."""
    svg = _canvas(chart, identity)
    values = [y for line in chart.lines for _, y in line.points]
    values += [y for line in chart.lines for _, low, high in line.band for y in (low, high)]
    low = 0.0 if chart.from_zero or not values else min(values)
    high = max(values, default=1.0)
    if chart.percent:
        high = min(1.0, high)
    up = ticks(low, high if high > low else low + 1.0, most=5)
    x = _scale(chart.start, chart.end, _LEFT, chart.width - _RIGHT)
    y = _scale(up[0], up[-1], chart.height - _BOTTOM, _TOP)
    _grid(svg, chart, up, x, y)
    for line in chart.lines:
        _draw(svg, line, x, lambda value: y(min(up[-1], max(up[0], value))))
    for mark in chart.marks:
        _flag(svg, mark, x(mark.at), chart.height)
    return ET.tostring(svg, encoding="unicode")


def histogram(bars: Sequence[float], mark: float) -> str:
    """Small bars with the place of one value among them; decoration beside a number in words."""
    width, height = 96.0, 22.0
    svg = ET.Element(
        "svg",
        {"viewBox": f"0 0 {width:g} {height:g}", "class": "spark", "aria-hidden": "true"},
    )
    step = width / len(bars)
    for index, bar in enumerate(bars):
        tall = max(1.0, bar * (height - 2)) if bar else 0.0
        box = {"x": f"{index * step + 0.5:.1f}", "y": f"{height - tall:.1f}"}
        ET.SubElement(svg, "rect", {**box, "width": f"{step - 1:.1f}", "height": f"{tall:.1f}"})
    at = f"{1 + mark * (width - 2):.1f}"
    ET.SubElement(svg, "line", {"x1": at, "x2": at, "y1": "0", "y2": f"{height:g}"})
    return ET.tostring(svg, encoding="unicode")


def _canvas(chart: Timeline, identity: str) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {chart.width:g} {chart.height:g}",
            "class": "timeline",
            "role": "img",
            "aria-labelledby": f"{identity}-title {identity}-text",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{identity}-title"}).text = chart.title
    ET.SubElement(svg, "desc", {"id": f"{identity}-text"}).text = _words(chart)
    return svg


def _words(chart: Timeline) -> str:
    """What the lines say, for those who cannot see them."""
    said = [
        f"{line.name}: from {_value(chart, line.points[0][1])} to "
        f"{_value(chart, line.points[-1][1])}, between "
        f"{_value(chart, min(y for _, y in line.points))} and "
        f"{_value(chart, max(y for _, y in line.points))}."
        for line in chart.lines
        if line.points
    ]
    said += [f"{_moment(mark.at, chart.end - chart.start)}: {mark.text}." for mark in chart.marks]
    return " ".join(said) or "No data yet."


def _value(chart: Timeline, value: float) -> str:
    return f"{value:.1%}" if chart.percent else f"{value:,.3g}{chart.unit}"


def _grid(
    svg: ET.Element,
    chart: Timeline,
    up: Sequence[float],
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> None:
    digits = max(0, -math.floor(math.log10((up[1] - up[0]) * 100))) if chart.percent else 0
    for value in up:
        _line(svg, "grid", _LEFT, y(value), chart.width - _RIGHT, y(value))
        text = f"{value:.{digits}%}" if chart.percent else f"{value:,g}{chart.unit}"
        _text(svg, text, _LEFT - 6, y(value) + 3.5, "end")
    span = chart.end - chart.start
    for at in _times(chart.start, chart.end):
        _line(svg, "grid", x(at), chart.height - _BOTTOM, x(at), chart.height - _BOTTOM + 4)
        _text(svg, _moment(at, span), x(at), chart.height - 7, "middle")


def _draw(
    svg: ET.Element, line: Line, x: Callable[[float], float], y: Callable[[float], float]
) -> None:
    if line.band:
        there = [f"{x(at):.1f},{y(high):.1f}" for at, _, high in line.band]
        back = [f"{x(at):.1f},{y(low):.1f}" for at, low, _ in reversed(line.band)]
        points = " ".join(there + back)
        ET.SubElement(svg, "polygon", {"points": points, "class": f"band {line.tone}"})
    if len(line.points) == 1:
        at, value = line.points[0]
        dot = {"cx": f"{x(at):.1f}", "cy": f"{y(value):.1f}", "r": "3"}
        ET.SubElement(svg, "circle", {**dot, "class": f"dot {line.tone}"})
    elif line.points:
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in line.points)
        ET.SubElement(svg, "polyline", {"points": points, "class": f"line {line.tone}"})


def _flag(svg: ET.Element, mark: Mark, x: float, height: float) -> None:
    group = ET.SubElement(svg, "g", {"class": "mark"})
    ET.SubElement(group, "title").text = mark.text
    _line(group, "", x, _TOP, x, height - _BOTTOM)
    ET.SubElement(group, "path", {"d": f"M{x:.1f} {_TOP} l9 4 l-9 4 z"})


def _times(start: float, end: float) -> list[float]:
    """Round times in between."""
    step = next((s for s in _STEPS if (end - start) / s <= _MOST_TICKS), _STEPS[-1])
    first = math.ceil(start / step)
    return [n * step for n in range(first, math.floor(end / step) + 1)][: 2 * _MOST_TICKS]


def _moment(at: float, span: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M}" if span <= 2 * _DAY else f"{moment.day} {moment:%b}"


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low or 1.0
    return lambda value: start + (min(high, max(low, value)) - low) / span * (end - start)


def _line(svg: ET.Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    ET.SubElement(svg, "line", {**ends, **({"class": kind} if kind else {})})


def _text(svg: ET.Element, text: str, x: float, y: float, anchor: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    ET.SubElement(svg, "text", place).text = text
