"""The programs that are compared: what a row is called, and how it is started."""

from __future__ import annotations

import importlib.util
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from benchmarks.throughput.bench import Bench
from benchmarks.throughput.events import Shape
from benchmarks.throughput.peers.job import Job
from benchmarks.throughput.pipeline import Pipeline
from benchmarks.throughput.process import Process
from benchmarks.throughput.trained import publish_trained
from streamal.settings import BrokerSettings

_PEERS: Final = "benchmarks.throughput.peers"


class Subject(Protocol):
    """A program that reads a topic, and what is asked of it.

    Attributes:
        process: the program.
        topic: what it reads.
        reviews: where its questions go.
    """

    process: Process
    topic: str
    reviews: str

    def wait(self, count: int) -> float:
        """When, on the monotonic clock, it had handled `count` events."""

    def settle(self, count: int) -> None:
        """Return once it owes nothing any more for its first `count` events."""

    def end(self) -> None:
        """End the process and drop its topics."""


STANDARD: Final = Shape()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(ABC):
    """One line of the table.

    Attributes:
        name: unique among all rows.
        group: what it is compared as.
        shape: of its events.
        share: of the events that are asked for, in (0, 1]; less for what is slow.
        budget: share of the events to ask people about.
    """

    name: str
    group: str
    shape: Shape = STANDARD
    share: float = 1.0
    budget: float = 0.01

    @abstractmethod
    def missing(self) -> str | None:
        """Why it can't run here; None when it can."""

    @abstractmethod
    def start(self, bench: Bench, warm_up: int, total: int) -> Subject:
        """Start the program on an empty topic, which will get `total` events."""


class _PeerSubject:
    def __init__(self, bench: Bench, row: PeerRow, warm_up: int, total: int) -> None:
        self._log = bench.log
        self._commits = row.commits
        self._group = f"g{uuid.uuid4().hex[:8]}"
        self.topic, self.reviews = bench.new_topic(), bench.new_topic()
        job = Job(
            bootstrap=bench.log.bootstrap,
            topic=self.topic,
            reviews=self.reviews,
            group=self._group,
            warm_up=warm_up,
            total=total,
            budget=row.budget,
            features=row.shape.features,
        )
        command = [sys.executable, "-m", f"{_PEERS}.{row.module}", row.mode, job.to_argument()]
        self.process = Process(command, bench.folder / f"{self._group}.log")

    def wait(self, count: int) -> float:
        return self.process.wait_handled(count)

    def settle(self, count: int) -> None:
        if self._commits:
            self._log.wait_committed(self._group, self.topic, count)

    def end(self) -> None:
        self.process.kill()
        self._log.delete([self.topic, self.reviews])


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow(Row):
    """A program of `peers`.

    Attributes:
        module: its name there.
        mode: its first argument.
        needs: what has to be installed for it.
        commits: whether it commits its offsets to Kafka.
    """

    module: str
    mode: str
    needs: str
    commits: bool = True

    def missing(self) -> str | None:
        """See `Row`."""
        if importlib.util.find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        return None

    def start(self, bench: Bench, warm_up: int, total: int) -> Subject:
        """See `Row`."""
        return _PeerSubject(bench, self, warm_up, total)


class _GateSubject:
    def __init__(self, bench: Bench, row: GateRow) -> None:
        self._log = bench.log
        self.pipeline = row.pipeline(bench)
        self.topic = self.pipeline.settings.topics.predictions
        self.reviews = self.pipeline.settings.topics.reviews
        self.process = self.pipeline.start("gate")

    def wait(self, count: int) -> float:
        self._log.wait_committed(self.pipeline.gates, self.topic, count, self.process.check_alive)
        return time.monotonic()

    def settle(self, count: int) -> None:
        """What it has handled is committed."""

    def end(self) -> None:
        self.process.stop()
        self._log.delete(self.pipeline.topics)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow(Row):
    """The whole gate of streamal, with default settings but for those that are named.

    Attributes:
        learner: registered name of the online model.
        learner_settings: further lines of TOML.
        gate_settings: the same.
        client: value of `broker.client`; empty for the default.
    """

    group: str = "streamal's gate, all of it"
    learner: str = "logistic_regression"
    learner_settings: str = ""
    gate_settings: str = ""
    client: str = ""

    def missing(self) -> str | None:
        """See `Row`."""
        if self.client and "client" not in BrokerSettings.model_fields:
            return "streamal has no setting broker.client"
        return None

    def pipeline(self, bench: Bench, *, partitions: int = 1, more: str = "") -> Pipeline:
        """A pipeline with its topics and a trained model.

        Args:
            bench: where.
            partitions: of its predictions.
            more: further lines of TOML.
        """
        made = Pipeline(
            bench.log.bootstrap,
            bench.folder,
            f"[gate]\nbudget = {self.budget}\n{self.gate_settings}\n"
            f'[learner]\nname = "{self.learner}"\n{self.learner_settings}\n{more}',
            broker_settings=f'client = "{self.client}"' if self.client else "",
            partitions=partitions,
        )
        made.create_topics()
        with made.connected() as broker:
            publish_trained(made.settings, broker, self.shape)
        return made

    def start(self, bench: Bench, warm_up: int, total: int) -> Subject:  # noqa: ARG002 - a row's
        """See `Row`."""
        return _GateSubject(bench, self)


