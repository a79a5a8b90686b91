"""Charts are well-formed, readable without colour, and draw where the numbers are."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.charts import (
    PALETTE,
    BarChart,
    LineChart,
    Series,
    bar_chart,
    line_chart,
    ticks,
)


def drawn(series: list[Series], **options: object) -> ET.Element:
    chart = LineChart("Title", "What to see.", "x", "y", series, **options)  # type: ignore[arg-type]  # options of the class
    return ET.fromstring(line_chart(chart, identity="c1"))  # noqa: S314 - our own document


def polylines(svg: ET.Element) -> list[list[tuple[float, float]]]:
    lines = [line.get("points", "").split() for line in svg.iter("polyline")]
    return [
        [(float(x), float(y)) for x, _, y in (at.partition(",") for at in ats)] for ats in lines
    ]


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", PALETTE)
def test_colours_stand_out_on_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@given(
    low=st.floats(-1e6, 1e6, allow_subnormal=False),
    span=st.floats(1e-6, 1e9),
    most=st.integers(3, 10),
)
def test_ticks_enclose_the_range_in_even_steps(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    slack = 1e-6 * (abs(low) + span)
    assert found[0] <= low + slack
    assert found[-1] >= low + span - slack
    assert 2 <= len(found) <= most + 1
    steps = [b - a for a, b in pairwise(found)]
    assert max(steps) - min(steps) <= slack


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 0.87])
def test_a_range_without_width_still_has_ticks(value: float) -> None:
    found = ticks(value, value)
    assert found[0] < found[-1]
    assert found[0] <= value <= found[-1]


def test_a_screen_reader_gets_title_and_description() -> None:
    svg = drawn([Series("a", [(0, 0.5), (10, 0.9)])])
    assert svg.get("role") == "img"
    named = (svg.get("aria-labelledby") or "").split()
    by_id = {each.get("id"): each.text for each in svg.iter() if each.get("id")}
    assert [by_id[name] for name in named] == ["Title", "What to see."]


def test_points_are_drawn_to_scale() -> None:
    (line,) = polylines(drawn([Series("a", [(0, 0.0), (50, 0.5), (100, 1.0)])]))
    (x0, y0), (x1, y1), (x2, y2) = line
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y0 - y1 == pytest.approx(y1 - y2)
    assert x0 < x2
    assert y0 > y2  # up is more


def test_lines_differ_without_their_colour_too() -> None:
    svg = drawn([Series(name, [(0, 0.1), (1, 0.2)]) for name in "abcd"])
    dashes = [line.get("stroke-dasharray") for line in svg.iter("polyline")]
    assert len(set(dashes)) == 4
    assert {text.text for text in svg.iter("text")} >= set("abcd")


def test_references_are_grey_and_marks_are_in_the_legend() -> None:
    svg = drawn(
        [Series("a", [(0, 0.1), (9, 0.2)]), Series("ref", [(0, 0.3), (9, 0.3)], muted=True)],
        marks=[4.0],
        marks_name="drift",
    )
    first, second = svg.iter("polyline")
    assert first.get("stroke") in PALETTE
    assert second.get("stroke") not in PALETTE
    assert "drift" in {text.text for text in svg.iter("text")}
    upright = [each for each in svg.iter("line") if each.get("x1") == each.get("x2")]
    assert any(each.get("stroke-dasharray") == "4 4" for each in upright)


def test_nothing_to_draw_is_no_error() -> None:
    assert not polylines(drawn([]))
    assert not polylines(drawn([Series("empty", [])]))


def test_names_are_data() -> None:
    svg = drawn([Series('<script>&"', [(0, 1), (1, 2)])])
    assert '<script>&"' in {text.text for text in svg.iter("text")}
    assert not list(svg.iter("script"))


def test_bars_are_as_long_as_their_shares() -> None:
    chart = BarChart("Bars", "Longer is more.", [("a", 0.2), ("b & c", 0.4), ("none", 0.0)])
    svg = ET.fromstring(bar_chart(chart, identity="b"))  # noqa: S314 - our own document
    widths = [float(each.get("width", "nan")) for each in svg.iter("rect")]
    assert widths == pytest.approx([widths[1] / 2, widths[1], 0.0], abs=0.1)
    assert {text.text for text in svg.iter("text")} == {
        "a",
        "b & c",
        "none",
        "20.0%",
        "40.0%",
        "0.0%",
    }


def test_bars_without_any_length() -> None:
    svg = ET.fromstring(bar_chart(BarChart("B", "d", [("a", 0.0)]), identity="b"))  # noqa: S314 - our own document
    assert [each.get("width") for each in svg.iter("rect")] == ["0.0"]
