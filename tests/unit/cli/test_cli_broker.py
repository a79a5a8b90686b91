"""The command line: commands that need a broker: with one, and with none."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from kafka.record import util

from streamal.broker.memory import MemoryBroker


class Outcome(Protocol):
    """How a command ended; made by the fixture `run`."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]: ...


Run = Callable[..., Outcome]


@pytest.fixture
def unreachable(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings whose broker's port refuses connections."""
    monkeypatch.setenv("STREAMAL_BROKER__CONNECT_TIMEOUT_SECONDS", "0.8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("STREAMAL_BROKER__BOOTSTRAP_SERVERS", f"127.0.0.1:{port}")
        yield config_file


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("inspect", "--json", "-"),
        ("topics", "create"),
        ("topics", "list"),
        ("topics", "describe", "--json", "-"),
        ("run",),
        ("run", "--role", "trainer"),
    ],
    ids=" ".join,
)
def test_no_broker_is_one_line_and_exit_code_3_within_the_connect_timeout(
    command: tuple[str, ...], run_command: Run, unreachable: Path
) -> None:
    started = time.monotonic()
    outcome = run_command(*command, "-c", str(unreachable))
    assert time.monotonic() - started < 20
    assert outcome.code == 3
    assert outcome.out == ""
    (line,) = outcome.complaints
    assert line.startswith("streamal: no broker answered within 0.8 s: ")
    assert line.endswith("Connection refused")


def test_a_whole_process_that_finds_no_broker(unreachable: Path) -> None:
    command = [sys.executable, "-m", "streamal", "check", "-c", str(unreachable)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on port {port}")


def test_an_interrupt_while_waiting_for_a_broker_ends_the_process(unreachable: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {
        **os.environ,
        "STREAMAL_BROKER__CONNECT_TIMEOUT_SECONDS": "60",
        "STREAMAL_BROKER__REQUEST_TIMEOUT_SECONDS": "3",
        "STREAMAL_TELEMETRY__PORT": str(port),
    }
    command = [sys.executable, "-m", "streamal", "run", "-c", str(unreachable)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        wait_until_open(port)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130, complaints.decode()
    assert b"Traceback" not in complaints


def test_topics_are_created_listed_and_described(
    run_command: Run, config_file: Path, stand_in: MemoryBroker
) -> None:
    arguments = ("-c", str(config_file))
    assert run_command("topics", "list", *arguments).out.splitlines() == [
        f"missing  {name}"
        for name in (
            "predictions",
            "orders.reviews",
            "labels",
            "models",
            "gate-state",
            "windows",
            "drift",
            "dead-letters",
        )
    ]
    assert set(run_command("topics", "create", *arguments).out.split()[::2]) == {"created"}
    assert set(run_command("topics", "create", *arguments).out.split()[::2]) == {"exists"}
    assert set(run_command("topics", "list", *arguments).out.split()[::2]) == {"exists"}
    described = run_command("topics", "describe", *arguments)
    assert "orders.reviews" in described.out
    rows = json.loads(run_command("topics", "describe", *arguments, "--json", "-").out)
    assert rows[0] == {
        "name": "predictions",
        "partitions": 2,
        "replication": 1,
        "cleanup": "delete",
        "max_message_bytes": rows[0]["max_message_bytes"],
    }
    assert stand_in.admin().describe_topics(["models"])["models"].compacted


def test_check(run_command: Run, config_file: Path, stand_in: MemoryBroker) -> None:  # noqa: ARG001 - stands in for Kafka
    before = run_command("check", "-c", str(config_file))
    assert before.code == 2
    assert len(before.complaints) == 8
    run_command("topics", "create", "-c", str(config_file))
    after = run_command("check", "-c", str(config_file))
    assert (after.code, after.err) == (0, "")
    assert after.out == "orders: settings, connection, topics and permissions are fine\n"


def test_check_warns_of_what_is_allowed_and_useless(
    run_command: Run,
    config_file: Path,
    stand_in: MemoryBroker,  # noqa: ARG001 - stands in for Kafka
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREAMAL_GATE__STRATEGY", "vote_entropy")
    run_command("topics", "create", "-c", str(config_file))
    outcome = run_command("check", "-c", str(config_file))
    assert outcome.code == 0
    assert outcome.err.startswith("streamal: warning: gate.strategy = 'vote_entropy': asks a comm")


@pytest.mark.parametrize("role", ["all", "gate", "trainer", "console", "label-studio"])
def test_check_and_every_role_warn_of_checksums_in_python(
    run_command: Run,
    config_file: Path,
    stand_in: MemoryBroker,  # noqa: ARG001 - stands in for Kafka
    monkeypatch: pytest.MonkeyPatch,
    role: str,
) -> None:
    monkeypatch.setattr(util.calc_crc32c, "__defaults__", (util.crc32c_py,))
    arguments = ("-c", str(config_file))
    # No role gets further here: there are no topics.
    for command in (("check",), ("run", "--role", role)):
        told = run_command(*command, *arguments).err.splitlines()
        assert len([line for line in told if "crc32c is missing" in line]) == 1


def test_inspect(run_command: Run, config_file: Path, stand_in: MemoryBroker) -> None:  # noqa: ARG001 - stands in for Kafka
    missing = run_command("inspect", "-c", str(config_file), "--json", "-")
    assert (missing.code, missing.out, len(missing.complaints)) == (2, "", 8)
    run_command("topics", "create", "-c", str(config_file))
    assert "no model was published yet" in run_command("inspect", "-c", str(config_file)).out
    found = json.loads(run_command("inspect", "-c", str(config_file), "--json", "-").out)
    assert set(found) == {
        "pipeline",
        "model",
        "refused",
        "pending",
        "response_rate",
        "label_latency_seconds",
        "quarantined",
        "disputes",
        "annotator_alpha",
        "answer_noise",
        "answer_error",
        "noise_dominates",
        "quality",
        "gates",
        "labels_lag",
    }


def test_topics_need_no_key_but_all_that_reads_models_does(
    run_command: Run,
    config_file: Path,
    stand_in: MemoryBroker,  # noqa: ARG001 - stands in for Kafka
) -> None:
    config_file.write_text("", encoding="utf-8")
    assert run_command("topics", "create", "-c", str(config_file)).code == 0
    assert run_command("check", "-c", str(config_file)).code == 2
    assert run_command("inspect", "-c", str(config_file)).code == 2


def test_logs_stay_off_stdout(
    run_command: Run, config_file: Path, stand_in: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_command("topics", "create", "-c", str(config_file))
    admin = stand_in.admin

    def chatty() -> object:
        logging.getLogger("streamal.test").warning("looking")
        return admin()

    monkeypatch.setattr(stand_in, "admin", chatty)
    outcome = run_command("inspect", "-c", str(config_file), "--json", "-")
    assert json.loads(outcome.out)["pipeline"] == "orders"
    assert "looking" in outcome.err
