"""The demo as people and programs see it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from streamal.demo import DemoOptions, run_demo
from streamal.errors import SettingsInvalid

KEYS = {
    "events",
    "routed",
    "routed_ratio",
    "budget",
    "labels_learned",
    "dead_letters",
    "production_accuracy_true",
    "production_accuracy_estimate",
    "production_accuracy_naive",
    "model_accuracy",
    "random_model_accuracy",
    "error_yield",
    "error_yield_random",
    "drift_alarms",
    "seconds",
    "events_per_second",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """`streamal demo --headless --seed 7 --json -`, from a shell with settings of a pipeline."""
    environment = {**os.environ, "STREAMAL_GATE__BUDGET": "0.5", "STREAMAL_LEARNER__NAME": "nope"}
    command = [sys.executable, "-m", "streamal", "demo", "--headless", "--seed", "7", "--json", "-"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_stdout_is_one_document_with_the_designed_keys(document: dict[str, Any]) -> None:
    assert set(document) == KEYS
    assert set(document["production_accuracy_estimate"]) == {"value", "low", "high", "level"}


def test_the_budget_is_spent_within_five_percent(document: dict[str, Any]) -> None:
    assert document["events"] == 10_000
    assert document["dead_letters"] == 0
    assert document["routed_ratio"] == document["routed"] / document["events"]
    assert document["routed_ratio"] == pytest.approx(document["budget"], rel=0.05)
    assert document["labels_learned"] == document["routed"]


def test_it_beats_routing_at_random(document: dict[str, Any]) -> None:
    assert document["model_accuracy"] > document["random_model_accuracy"]
    assert document["error_yield"] > document["error_yield_random"]


def test_the_estimate_is_honest_and_the_naive_mean_is_not(document: dict[str, Any]) -> None:
    estimate, true = document["production_accuracy_estimate"], document["production_accuracy_true"]
    assert estimate["level"] == 0.95
    assert estimate["low"] <= true <= estimate["high"]
    assert abs(estimate["value"] - true) < abs(document["production_accuracy_naive"] - true)


def test_the_drift_is_noticed_and_time_is_told(document: dict[str, Any]) -> None:
    assert document["drift_alarms"] >= 1
    assert document["events_per_second"] == pytest.approx(document["events"] / document["seconds"])


def without_timing(options: DemoOptions) -> dict[str, Any]:
    found = run_demo(options, None).document()
    del found["seconds"], found["events_per_second"]
    return found


def test_a_seed_fixes_the_whole_run() -> None:
    first = without_timing(DemoOptions(events=1_500, seed=3))
    assert without_timing(DemoOptions(events=1_500, seed=3)) == first
    assert without_timing(DemoOptions(events=1_500, seed=4)) != first


def mixed_rows(path: Path, rows: int) -> Path:
    """Two classes, with text, missing values and a boolean among the features."""
    lines = ["x,colour,flag,outcome"]
    lines += [
        f"{'' if n % 11 == 0 else n % 2 * 3 + n % 5},{'red' if n % 3 else 'blue'},{n % 7 == 0},"
        f"{'bad' if n % 2 else 'good'}"
        for n in range(rows)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_own_data_and_the_live_table(tmp_path: Path) -> None:
    data = mixed_rows(tmp_path / "rows.csv", 1_000)
    screen = StringIO()
    console = Console(file=screen, width=100, force_terminal=False)
    result = run_demo(DemoOptions(data=data, label="outcome", budget=0.1), console)
    assert result.events == 800
    assert result.dead_letters == 0
    assert result.routed_ratio == pytest.approx(0.1, rel=0.3)
    shown = screen.getvalue()
    assert "first 200 rows of" in shown
    assert "from event 400 on" in shown
    assert "event 800 of 800" in shown
    assert "sent to review" in shown
    summary = result.summary()
    assert f"{result.routed:,} events were sent to review" in summary
    assert all(len(line) <= 100 for line in summary.splitlines())


def test_more_events_than_the_data_has(tmp_path: Path) -> None:
    data = mixed_rows(tmp_path / "rows.csv", 600)
    with pytest.raises(
        SettingsInvalid, match="--events = 481: the data has 480 rows after the 120"
    ):
        run_demo(DemoOptions(events=481, data=data, label="outcome"), None)


def test_so_few_events_that_no_label_comes_back_still_end_in_a_result(tmp_path: Path) -> None:
    data = mixed_rows(tmp_path / "rows.csv", 600)
    result = run_demo(DemoOptions(events=20, data=data, label="outcome", budget=0.005), None)
    assert result.events == 20
    estimate = result.production_accuracy_estimate
    assert 0 <= estimate.low <= estimate.high <= 1
    assert estimate.value is None or math.isfinite(estimate.value)
    assert result.summary()
