"""The compose deployment without Docker: its services as local processes on a real Kafka.

Commands, environment and configuration are read from the files that Docker would read. Only what
one machine cannot have is replaced: host names, the container's paths, and the one port that all
services share.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias
from urllib.error import HTTPError, URLError

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from streamal.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
STREAMAL_SERVICES = ("topics", "gate", "trainer")
#: As /etc/prometheus in its image.
PROMETHEUS_MOUNT = "/etc/prometheus"
BOOTSTRAP = "STREAMAL_BROKER__BOOTSTRAP_SERVERS"
TELEMETRY_PORT = "STREAMAL_TELEMETRY__PORT"
SIGNING_KEY = "only-for-this-test-and-long-enough"
EVENTS = 400
PARTITIONS = 4

RequireOrSkip: TypeAlias = Callable[[str, str | None], None]


# What the files say


def instruction(name: str) -> str:
    """The arguments of the Dockerfile's last instruction `name`."""
    joined = DOCKERFILE.replace("\\\n", " ")
    found = re.findall(rf"^{name}\s+(.+)$", joined, flags=re.MULTILINE)
    assert found, f"the Dockerfile has no {name}"
    return str(found[-1])


def exposed_port() -> int:
    """That of telemetry, which every role has; the console's own comes before it."""
    console, telemetry = (int(port) for port in instruction("EXPOSE").split())
    assert console == Settings().console.port
    return telemetry


def inside_address() -> str:
    """Where the compose network finds Kafka."""
    listeners = str(SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]).split(",")
    addresses = [address.partition("://")[2] for address in listeners]
    return next(address for address in addresses if address.startswith("kafka:"))


def mounts(service: str) -> dict[str, Path]:
    """Path in the container to the file or folder that is mounted there."""
    found = {}
    for volume in SERVICES[service]["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith("./"):
            found[target] = ROOT / source
    return found


def broker_settings() -> dict[str, str]:
    """What compose sets of its broker, without what depends on the machine."""
    placement = ("listener", "log.dirs", "controller.", "node.id")
    settings = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in SERVICES["kafka"]["environment"].items()
    }
    return {k: v for k, v in settings.items() if not any(word in k for word in placement)}


@dataclass(frozen=True)
class Launch:
    """How to start one service here."""

    command: list[str]
    environment: dict[str, str]


def launch(service: str, bootstrap: str, port: int) -> Launch:
    """The service's own command and environment with this machine's addresses and paths."""
    command = [*json.loads(instruction("ENTRYPOINT")), *SERVICES[service]["command"]]
    assert command[0] == "streamal"
    config = command[-1]
    assert config in mounts(service), f"{service} reads {config}, which is not mounted"
    environment = {k: _interpolated(v) for k, v in SERVICES[service]["environment"].items()}
    assert environment[BOOTSTRAP] == inside_address()
    assert TELEMETRY_PORT not in environment
    return Launch(
        [sys.executable, "-m", "streamal", *command[1:-1], str(mounts(service)[config])],
        {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **environment,
            BOOTSTRAP: bootstrap,
            TELEMETRY_PORT: str(port),
        },
    )


def _interpolated(value: str) -> str:
    """As compose does it, for the one variable that it is given."""
    return re.sub(r"\$\{STREAMAL_SIGNING_KEY:\?[^}]+\}", SIGNING_KEY, value)


# What runs


