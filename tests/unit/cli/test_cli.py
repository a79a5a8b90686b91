"""The command line: help, exit codes, and that `--json -` prints one document and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import typer
from typer.testing import CliRunner

from streamal import __version__, cli
from streamal.errors import (
    BreakerOpen,
    BrokerUnavailable,
    Fenced,
    SettingsInvalid,
    SnapshotRefused,
    StreamalError,
    Unauthorized,
)
from streamal.settings import Settings


class Outcome(Protocol):
    """How a command ended; made by the fixture `run`."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]: ...


Run = Callable[..., Outcome]


COMMANDS = {
    (): {
        "run",
        "demo",
        "check",
        "topics",
        "schema",
        "catalogue",
        "inspect",
        "backtest",
        "annotators",
        "--version",
    },
    ("run",): {"--config", "--role", "all|gate|trainer"},
    ("demo",): {"--events", "--seed", "--budget", "--data", "--label", "--headless", "--json"},
    ("backtest",): {
        "data",
        "--label",
        "--strategy",
        "--policy",
        "--learner",
        "--budget",
        "--delay",
        "--noise",
        "--missing",
        "--seeds",
        "--limit",
        "--prediction",
        "--probabilities",
        "--task",
        "--tolerance",
        "--jobs",
        "--report",
        "--json",
    },
    ("check",): {"--config"},
    ("console",): set(),
    ("console", "token"): {"name", "--role"},
    ("topics",): {"create", "list", "describe"},
    ("topics", "create"): {"--config"},
    ("topics", "list"): {"--config"},
    ("topics", "describe"): {"--config", "--json"},
    ("annotators",): {"list", "quarantine", "release", "dismiss"},
    ("annotators", "list"): {"--config", "--json"},
    ("annotators", "quarantine"): {"annotator", "--by", "--note", "--config"},
    ("annotators", "release"): {"annotator", "--by", "--note", "--config"},
    ("annotators", "dismiss"): {"annotator", "--by", "--note", "--config"},
    ("schema",): {"--format", "json-schema|asyncapi", "--config"},
    ("catalogue",): {"--json"},
    ("inspect",): {"--config", "--json"},
    ("export",): {"--config", "--from", "--to", "--until"},
    ("report",): {"--config", "--from", "--to", "--until", "--price-per-label", "--currency"},
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_complete_and_every_option_is_explained(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli.app, [*command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(word in result.stdout for word in COMMANDS[command])


def test_every_command_and_option_is_known_here_and_explained() -> None:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - typer's own class
        yield path, command
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))

    found = dict(walk(typer.main.get_command(cli.app), ()))
    assert set(found) == set(COMMANDS)
    for path, command in found.items():
        assert command.help, path
        options = [option for option in command.params if "completion" not in option.name]
        assert all(option.help for option in options), path
        assert {option.opts[0] for option in options} <= COMMANDS[path]


def test_version(run_command: Run) -> None:
    outcome = run_command("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("topics",),
        ("topics", "nope"),
        ("demo", "--nope"),
        ("demo", "--events", "10"),
        ("demo", "--seed", "abc"),
        ("demo", "--budget", "0.9"),
        ("run", "--role", "nope"),
        ("schema", "--format", "nope"),
        ("catalogue", "--json"),
        ("check", "surplus"),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(
    arguments: tuple[str, ...], run_command: Run
) -> None:
    outcome = run_command(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage: " in outcome.err or outcome.err.startswith("Error: ")
    assert "Traceback" not in outcome.err


def test_settings_problems_are_lines_with_exit_code_2(run_command: Run, config_file: Path) -> None:
    config_file.write_text("[gate]\nbudget = 2\npolicy = 'nope'\n", encoding="utf-8")
    for command in (("run",), ("check",), ("inspect",), ("topics", "list")):
        outcome = run_command(*command, "-c", str(config_file))
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err == "streamal: gate.budget = 2: Input should be less than or equal to 1\n"
    config_file.write_text("[gate]\npolicy = 'nope'\n", encoding="utf-8")
    outcome = run_command("run", "-c", str(config_file))
    assert outcome.code == 2
    assert [line.split(":")[1].split(" ")[1] for line in outcome.complaints] == [
        "gate.policy",
        "snapshots.signing_keys",
    ]


def test_a_missing_file(run_command: Run) -> None:
    outcome = run_command("check", "-c", "no/such.toml")
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        "streamal: no/such.toml: no such file\n",
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsInvalid("one", "two"), 2),
        (BrokerUnavailable("away"), 3),
        (Unauthorized("refused"), 3),
        (BreakerOpen("open"), 4),
        (Fenced("fenced"), 5),
        (SnapshotRefused("altered"), 1),
    ],
)
def test_every_error_ends_with_its_code_and_its_lines(
    error: StreamalError,
    code: int,
    run_command: Run,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> bool:
        raise error

    monkeypatch.setattr("streamal.service.serve", fail)
    outcome = run_command("run", "-c", str(config_file))
    assert outcome.code == code
    assert outcome.complaints == [f"streamal: {line}" for line in str(error).splitlines()]


@pytest.mark.parametrize(("interrupted", "code"), [(True, 130), (False, 0)])
def test_run_tells_an_interrupt_from_a_clean_end(
    interrupted: bool,
    code: int,
    run_command: Run,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[tuple[str, ...]] = []

    def serve(_: Settings, roles: tuple[str, ...]) -> bool:
        served.append(roles)
        return interrupted

    monkeypatch.setattr("streamal.service.serve", serve)
    for role in ("all", "gate", "trainer"):
        assert run_command("run", "-c", str(config_file), "--role", role).code == code
    assert served == [("gate", "trainer"), ("gate",), ("trainer",)]


@pytest.mark.parametrize("command", [("demo", "--headless"), ("catalogue",)])
def test_an_interrupt_ends_with_130(
    command: tuple[str, ...], run_command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("streamal.demo.run_demo", interrupt)
    monkeypatch.setattr("streamal.operations.catalogue.catalogue", interrupt)
    assert run_command(*command).code == 130


@pytest.mark.parametrize(
    "command",
    [("catalogue", "--json", "-"), ("schema",), ("schema", "--format", "asyncapi")],
    ids=" ".join,
)
def test_stdout_is_one_json_document(command: tuple[str, ...], run_command: Run) -> None:
    outcome = run_command(*command)
    assert (outcome.code, outcome.err) == (0, "")
    assert isinstance(json.loads(outcome.out), dict)


def test_json_to_a_file(run_command: Run, tmp_path: Path) -> None:
    target = tmp_path / "catalogue.json"
    outcome = run_command("catalogue", "--json", str(target))
    assert (outcome.code, outcome.out) == (0, "")
    document: dict[str, Any] = json.loads(target.read_bytes())
    assert {"strategies", "policies", "learners", "regressors", "detectors", "metrics"} == set(
        document
    )


def test_json_to_where_nothing_can_be_written(run_command: Run, tmp_path: Path) -> None:
    for target in (tmp_path / "no" / "such.json", tmp_path):
        for command in (("catalogue",), ("demo", "--headless")):
            started = time.monotonic()
            outcome = run_command(*command, "--json", str(target))
            assert outcome.code == 2
            assert outcome.complaints[0].startswith(f"streamal: --json = '{target}': cannot be")
            assert time.monotonic() - started < 20


def test_the_catalogue_for_people(run_command: Run) -> None:
    text = run_command("catalogue").out
    for word in ("margin", "quantile", "hoeffding_adaptive_tree", "streamal_model_labels"):
        assert word in text


def test_asyncapi_uses_the_topics_of_the_settings(run_command: Run, config_file: Path) -> None:
    document = json.loads(run_command("schema", "--format", "asyncapi", "-c", str(config_file)).out)
    assert "orders.reviews" in document["channels"]


def test_demo_takes_bad_data_for_what_it_is(run_command: Run, tmp_path: Path) -> None:
    assert run_command("demo", "--data", str(tmp_path / "no.csv"), "--label", "y").complaints == [
        f"streamal: --data = '{tmp_path / 'no.csv'}': no such file"
    ]
