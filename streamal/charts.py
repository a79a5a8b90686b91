"""Line and bar charts as inline SVG (docs/decisions/0009).

A chart is one `<svg role="img">` with title and description, without scripts, fonts or references
to anything outside. Lines differ by dash pattern as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

__all__ = ["PALETTE", "BarChart", "LineChart", "Series", "bar_chart", "line_chart", "ticks"]

Points: TypeAlias = Sequence[tuple[float, float]]

#: Each at least 4.5 : 1 on white, the contrast that WCAG 2.2 asks of text (graphics need 3 : 1).
PALETTE: Final = (
    "#0b5cad",
    "#b3400a",
    "#00705a",
    "#8a3a86",
    "#7a5a00",
    "#a3123f",
    "#4a48c4",
    "#4d5560",
)
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3")
_INK, _GRID = "#333333", "#d9d9d9"

_WIDTH, _HEIGHT = 720.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 32.0, 12.0, 46.0
_LEGEND_ROW, _BAR_ROW, _BAR = 20.0, 42.0, 16.0
#: Room for the number behind a bar.
_NUMBER = 60.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        name: for the legend.
        points: x and y, x ascending.
        muted: a reference that the others are compared with: grey, thin.
    """

    name: str
    points: Points
    muted: bool = False


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line chart in words.

    Attributes:
        title: what it shows; read out by screen readers.
        description: what to see in it, for those who cannot.
        x_label: what goes to the right.
        y_label: what goes up.
        series: the lines.
        marks: x of vertical lines, and their name for the legend.
        percent: whether y is a share.
        from_zero: whether y begins at 0.
    """

    title: str
    description: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    marks: Sequence[float] = ()
    marks_name: str = ""
    percent: bool = True
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class BarChart:
    """Horizontal bars in words; values are shares in [0, 1].

    Attributes:
        title: what it shows; read out by screen readers.
        description: what to see in it, for those who cannot.
        bars: names and lengths.
    """

    title: str
    description: str
    bars: Sequence[tuple[str, float]]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, in steps of 1, 2 or 5 · 10ⁿ.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(0, 45312)
    [0, 10000, 20000, 30000, 40000, 50000]
    """
    span = high - low if high > low else abs(high) or 1.0
    raw = span / (most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = -min(0, math.floor(math.log10(step)))
    return [round(step * n, digits or None) for n in range(first, max(last, first + 1) + 1)]


def line_chart(chart: LineChart, *, identity: str) -> str:
    """The chart as an `<svg>` element.

    Args:
        chart: what to draw.
        identity: unique on the page; names the title and the description.
    """
    drawn = [each for each in chart.series if each.points]
    legend = [(each.name, style) for each, style in zip(drawn, _styles(drawn), strict=True)]
    if chart.marks:
        legend.append((chart.marks_name, _MARK))
    svg = _canvas(chart.title, chart.description, identity, _HEIGHT + len(legend) * _LEGEND_ROW)
    xs = [x for each in drawn for x, _ in each.points] or [0.0, 1.0]
    ys = [y for each in drawn for _, y in each.points] or [0.0, 1.0]
    across = [x for x in ticks(min(0.0, *xs), max(xs)) if x <= max(xs)]
    up = ticks(0.0 if chart.from_zero else min(ys), max(ys))
    place_x = _scale(across[0], max(xs), _LEFT, _WIDTH - _RIGHT)
    place_y = _scale(up[0], up[-1], _HEIGHT - _BOTTOM, _TOP)
    _axes(svg, chart, across, up, place_x, place_y)
    for x in chart.marks:
        _line(svg, (place_x(x), _TOP), (place_x(x), _HEIGHT - _BOTTOM), _MARK)
    for each, style in zip(drawn, _styles(drawn), strict=True):
        points = " ".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in each.points)
        ET.SubElement(svg, "polyline", {"points": points, "fill": "none", **style})
    for row, (name, style) in enumerate(legend):
        y = _HEIGHT + (row + 0.5) * _LEGEND_ROW - 6
        _line(svg, (_LEFT, y), (_LEFT + 36, y), style)
        _text(svg, name, _LEFT + 44, y + 4)
    return ET.tostring(svg, encoding="unicode")