@dataclass
class Running:
    """One service's process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status), str(answer.read(), "utf-8")
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except URLError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of `name` that carry `labels`."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.get("/metrics")[1])
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def partitions(self) -> int:
        """How many partitions of predictions this process reads."""
        return sum(
            sample.name == "streamal_consumer_lag_records"
            and sample.labels["topic"] == "predictions"
            for family in text_string_to_metric_families(self.get("/metrics")[1])
            for sample in family.samples
        )

    def tail(self) -> str:
        return f"--- {self.name}\n" + "\n".join(self.log.read_text().splitlines()[-15:])


@contextmanager
def running(name: str, start: Launch, directory: Path, port: int) -> Iterator[Running]:
    """The service's process in a working directory of its own, as the image's volume is."""
    directory.mkdir()
    log = directory / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            start.command, env=start.environment, cwd=directory, stdout=output, stderr=output
        )
    try:
        yield Running(name, process, log, port)
    finally:
        process.kill()
        process.wait()


def wait_until(
    what: str, condition: Callable[[], bool], services: list[Running], seconds: float = 30
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        ended = [service.name for service in services if service.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            problem = f"{', '.join(ended)} ended" if ended else f"not {what} in {seconds:.0f} s"
            pytest.fail("\n".join([problem, *(s.tail() for s in services)]), pytrace=False)
        time.sleep(0.1)


def publish_predictions(bootstrap: str) -> None:
    from kafka import KafkaProducer  # noqa: PLC0415 - slow to import, and one test needs it

    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for number in range(EVENTS):
        p = (number * 37 % 100) / 100
        event = {
            "event_id": f"event-{number}",
            "timestamp": datetime.now(UTC).isoformat(),
            "features": {"amount": float(number % 50), "country": "NL" if number % 3 else "DE"},
            "prediction": {"probabilities": {"ok": p, "fraud": 1 - p}},
        }
        producer.send("predictions", json.dumps(event).encode(), partition=number % PARTITIONS)
    producer.flush()
    producer.close()


def read_reviews(bootstrap: str, count: int) -> list[dict[str, Any]]:
    from kafka import KafkaConsumer  # noqa: PLC0415 - slow to import, and one test needs it

    consumer = KafkaConsumer(
        "reviews",
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=1000,
    )
    reviews: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20
    while len(reviews) < count and time.monotonic() < deadline:
        reviews += [json.loads(record.value) for record in consumer]
    consumer.close()
    return reviews


def publish_labels(bootstrap: str, reviews: list[dict[str, Any]]) -> None:
    from kafka import KafkaProducer  # noqa: PLC0415 - slow to import, and one test needs it

    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for review in reviews:
        label = {
            "event_id": review["event_id"],
            "label": "fraud" if review["features"]["amount"] > 25 else "ok",
            "annotator": "reviewer-1",
            "labelled_at": datetime.now(UTC).isoformat(),
        }
        producer.send("labels", json.dumps(label).encode(), key=review["event_id"].encode())
    producer.flush()
    producer.close()


@pytest.fixture
def bootstrap(local_kafka: ModuleType, require_or_skip: RequireOrSkip) -> Iterator[str]:
    """A broker of this test's own, since the deployment uses the default names of everything."""
    require_or_skip("kafka", local_kafka.missing_tools())
    with local_kafka.LocalKafka(settings=broker_settings()) as broker:
        yield broker.bootstrap


