"""Pictures over time: what is drawn, and what is said to those who cannot see it."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest

from streamal.console.pictures import Line, Mark, Timeline, histogram, timeline

HOUR = 3600.0
SPACE = "{http://www.w3.org/2000/svg}"


def drawn(*lines: Line, **options: object) -> ET.Element:
    chart = Timeline("Title", 0.0, 6 * HOUR, lines, **options)  # type: ignore[arg-type]  # any
    return ET.fromstring(timeline(chart, "chart"))  # noqa: S314 - our own


def numbers(text: str) -> list[float]:
    return [float(each) for point in text.split() for each in point.split(",")]


def test_a_line_with_its_band_and_a_mark() -> None:
    line = Line("A", "one", [(0, 0.2), (HOUR, 0.4)], [(0, 0.1, 0.3), (HOUR, 0.3, 0.5)])
    svg = drawn(line, marks=[Mark(HOUR, "it fell")], percent=True)

    polyline, polygon = svg.find("polyline"), svg.find("polygon")
    assert polyline is not None
    assert polygon is not None
    assert len(numbers(polyline.get("points", ""))) == 4
    assert len(numbers(polygon.get("points", ""))) == 8
    assert [text.text for text in svg.iter("text")][-1] == "06:00"
    assert "20.0%" in (svg.findtext("desc") or "")
    assert "01:00: it fell." in (svg.findtext("desc") or "")
    assert svg.get("aria-labelledby") == "chart-title chart-text"


@pytest.mark.parametrize(
    "points", [[], [(10.0, 5.0)], [(0.0, 0.0), (HOUR, 0.0)], [(-HOUR, 1.0), (9 * HOUR, 1e9)]]
)
def test_no_few_equal_and_outlying_points_stay_within_the_picture(
    points: list[tuple[float, float]],
) -> None:
    svg = drawn(Line("A", "one", points))
    width, height = (float(each) for each in svg.get("viewBox", "").split()[2:])
    for shape in svg.iter("polyline"):
        places = numbers(shape.get("points", ""))
        assert all(math.isfinite(each) for each in places)
        assert all(0 <= x <= width for x in places[::2])
        assert all(0 <= y <= height for y in places[1::2])
    if not points:
        assert svg.findtext("desc") == "No data yet."


def test_a_single_point_is_a_dot() -> None:
    assert drawn(Line("A", "one", [(HOUR, 1.0)])).find("circle") is not None


def test_days_are_named_by_date() -> None:
    chart = Timeline("Title", 0.0, 10 * 24 * HOUR, [Line("A", "one", [(0, 1.0)])])
    texts = [each.text for each in ET.fromstring(timeline(chart, "c")).iter("text")]  # noqa: S314 - our own
    assert "3 Jan" in texts


def test_titles_are_escaped() -> None:
    chart = Timeline("<b>&", 0.0, 1.0, [Line("<i>", "one", [(0, 1.0)])])
    assert "<b>" not in timeline(chart, "c")
    assert "<i>" not in timeline(chart, "c")


def test_a_histogram_marks_the_place() -> None:
    svg = ET.fromstring(histogram([0.0, 0.5, 1.0], 1.0))  # noqa: S314 - our own
    assert len(list(svg.iter("rect"))) == 3
    line = svg.find("line")
    assert line is not None
    assert float(line.get("x1", "0")) == 95