def bar_chart(chart: BarChart, *, identity: str) -> str:
    """The chart as an `<svg>` element; arguments as in `line_chart`."""
    height = 2 * _TOP + len(chart.bars) * _BAR_ROW
    svg = _canvas(chart.title, chart.description, identity, height)
    longest = max((share for _, share in chart.bars), default=0.0) or 1.0
    place = _scale(0.0, longest, 0.0, _WIDTH - _NUMBER)
    for row, (name, share) in enumerate(chart.bars):
        y = _TOP + row * _BAR_ROW
        _text(svg, name, 0.0, y + 12)
        box = {"x": "0", "y": f"{y + 18:g}", "height": f"{_BAR:g}"}
        ET.SubElement(svg, "rect", {**box, "width": f"{place(share):.1f}", "fill": PALETTE[0]})
        _text(svg, f"{share:.1%}", place(share) + 6, y + 30)
    return ET.tostring(svg, encoding="unicode")


Style: TypeAlias = dict[str, str]

_MARK: Final[Style] = {"stroke": "#a3123f", "stroke-width": "1.5", "stroke-dasharray": "4 4"}
_MUTED: Final[Style] = {"stroke": "#666666", "stroke-width": "1.5"}


def _styles(series: Sequence[Series]) -> list[Style]:
    """A line style each; references share a grey and differ by dashes."""
    styles: list[Style] = []
    strong = muted = 0
    for each in series:
        if each.muted:
            style, dash = dict(_MUTED), _DASHES[(muted + 1) % len(_DASHES)]
            muted += 1
        else:
            style = {"stroke": PALETTE[strong % len(PALETTE)], "stroke-width": "2"}
            dash = _DASHES[strong % len(_DASHES)]
            strong += 1
        styles.append({**style, "stroke-dasharray": dash} if dash else style)
    return styles


def _canvas(title: str, description: str, identity: str, height: float) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH:g} {height:g}",
            "role": "img",
            "aria-labelledby": f"{identity}-title {identity}-description",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{identity}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{identity}-description"}).text = description
    return svg


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The place of a value on an axis from `start` to `end` pixels."""
    span = high - low or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _axes(
    svg: ET.Element,
    chart: LineChart,
    across: Sequence[float],
    up: Sequence[float],
    place_x: Callable[[float], float],
    place_y: Callable[[float], float],
) -> None:
    grid = {"stroke": _GRID, "stroke-width": "1"}
    bottom = _HEIGHT - _BOTTOM
    digits = max(0, -math.floor(math.log10((up[1] - up[0]) * 100)))
    for value in up:
        _line(svg, (_LEFT, place_y(value)), (_WIDTH - _RIGHT, place_y(value)), grid)
        text = f"{value:.{digits}%}" if chart.percent else f"{value:,g}"
        _text(svg, text, _LEFT - 8, place_y(value) + 4, anchor="end")
    for value in across:
        _line(svg, (place_x(value), bottom), (place_x(value), bottom + 5), grid)
        text = f"{value:,.0f}" if across[-1] > 1 else f"{value:g}"
        _text(svg, text, place_x(value), bottom + 19, anchor="middle")
    _text(svg, chart.x_label, (_LEFT + _WIDTH - _RIGHT) / 2, bottom + 38, anchor="middle")
    middle = (_TOP + bottom) / 2
    label = _text(svg, chart.y_label, 14, middle, anchor="middle")
    label.set("transform", f"rotate(-90 14 {middle:g})")


def _line(
    svg: ET.Element, start: tuple[float, float], end: tuple[float, float], style: Style
) -> None:
    (x1, y1), (x2, y2) = start, end
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    ET.SubElement(svg, "line", {**ends, **style})


def _text(svg: ET.Element, text: str, x: float, y: float, anchor: str = "start") -> ET.Element:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": _INK}
    element = ET.SubElement(svg, "text", {**place, "font-size": "12"})
    element.text = text
    return element