@pytest.fixture
def deployment(
    bootstrap: str, local_kafka: ModuleType, tmp_path: Path
) -> Iterator[dict[str, Running]]:
    """The topics job has succeeded; one trainer and two gates share the work."""
    job = launch("topics", bootstrap, exposed_port())
    done = subprocess.run(
        job.command, env=job.environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = {"trainer": "trainer", "gate-1": "gate", "gate-2": "gate"}
    with ExitStack() as stack:
        services = {}
        for name, service in names.items():
            port = local_kafka.free_port()
            start = launch(service, bootstrap, port)
            services[name] = stack.enter_context(running(name, start, tmp_path / name, port))
        everyone = list(services.values())
        trainer = services["trainer"]
        wait_until("led", lambda: trainer.metric("streamal_trainer_leader") == 1, everyone)
        wait_until("ready", lambda: all(s.get("/readyz")[0] == 200 for s in everyone), everyone)
        gates = [services["gate-1"], services["gate-2"]]
        wait_until(
            "sharing the partitions",
            lambda: [gate.partitions() for gate in gates] == [PARTITIONS // 2] * 2,
            everyone,
        )
        yield services


@pytest.mark.kafka
def test_the_services_close_the_loop_and_stop_cleanly(
    bootstrap: str, deployment: dict[str, Running]
) -> None:
    trainer, gates = deployment["trainer"], [deployment["gate-1"], deployment["gate-2"]]
    everyone = [trainer, *gates]

    publish_predictions(bootstrap)
    wait_until(
        "all decided",
        lambda: sum(gate.metric("streamal_events_accepted_total") for gate in gates) == EVENTS,
        everyone,
    )
    routed = [gate.metric("streamal_events_routed_total") for gate in gates]
    assert all(count > 0 for count in routed)

    reviews = read_reviews(bootstrap, int(sum(routed)))
    assert len({review["event_id"] for review in reviews}) == len(reviews) == sum(routed)
    publish_labels(bootstrap, reviews)
    wait_until(
        "learned",
        lambda: trainer.metric("streamal_labels_total", outcome="learned") == len(reviews),
        everyone,
    )

    for service in everyone:
        assert service.get("/readyz")[0] == 200, service.get("/readyz")
        _assert_container_is_healthy(service.port)
        _assert_prometheus_finds(service)
    assert (trainer.log.parent / "streamal-state.sqlite3").is_file()
    _assert_stops(everyone)


def _assert_container_is_healthy(port: int) -> None:
    """Run the image's own health check."""
    command = json.loads(instruction("HEALTHCHECK").partition("CMD")[2])
    assert command[0] == "python"
    assert f":{exposed_port()}/" in command[-1]
    code = command[-1].replace(f":{exposed_port()}/", f":{port}/")
    done = subprocess.run(
        [sys.executable, *command[1:-1], code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _assert_prometheus_finds(service: Running) -> None:
    """Its scrape job's path answers with metrics of this pipeline."""
    kind = service.name.partition("-")[0]
    (job,) = [job for job in scrape_jobs() if kind in job["dns_sd_configs"][0]["names"]]
    status, body = service.get(job.get("metrics_path", "/metrics"))
    assert status == 200
    assert "streamal_build_info{" in body


def _assert_stops(services: list[Running]) -> None:
    """As `docker compose stop` does it; every process ends in good order, in time."""
    number = signal.Signals[instruction("STOPSIGNAL")]
    for service in services:
        service.process.send_signal(number)
    for service in services:
        try:
            code = service.process.wait(20)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still runs\n{service.tail()}")
        assert code == 0, service.tail()


# What can be checked without running it


def scrape_jobs() -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]
    return jobs


def test_prometheus_scrapes_every_role_where_it_listens() -> None:
    discoveries = [discovery for job in scrape_jobs() for discovery in job["dns_sd_configs"]]
    assert sorted(name for found in discoveries for name in found["names"]) == ["gate", "trainer"]
    for service in ("gate", "trainer"):
        (config,) = mounts(service).values()
        listens = load_settings(config).telemetry
        assert listens.host == "0.0.0.0"  # noqa: S104 - what others in the network can reach
        assert {found["port"] for found in discoveries} == {listens.port} == {exposed_port()}
    assert mounts("prometheus")[PROMETHEUS_MOUNT] / PROMETHEUS.name == PROMETHEUS


def test_promtool_accepts_the_configuration(require_or_skip: RequireOrSkip) -> None:
    promtool = shutil.which("promtool")
    missing = "promtool not found (it comes with Debian's package prometheus)"
    require_or_skip("promtool", None if promtool else missing)
    done = subprocess.run(
        [str(promtool), "check", "config", str(PROMETHEUS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", ["gate", "trainer"])
def test_a_service_can_be_scaled(service: str) -> None:
    # A fixed name or host port would let only one container start, and a shared volume would give
    # two trainers one SQLite file.
    assert not {"container_name", "ports"} & SERVICES[service].keys()
    assert all(volume.startswith("./") for volume in SERVICES[service]["volumes"])


@pytest.mark.parametrize("service", STREAMAL_SERVICES)
def test_a_service_waits_for_what_it_needs(service: str) -> None:
    needs = {"topics": ("kafka", "service_healthy")}.get(
        service, ("topics", "service_completed_successfully")
    )
    assert SERVICES[service]["depends_on"] == {needs[0]: {"condition": needs[1]}}


def test_the_container_without_a_command_runs_all_roles_from_the_mounted_file() -> None:
    default = json.loads(instruction("CMD"))
    for service in ("gate", "trainer"):
        command = [part for part in SERVICES[service]["command"] if part not in {"--role", service}]
        assert command == default


def test_kafka_is_the_version_that_the_tests_run(local_kafka: ModuleType) -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{local_kafka.kafka_version()}"


def test_the_image_is_built_from_files_that_docker_is_sent() -> None:
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE)
        for source in shlex.split(line)[:-1]
    }
    assert copied == sent
    assert all((ROOT / source).exists() for source in copied)
