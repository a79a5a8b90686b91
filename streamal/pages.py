"""HTML documents that need nothing else: no network, no scripts (docs/decisions/0009)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

__all__ = ["figure", "page", "table"]

#: In the dark, charts are turned over: lightness is inverted and hues stay, so contrasts do too.
#: On narrow screens tables and charts scroll rather than shrink until nobody can read them.
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1c1c; --quiet: #4a4a4a; --line: #d9d9d9;
        --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --quiet: #b4b4b4; --line: #3c3c3c; --paper: #141414; }
  svg { filter: invert(1) hue-rotate(180deg); }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
p { max-width: 62rem; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 3rem; border-top: 2px solid var(--ink); }
figure { margin: 1.5rem 0; overflow-x: auto; } figcaption { color: var(--quiet); max-width: 46rem; }
svg { width: 100%; height: auto; min-width: 34rem; max-width: 46rem;
      font-family: system-ui, sans-serif; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.5rem; text-align: right; border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; } th[scope=row], th.words, td.words { text-align: left; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.5rem; }
"""


def page(title: str, body: str) -> str:
    """A whole document under a policy that forbids every request; `body` is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1
) -> str:
    """A table as HTML.

    Args:
        caption: what it holds.
        head: titles of the columns.
        rows: texts, as many as there are columns.
        words: how many columns from the left hold words rather than numbers.
    """
    titles = "".join(
        f'<th scope="col"{_words(place, words)}>{escape(text)}</th>'
        for place, text in enumerate(head)
    )
    lines = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_words(place, words)}>{escape(text)}</td>" for place, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{titles}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>"
    )


def figure(title: str, svg: str, caption: str) -> str:
    """A picture with its title and what is to be seen in it."""
    return (
        f"<figure>\n<h3>{escape(title)}</h3>\n{svg}\n"
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )


def _words(place: int, words: int) -> str:
    return ' class="words"' if place < words else ""
