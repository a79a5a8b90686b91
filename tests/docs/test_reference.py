"""The reference is what the code says today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
#: Fields of a model reference; there is nothing to add.
SPEAK_FOR_THEMSELVES = ("| `name` |", "| `version` |")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_pages_are_what_is_generated(generate: ModuleType) -> None:
    committed = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "docs/reference").glob("*.md")
    }
    stale = [
        name
        for name in sorted(committed.keys() | generate.pages().keys())
        if committed.get(name) != generate.pages().get(name)
    ]
    assert not stale, "run `python docs/generate.py`"


def test_generating_twice_gives_the_same(generate: ModuleType) -> None:
    assert generate.pages() == generate.pages()


def test_no_key_field_or_parameter_lacks_a_meaning(generate: ModuleType) -> None:
    for name, text in generate.pages().items():
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert rows
        bare = [row for row in rows if row.endswith("|  |")]
        assert not [row for row in bare if not row.startswith(SPEAK_FOR_THEMSELVES)], (
            f"{name}: give it a line in its docstring"
        )
