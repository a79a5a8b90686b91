"""Examples in docstrings run and say what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "streamal"
MODULES = sorted(
    ".".join(("streamal", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for path in PACKAGE.rglob("*.py")
    if path.stem != "__main__"
)
#: Rooms whose examples are a part of their documentation.
SHOWN = ("streamal.core.chance", "streamal.core.gate", "streamal.core.budgets.quantile")


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", SHOWN)
def test_there_are_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).attempted > 0


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name in MODULES if not (importlib.import_module(name).__doc__ or "").strip()]
    assert not silent
