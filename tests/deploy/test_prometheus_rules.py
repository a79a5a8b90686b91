"""Rules and alerts: valid, tested in both directions, about metrics that exist, explained."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.support.prometheus import (
    PROMETHEUS,
    ROOT,
    RULE_FILES,
    RULE_TESTS,
    alerts,
    metrics_in,
    panel_queries,
    problems,
    records,
    rules,
)

RequireOrSkip: TypeAlias = Callable[[str, str | None], None]
RunPromtool: TypeAlias = Callable[..., None]

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
RUNBOOK_URL = re.compile(r"\{\{ \$externalLabels\.(\w+) \}\}#([\w-]+)")
EACH_ALERT = pytest.mark.parametrize("name", sorted(alerts()))


@pytest.fixture
def promtool(require_or_skip: RequireOrSkip) -> RunPromtool:
    found = shutil.which("promtool")
    missing = "promtool not found (it comes with Debian's package prometheus)"
    require_or_skip("promtool", None if found else missing)

    def run(*arguments: str | Path) -> None:
        done = subprocess.run(
            [str(found), *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@cache
def rule_tests() -> tuple[Mapping[str, Any], ...]:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULE_TESTS]
    return tuple(test for document in documents for test in document["tests"])


def expectations(alert: str) -> Iterator[bool]:
    """For each test of an alert whether it is to fire."""
    for test in rule_tests():
        for case in test.get("alert_rule_test", ()):
            if case["alertname"] == alert:
                yield bool(case["exp_alerts"])


def sections() -> dict[str, str]:
    """Anchor to text of each section of the runbook."""
    parts = re.split(r"^## +(.+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"): text
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def alerts_named_in(text: str) -> list[str]:
    return re.findall(r"^Alert: `(\w+)`", text, flags=re.MULTILINE)


# Valid and tested


def test_promtool_accepts_the_rules(promtool: RunPromtool) -> None:
    promtool("check", "rules", *RULE_FILES)


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_the_rules_do_what_their_tests_say(path: Path, promtool: RunPromtool) -> None:
    promtool("test", "rules", path)


@EACH_ALERT
def test_an_alert_is_tested_firing_and_silent(name: str) -> None:
    assert set(expectations(name)) == {True, False}


def test_tests_are_about_alerts_that_exist() -> None:
    tested = {case["alertname"] for test in rule_tests() for case in test["alert_rule_test"]}
    assert tested == set(alerts())


def test_rules_are_evaluated_in_the_tests_in_the_order_that_values_flow() -> None:
    groups = [
        group["name"]
        for path in sorted(RULE_FILES, key=lambda path: path.stem == "alerts")
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]
    for path in RULE_TESTS:
        order = yaml.safe_load(path.read_text(encoding="utf-8"))["group_eval_order"]
        assert sorted(order) == sorted(groups)
        recording = [name for name in order if "alerts" not in name]
        assert order[: len(recording)] == recording


# About series that exist


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_reads_what_is_exported_or_recorded(rule: Mapping[str, Any]) -> None:
    assert metrics_in(rule["expr"])
    assert problems(rule["expr"]) == []


def test_tests_feed_only_what_is_exported() -> None:
    series = [each["series"] for test in rule_tests() for each in test["input_series"]]
    assert {series: problems(series) for series in series if problems(series)} == {}


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ('sum by (le) (rate(streamal_lables_total{pipeline="x"}[5m]))', "streamal_lables_total"),
        ('streamal_labels_total{outcom="learned"}', "outcom"),
        ("rate(streamal_batch_duration_seconds[5m])", "streamal_batch_duration_seconds"),
        ("1 - streamal:spent:ratio offset 1h > on (pipeline) 0", "streamal:spent:ratio"),
        ('max_over_time(streamal_events_total{job="gate"}[1h:5m])', None),
    ],
)
def test_a_series_that_does_not_exist_would_be_found(expression: str, problem: str | None) -> None:
    found = problems(expression)
    assert not found if problem is None else [problem] == [each.split()[-1] for each in found]


def test_everything_that_is_recorded_is_used() -> None:
    read = {name for rule in rules() for name in metrics_in(rule["expr"])}
    read |= {name for query in panel_queries() for name in metrics_in(query.expression)}
    assert records() <= read


def test_recorded_names_say_what_and_how() -> None:
    assert not [name for name in records() if not re.fullmatch(r"streamal:[a-z_]+:\w+", name)]


# Explained


@EACH_ALERT
def test_an_alert_tells_whom_to_call_what_happens_and_where_to_read(name: str) -> None:
    alert = alerts()[name]
    assert name.startswith("Streamal")
    assert alert["labels"]["severity"] in {"critical", "warning"}
    notes = alert["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    assert "{{ $labels.pipeline }}" in notes["summary"]
    assert notes["summary"].endswith(".")
    assert len(notes["summary"]) < 120


@EACH_ALERT
def test_an_alert_has_a_section_of_its_own_in_the_runbook(name: str) -> None:
    match = RUNBOOK_URL.fullmatch(alerts()[name]["annotations"]["runbook_url"])
    assert match
    assert alerts_named_in(sections()[match[2]]) == [name]


def test_the_runbook_names_only_alerts_that_exist() -> None:
    assert sorted(alerts_named_in(RUNBOOK)) == sorted(alerts())


def test_the_address_of_the_runbook_is_configured_in_one_place() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    matches = [
        RUNBOOK_URL.fullmatch(alert["annotations"]["runbook_url"]) for alert in alerts().values()
    ]
    (label,) = {match[1] for match in matches if match}
    assert config["global"]["external_labels"].keys() == {label}
    (relabel,) = config["alerting"]["alert_relabel_configs"]
    assert relabel == {"action": "labeldrop", "regex": label}


def test_the_guide_lists_every_alert_with_its_severity() -> None:
    guide = (ROOT / "docs" / "how-to" / "watch-a-pipeline.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(Streamal\w+)` \| (\w+) \|", guide, flags=re.MULTILINE))
    assert listed == {name: alert["labels"]["severity"] for name, alert in alerts().items()}
