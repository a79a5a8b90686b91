"""`streamal backtest` as it is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streamal.cli.backtesting import backtest
from streamal.errors import SettingsInvalid
from streamal.settings import GateSettings, LearnerSettings

FAST = ("--learner", "gaussian_nb", "--strategy", "margin", "--limit", "200", "--jobs", "1")


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(backtest)
    return app


def test_the_table_fits_into_80_columns(
    app: typer.Typer, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    arguments = [str(recorded), "--label", "truth", *FAST, "--strategy", "margin,source=model"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "gaussian_nb, budget 5.00%" in lines[0]
    for word in ("strategy / policy", "accuracy", "retention", "estimate", "margin,source="):
        assert word in result.stdout


def test_document_and_report_are_written(app: typer.Typer, recorded: Path, tmp_path: Path) -> None:
    page, runs = tmp_path / "report.html", tmp_path / "runs.json"
    options = (
        "--label truth --prediction said --probabilities p_ --budget 0.05 --budget 0.2 --seeds 2 "
        "--policy quantile --policy fixed_threshold --delay 3 --noise 0.1 --missing 0.1"
    )
    targets = ["--report", str(page), "--json", str(runs)]
    result = CliRunner().invoke(app, [str(recorded), *options.split(), *FAST, *targets])
    assert result.exit_code == 0, result.output
    found = json.loads(runs.read_text(encoding="utf-8"))
    assert [(r["budget"], r["policy"], r["seed"]) for r in found] == [
        (budget, policy, seed)
        for budget in (0.05, 0.2)
        for policy in ("quantile", "fixed_threshold")
        for seed in (0, 1)
    ]
    assert all(r["data"] == str(recorded) and r["strategy"] == "margin" for r in found)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_json_to_stdout_is_all_there_is(recorded: Path) -> None:
    """In a process of its own, with workers: nothing of theirs gets in between."""
    command = [sys.executable, "-m", "streamal", "backtest", str(recorded), "--label", "truth"]
    options = ["--learner", "gaussian_nb", "--limit", "100", "--jobs", "2", "--json", "-"]
    result = subprocess.run([*command, *options], capture_output=True, check=True, timeout=120)
    (run,) = json.loads(result.stdout)
    assert run["events"] == 100
    assert result.stderr == b""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--label", "nope"], "--label = 'nope': no such column"),
        (["--label", "truth", "--prediction", "nope"], "--prediction = 'nope'"),
        (["--label", "truth", "--probabilities", "zz"], "--probabilities = 'zz'"),
        (["--label", "truth", "--strategy", "nope"], "'nope' is not a strategy"),
        (["--label", "truth", "--policy", "nope"], "'nope' is not a budget policy"),
        (["--label", "truth", "--learner", "nope"], "'nope' is not a learner"),
        (["--label", "truth", "--budget", "0"], "budget"),
        (["--label", "truth", "--strategy", "margin,sauce=model"], "sauce: unknown parameter"),
        (["--label", "truth", "--json", "no/such/folder.json"], "--json"),
        (["--label", "truth", "--report", "no/such/folder.html"], "--report"),
    ],
)
def test_problems_are_one_line_each(
    options: list[str], words: str, app: typer.Typer, recorded: Path
) -> None:
    result = CliRunner().invoke(app, [str(recorded), *options, "--jobs", "1"])
    assert isinstance(result.exception, SettingsInvalid)
    assert result.exception.exit_code == 2
    (line,) = result.exception.problems
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--label", "t", "--noise", "2"],
        ["--label", "t", "--delay", "-1"],
        ["--label", "t", "--seeds", "0"],
    ],
)
def test_wrong_usage_ends_with_2(options: list[str], app: typer.Typer, recorded: Path) -> None:
    assert CliRunner().invoke(app, [str(recorded), *options]).exit_code == 2


def test_without_options_it_takes_what_production_would(
    app: typer.Typer, recorded: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs.json"
    arguments = [str(recorded), "--label", "truth", "--limit", "60", "--jobs", "1"]
    assert CliRunner().invoke(app, [*arguments, "--json", str(runs)]).exit_code == 0
    (run,) = json.loads(runs.read_text(encoding="utf-8"))
    gate, learner = GateSettings(), LearnerSettings()
    chosen = [run[key] for key in ("strategy", "policy", "learner", "budget", "seed")]
    assert chosen == [gate.strategy, gate.policy, learner.name, gate.budget, 0]