NULL: Final = "null"
BY_HAND: Final = "the minimum by hand"
FRAMEWORK: Final = "the minimum in a framework"
_WIDE: Final = Shape(features=100, size_bytes=4096)
_LONG: Final = Shape(features=10, size_bytes=4096)
#: Peers that would take long, and the share of the events that they get.
_SLOW: Final = {"FastStream, confluent": 0.2, "faust-streaming": 0.2}
#: The row that latency, scaling and so on are measured with.
MAIN_GATE: Final = GateRow(name="gate, logistic_regression")
LIBRDKAFKA_GATE: Final = replace(
    MAIN_GATE, name="gate, logistic_regression, librdkafka", client="librdkafka"
)


def main_gates(budget: float = MAIN_GATE.budget) -> Iterator[GateRow]:
    """The default gate with a linear model, over each client that there is."""
    for row in (MAIN_GATE, LIBRDKAFKA_GATE):
        if row.missing() is None:
            yield replace(row, budget=budget)


def peer_rows() -> Iterator[Row]:
    """Loops and frameworks."""
    for client, module, needs in (
        ("kafka-python", "by_kafka_python", "kafka"),
        ("confluent", "by_confluent", "confluent_kafka"),
    ):
        for mode, what in (("poll", "poll"), ("decode", "poll + decode")):
            yield _peer(NULL, f"{client}, {what}", module, mode, needs, commits=False)
    yield _peer(BY_HAND, "kafka-python, job", "by_kafka_python", "job", "kafka")
    yield _peer(BY_HAND, "confluent, job", "by_confluent", "job", "confluent_kafka")
    transactions = "confluent, job in transactions"
    yield _peer(BY_HAND, transactions, "by_confluent", "transactions", "confluent_kafka")
    for mode in ("at-least-once", "exactly-once"):
        yield _peer(FRAMEWORK, f"quixstreams, {mode}", "by_quixstreams", mode, "quixstreams")
    yield _peer(FRAMEWORK, "bytewax", "by_bytewax", "job", "bytewax", commits=False)
    for mode in ("confluent", "confluent batches", "aiokafka batches"):
        yield _peer(FRAMEWORK, f"FastStream, {mode}", "by_faststream", mode, "faststream")
    yield _peer(FRAMEWORK, "faust-streaming", "by_faust", "job", "faust")


def _peer(
    group: str, name: str, module: str, mode: str, needs: str, *, commits: bool = True
) -> Row:
    return PeerRow(
        name=name,
        group=group,
        module=module,
        mode=mode,
        needs=needs,
        commits=commits,
        share=_SLOW.get(name, 1.0),
    )


def gate_rows() -> Iterator[Row]:
    """The gate in its variants; those far from the default take fewer events."""
    linear = "gate, logistic_regression"
    yield MAIN_GATE
    yield GateRow(name="gate, default", learner="default", share=0.5)
    yield GateRow(name=f"{linear}, 10 %", budget=0.1, share=0.5)
    yield GateRow(name="gate, default, 10 %", learner="default", budget=0.1, share=0.2)
    yield GateRow(name=f"{linear}, 4 KB", shape=_LONG, share=0.5)
    yield GateRow(name=f"{linear}, 100 features, 4 KB", shape=_WIDE, share=0.2)
    yield GateRow(
        name="gate, default, 100 features, 4 KB", learner="default", shape=_WIDE, share=0.1
    )
    yield GateRow(
        name=f"{linear}, committee of 10",
        learner_settings="committee_size = 10",
        gate_settings='strategy = "vote_entropy"',
        share=0.2,
    )
    yield GateRow(name="gate, adaptive_random_forest", learner="adaptive_random_forest", share=0.1)
    yield LIBRDKAFKA_GATE
    yield GateRow(
        name="gate, default, librdkafka", learner="default", client="librdkafka", share=0.5
    )
