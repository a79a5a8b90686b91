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


def test_words_are_left_and_numbers_right() -> None:
    text = table("c", ["a", "b", "n"], [("x", "y", "1")], words=2)
    assert re.findall(r"<td( class=\"words\")?>", text) == [' class="words"', ' class="words"', ""]


def test_a_table_without_rows() -> None:
    assert "<tbody>" in table("c", ["a"], [])
