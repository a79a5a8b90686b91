"""A pipeline of streamal on the benchmark's broker: its settings, its topics, its processes."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.throughput.events import CLASSES
from benchmarks.throughput.log import free_port
from benchmarks.throughput.process import Process
from streamal.bootstrap import connect
from streamal.bootstrap.names import gate_group, trainer_group
from streamal.operations.topics import topic_specs
from streamal.ports import Broker
from streamal.settings import Settings, load_settings

_TOPICS: Final = (
    *("predictions", "reviews", "labels", "models", "gate_state", "windows", "drift"),
    "dead_letters",
)


class Pipeline:
    """A pipeline with names of its own and, but for what is given, the default settings.

    Args:
        bootstrap: the broker's `host:port`.
        folder: for its files.
        settings: lines of TOML, at the end of a minimal `streamal.toml`.
        broker_settings: further lines under `[broker]`.
        partitions: of `predictions`.
    """

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        settings: str = "",
        *,
        broker_settings: str = "",
        partitions: int = 1,
    ) -> None:
        name = f"p{uuid.uuid4().hex[:8]}"
        self._folder = folder
        self.config = folder / f"{name}.toml"
        topics = "\n".join(f'{field} = "{name}-{field}"' for field in _TOPICS)
        classes = ", ".join(f'"{each}"' for each in CLASSES)
        self.config.write_text(
            f'[pipeline]\nname = "{name}"\nclasses = [{classes}]\n'
            f'[broker]\nbootstrap_servers = ["{bootstrap}"]\n{broker_settings}\n'
            f"[topics]\npredictions_partitions = {partitions}\n{topics}\n"
            f'[snapshots]\nsigning_keys = "{uuid.uuid4().hex}"\n'
            f'[telemetry]\nhost = "127.0.0.1"\n'
            f"{settings}\n"
        )
        self.settings: Settings = load_settings(self.config)
        self.gates = gate_group(self.settings)
        self.trainers = trainer_group(self.settings)
        self.topics = [f"{name}-{field}" for field in _TOPICS]

    @contextmanager
    def connected(self) -> Iterator[Broker]:
        """A connection as streamal makes it."""
        with connect(self.settings) as broker:
            yield broker

    def create_topics(self) -> None:
        """As `streamal topics create`."""
        with self.connected() as broker:
            broker.admin().create_topics(topic_specs(self.settings))

    def start(self, role: str) -> Process:
        """`streamal run --role ROLE`, in a process of its own."""
        port = free_port()
        log = self._folder / f"{self.settings.pipeline.name}-{role}-{port}.log"
        command = [sys.executable, "-m", "streamal", "run", "-c", str(self.config)]
        environment = {
            "STREAMAL_TELEMETRY__PORT": str(port),
            "STREAMAL_TRAINER__STATE_PATH": str(self.config.with_suffix(".sqlite3")),
        }
        return Process([*command, "--role", role], log, port=port, environment=environment)

    def start_ready(self, role: str) -> Process:
        """The same, once it is ready."""
        process = self.start(role)
        process.wait_metric("streamal_ready", 1.0, role=role)
        return process
