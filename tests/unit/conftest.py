"""For command line and lab: commands in the test process, a stand-in for Kafka, a recording."""

from __future__ import annotations

import csv
import logging
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamal import bootstrap, cli, service
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.ports import Broker
from streamal.settings import Settings


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """The command line configures the process's logging; the test process keeps its own."""
    loggers = [logging.getLogger(name) for name in (None, "kafka", "urllib3", "asyncio")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Outcome]


@pytest.fixture
def run_command(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    logging_as_it_was: None,  # noqa: ARG001 - only its end matters
) -> Run:
    """Runs a command line in this process, exit code and all."""

    def start(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["streamal", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        captured = capfdbinary.readouterr()
        return Outcome(code, captured.out.decode(), captured.err.decode())

    return start


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "streamal.toml"
    path.write_text(
        '[pipeline]\nname = "orders"\n'
        '[topics]\nreviews = "orders.reviews"\npredictions_partitions = 2\n'
        '[snapshots]\nsigning_keys = ["0123456789abcdef"]\n'
        '[telemetry]\nhost = "127.0.0.1"\nport = 0\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    """Stands in for Kafka."""
    memory = MemoryBroker(ManualClock())

    @contextmanager
    def connect(_settings: Settings) -> Iterator[Broker]:
        yield memory

    for user in (bootstrap, service):
        monkeypatch.setattr(user, "connect", connect)
    return memory


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two noisy clusters, and a production model that is right most times."""
    rng = random.Random(11)
    path = tmp_path / "recorded.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y", "truth", "said", "p_no", "p_yes"])
        for _ in range(600):
            truth = rng.random() < 0.4
            x, y = rng.gauss(1.6 if truth else -0.4, 1.0), rng.gauss(0.0, 1.0)
            sure = rng.uniform(0.5, 1.0)
            right = rng.random() < 0.3 + 0.7 * sure
            yes = sure if truth == right else 1 - sure
            writer.writerow(
                [x, y, "yes" if truth else "no", "yes" if yes > 0.5 else "no", 1 - yes, yes]
            )
    return path
