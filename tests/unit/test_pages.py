"""Documents that stand alone, whatever is written into them."""

from __future__ import annotations

import re

from streamal.pages import figure, page, table

NASTY = "<script>alert(\"1\")</script> & 'x'"


def test_a_page_asks_for_nothing_outside() -> None:
    text = page("Title", "<p>body</p>")
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=|url\(|@import|<script", text)
    assert text.startswith("<!DOCTYPE html>")


def test_what_comes_from_outside_is_text() -> None:
    text = page(NASTY, table(NASTY, [NASTY, "b"], [(NASTY, "1")]) + figure(NASTY, "<svg/>", NASTY))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 7


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_both_schemes_can_be_read() -> None:
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6});", scheme))
        for scheme in page("Title", "").split("prefers-color-scheme: dark")
    )
    for scheme in (light, dark):
        assert scheme.keys() == {"ink", "quiet", "line", "paper"}
        for name in ("ink", "quiet"):
            low, high = sorted(luminance(scheme[each]) for each in (name, "paper"))
            assert (high + 0.05) / (low + 0.05) >= 4.5, name
    assert luminance(light["paper"]) > 0.5 > luminance(dark["paper"])


def test_words_are_left_and_numbers_right() -> None:
    text = table("c", ["a", "b", "n"], [("x", "y", "1")], words=2)
    assert re.findall(r"<td( class=\"words\")?>", text) == [' class="words"', ' class="words"', ""]


def test_a_table_without_rows() -> None:
    assert "<tbody>" in table("c", ["a"], [])
