"""Help, version and completion load nothing that a pipeline works with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

import pytest

#: What takes long to import, and the rooms that import it. pydantic alone is not among them: Typer
#: itself reads options with it, and takes 0.06 s for that.
HEAVY: Final = frozenset(
    {
        "kafka",
        "numpy",
        "pandas",
        "prometheus_client",
        "pydantic_settings",
        "river",
        "scipy",
        "sqlite3",
        "streamal.bootstrap",
        "streamal.demo",
        "streamal.lab",
        "streamal.operations",
        "streamal.settings",
    }
)
#: Calls the command line as its script does, and tells at the very end what was imported.
SCRIPT: Final = """
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(sorted(sys.modules))))
sys.argv[0] = "streamal"
from streamal.__main__ import main
main()
"""
#: Asks for the help of every command there is, in one process.
EVERY_HELP: Final = """
import json, sys
import typer
from typer.testing import CliRunner
from streamal.cli import app

def paths(command, path=()):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))

found = list(paths(typer.main.get_command(app)))
assert len(found) > 20
for path in found:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0 and "Usage: " in result.stdout, path
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def imported(script: str, *arguments: str, **environment: str) -> tuple[str, set[str]]:
    """What it prints, and the modules that it has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(option: str) -> None:
    said, modules = imported(SCRIPT, option)
    assert said
    assert modules & HEAVY == set()


def test_the_help_of_every_command_loads_nothing_heavy() -> None:
    _, modules = imported(EVERY_HELP)
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("streamal back", "backtest"),
        ("streamal topics cr", "create"),
        ("streamal run --ro", "role"),
    ],
)
def test_completion_loads_nothing_heavy(words: str, offered: str) -> None:
    position = str(len(words.split()) - 1)
    said, modules = imported(
        SCRIPT, _STREAMAL_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=position
    )
    assert offered in said
    assert modules & HEAVY == set()


def test_a_command_that_works_does_load_what_it_needs() -> None:
    """Or the other tests would not notice that they look at the wrong thing."""
    _, modules = imported(SCRIPT, "catalogue", "--json", "-")
    assert {"numpy", "prometheus_client", "streamal.operations"} <= modules
