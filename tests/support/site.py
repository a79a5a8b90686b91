"""A whole pipeline on a real broker: processes, a production that publishes, people who answer."""

from __future__ import annotations

import heapq
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from streamal.bootstrap import Pipeline, connect
from streamal.clock import SystemClock
from streamal.events import LabelEvent, ReviewRequest
from streamal.operations.topics import topic_specs
from streamal.ports import Broker, Record, TopicPartition
from streamal.settings import Settings, load_settings
from streamal.telemetry import Metrics

SIGNING_KEY = "a signing key for tests only"


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return once `condition` holds; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


class Process:
    """`streamal run --role …` as an operator would start it."""

    def __init__(self, name: str, role: str, config: Path, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.log = folder / f"{name}-{uuid.uuid4().hex[:4]}.log"
        environment = {
            **os.environ,
            "STREAMAL_TELEMETRY__PORT": str(self.port),
            "STREAMAL_TELEMETRY__HOST": "127.0.0.1",
            "STREAMAL_TRAINER__STATE_PATH": str(folder / f"{name}.sqlite3"),
            "STREAMAL_SNAPSHOTS__SIGNING_KEYS": SIGNING_KEY,
        }
        command = [sys.executable, "-m", "streamal", "run", "-c", str(config), "--role", role]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def ready(self) -> bool:
        """Whether /readyz says so."""
        if self.process.poll() is not None:
            pytest.fail(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    def metric(self, name: str, **labels: str) -> float | None:
        """One sample of /metrics; None when it is not there."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                text = page.read().decode()
        except (OSError, urllib.error.URLError):
            return None
        for line in text.splitlines():
            match = re.fullmatch(rf"{name}(\{{.*\}})? (\S+)", line)
            found = dict(re.findall(r'(\w+)="([^"]*)"', match.group(1) or "")) if match else {}
            if match and labels.items() <= found.items():
                return float(match.group(2))
        return None

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """SIGKILL: no instruction runs after it."""
        self.process.kill()
        self.process.wait()

    def tail(self) -> str:
        """The end of what it logged."""
        return self.log.read_text(errors="replace")[-4000:]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Reviewers(threading.Thread):
    """Answer each review after a while; every fifth one is answered by a colleague as well.

    Args:
        broker: the log.
        settings: of the pipeline.
        truth: event id to what they will say.
        missing: share of the reviews that are never answered.
    """

    def __init__(
        self,
        broker: Broker,
        settings: Settings,
        truth: Mapping[str, str | float],
        *,
        missing: float = 0.0,
    ) -> None:
        super().__init__(name="reviewers")
        self._missing = missing
        self._broker = broker
        self._settings = settings
        self._truth = truth
        self._done = threading.Event()
        self._due: list[tuple[float, str]] = []
        self._random = random.Random(5)
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def run(self) -> None:
        consumer = self._broker.consumer(group=f"{self._settings.pipeline.name}-people")
        consumer.subscribe([self._settings.topics.reviews])
        producer = self._broker.producer()
        while not (self._done.is_set() and not self._due):
            for record in consumer.poll(0.1, 500):
                event_id = ReviewRequest.from_bytes(record.value).event_id
                self.asked[event_id] += 1
                if self._missing and self._random.random() < self._missing:
                    continue
                for _ in range(2 if self._random.random() < 0.2 else 1):
                    heapq.heappush(self._due, (time.time() + self._random.random() * 3, event_id))
            while self._due and self._due[0][0] <= time.time():
                _, event_id = heapq.heappop(self._due)
                truth = self._truth[event_id]
                label = LabelEvent(
                    event_id=event_id,
                    label=truth if isinstance(truth, str) else None,
                    value=None if isinstance(truth, str) else truth,
                    annotator="colleague" if self.answered[event_id] else "person",
                    labelled_at=datetime.now(UTC),
                )
                producer.send(self._settings.topics.labels, label.to_bytes(), key=event_id.encode())
                self.answered[event_id] += 1
            producer.flush()
        consumer.close()
        producer.close()

    def finish(self) -> None:
        """Answer what is due, then end."""
        self._done.set()
        self.join(timeout=60)


class Site:
    """A pipeline's topics, configuration and processes, under names of its own."""

    def __init__(
        self, bootstrap: str, folder: Path, overrides: str = "", pipeline: str = ""
    ) -> None:
        name = f"t{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.config = folder / f"{name}.toml"
        names = {
            field: f"{name}-{field}"
            for field in (
                "predictions",
                "reviews",
                "labels",
                "models",
                "gate_state",
                "windows",
                "drift",
                "dead_letters",
            )
        }
        topics = "\n".join(f'{field} = "{topic}"' for field, topic in names.items())
        self.config.write_text(
            f'[pipeline]\nname = "{name}"\n{pipeline}\n'
            f'[broker]\nbootstrap_servers = ["{bootstrap}"]\n'
            "session_timeout_seconds = 6\ntransaction_timeout_seconds = 5\n"
            f"[topics]\n{topics}\n{overrides}"
        )
        os.environ["STREAMAL_SNAPSHOTS__SIGNING_KEYS"] = SIGNING_KEY
        try:
            self.settings = load_settings(self.config)
        finally:
            del os.environ["STREAMAL_SNAPSHOTS__SIGNING_KEYS"]
        self._connection = connect(self.settings)
        self.broker = self._connection.__enter__()
        self.pipeline = Pipeline(self.settings, self.broker, SystemClock(), Metrics(name))
        self.broker.admin().create_topics(topic_specs(self.settings))
        self.processes: list[Process] = []

    def start(self, name: str, role: str) -> Process:
        """Start a process and wait until it is ready."""
        process = self.launch(name, role)
        wait_until(process.ready, f"{name} is ready")
        return process

    def launch(self, name: str, role: str) -> Process:
        """Start a process."""
        process = Process(name, role, self.config, self.folder)
        self.processes.append(process)
        return process

    def publish(
        self,
        event_id: str,
        features: object,
        probabilities: dict[str, float],
        version: str = "1",
        **metadata: object,
    ) -> None:
        """A version of production predicts one event."""
        event = {
            "event_id": event_id,
            "timestamp": time.time(),
            "features": features,
            "prediction": {"probabilities": probabilities},
            "model": {"name": "production", "version": version},
            "metadata": metadata,
        }
        self.publish_raw(orjson.dumps(event), event_id.encode())

    def publish_raw(self, value: bytes | None, key: bytes | None = None) -> None:
        """Production writes anything."""
        if not hasattr(self, "_producer"):
            self._producer = self.broker.producer()
        self._producer.send(self.settings.topics.predictions, value, key=key)

    def flush(self) -> None:
        """Everything published is stored."""
        self._producer.flush()

    def read(self, topic: str) -> list[Record]:
        """All committed records of a topic."""
        consumer = self.broker.consumer()
        sources = [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
        consumer.assign(sources)
        for source, first in consumer.beginning_offsets(sources).items():
            consumer.seek(source, first)
        ends = consumer.end_offsets(sources)
        records: list[Record] = []
        while any(consumer.position(source) < end for source, end in ends.items()):
            records.extend(consumer.poll(0.5, 5000))
        consumer.close()
        return records

    def close(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
        self._connection.__exit__(None, None, None)
