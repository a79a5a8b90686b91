"""What all tests share: components that may be missing here, and a real Kafka broker.

A test that needs a component says so through `require_or_skip`. Where the component is missing the
test is skipped, unless `STREAMAL_REQUIRE` (comma-separated names) lists it: then the test fails,
and the whole session fails if nothing used the component at all. So a green run that was told to
use Kafka has used Kafka.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

LOCAL_KAFKA = Path(__file__).parents[1] / "deploy" / "local-kafka" / "local_kafka.py"
#: The image's tag follows the version in deploy/local-kafka/pom.xml.
KAFKA_IMAGE = "apache/kafka"
CONTAINER_START_SECONDS = 60
#: Where Docker's client looks by itself; asking it to look would leave a socket open.
DOCKER_SOCKET = Path("/var/run/docker.sock")

#: kafka-python reads its schemas with functions that are deprecated in Python 3.11 and 3.12 only.
KAFKA_PYTHON_WARNINGS = (
    "read_text is deprecated:DeprecationWarning",
    "open_text is deprecated:DeprecationWarning",
)

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")

RequireOrSkip: TypeAlias = Callable[[str, str | None], None]


class Requirements:
    """Which components the session must use, and which it has used."""

    def __init__(self, wanted: str) -> None:
        self.required = frozenset(name.strip() for name in wanted.split(",") if name.strip())
        self.used: set[str] = set()
        self.kafka_source = "deploy/local-kafka"
        self.kafka_tests: list[str] = []

    def check(self, name: str, missing: str | None) -> None:
        """Note that a component is used, or skip or fail because it is missing.

        Args:
            name: as in `STREAMAL_REQUIRE`.
            missing: why it cannot be used; None when it can.
        """
        if missing is None:
            self.used.add(name)
        elif name in self.required:
            pytest.fail(f"{name} is in STREAMAL_REQUIRE, but {missing}", pytrace=False)
        else:
            pytest.skip(f"{name}: {missing}")

    def used_here(self) -> dict[str, Any]:
        """What this process has used, for the process that reports on all of them."""
        return {
            "used": sorted(self.used),
            "kafka_tests": self.kafka_tests,
            "kafka_source": self.kafka_source,
        }

    def add(self, used_there: dict[str, Any]) -> None:
        """Take over what a worker process has used."""
        self.used.update(used_there["used"])
        if used_there["kafka_tests"]:
            self.kafka_tests.extend(used_there["kafka_tests"])
            self.kafka_source = used_there["kafka_source"]

    def unused(self) -> list[str]:
        """The required components that no test has used."""
        return sorted(self.required - self.used)


REQUIREMENTS = pytest.StashKey[Requirements]()
#: Under this name a worker process hands over what it has used.
WORKER_OUTPUT = "streamal"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REQUIREMENTS] = Requirements(os.environ.get("STREAMAL_REQUIRE", ""))
    for warning in KAFKA_PYTHON_WARNINGS:
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.passed and item.get_closest_marker("kafka"):
        item.config.stash[REQUIREMENTS].kafka_tests.append(item.nodeid)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    requirements = session.config.stash[REQUIREMENTS]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[WORKER_OUTPUT] = requirements.used_here()
        return
    ran = session.testscollected and not session.config.option.collectonly
    if ran and requirements.unused():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(
    node: Any,  # noqa: ANN401 - pytest-xdist has no type for it
    error: object,  # noqa: ARG001 - pytest-xdist's name
) -> None:
    """Called where the workers are watched from, when one of them has ended."""
    output = getattr(node, "workeroutput", {})  # a worker that crashed hands over nothing
    if WORKER_OUTPUT in output:
        node.config.stash[REQUIREMENTS].add(output[WORKER_OUTPUT])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    requirements = config.stash[REQUIREMENTS]
    if requirements.kafka_tests:
        terminalreporter.write_line(
            f"{len(requirements.kafka_tests)} tests passed on a real Kafka broker "
            f"({requirements.kafka_source})"
        )
    for name in requirements.unused():
        terminalreporter.write_line(f"{name} is in STREAMAL_REQUIRE, but no test used it", red=True)


@pytest.fixture(scope="session")
def require_or_skip(pytestconfig: pytest.Config) -> RequireOrSkip:
    """`require_or_skip(name, missing)`: skip or fail when `missing` says why, else note the use."""
    return pytestconfig.stash[REQUIREMENTS].check


@pytest.fixture(scope="session")
def local_kafka() -> ModuleType:
    """deploy/local-kafka/local_kafka.py, for tests that need a broker of their own."""
    if "local_kafka" not in sys.modules:
        spec = importlib.util.spec_from_file_location("local_kafka", LOCAL_KAFKA)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["local_kafka"] = module
        spec.loader.exec_module(module)
    return sys.modules["local_kafka"]


@pytest.fixture(scope="module")
def own_kafka(require_or_skip: RequireOrSkip, local_kafka: ModuleType) -> Iterator[Any]:
    """A `LocalKafka` that the tests of one module may kill and start again; it keeps its data."""
    require_or_skip("kafka", local_kafka.missing_tools())
    with local_kafka.LocalKafka() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap(
    pytestconfig: pytest.Config, require_or_skip: RequireOrSkip, local_kafka: ModuleType
) -> Iterator[str]:
    """`host:port` of a real broker for the session; names of topics and groups must be unique.

    From `STREAMAL_TEST_BOOTSTRAP`, else Docker, else deploy/local-kafka.
    """
    requirements = pytestconfig.stash[REQUIREMENTS]
    given = os.environ.get("STREAMAL_TEST_BOOTSTRAP")
    if given:
        requirements.kafka_source = f"STREAMAL_TEST_BOOTSTRAP={given}"
        require_or_skip("kafka", None)
        yield given
        return
    no_docker = _no_docker()
    if no_docker is None:
        requirements.kafka_source = "Docker"
        require_or_skip("kafka", None)
        yield from _container(local_kafka)
    else:
        missing = local_kafka.missing_tools()
        require_or_skip("kafka", missing and f"{missing}, {no_docker}")
        with local_kafka.LocalKafka() as broker:
            yield broker.bootstrap


def _no_docker() -> str | None:
    """Why Docker cannot be used; None when an engine answers."""
    if importlib.util.find_spec("testcontainers") is None:
        return "testcontainers is not installed"
    docker = importlib.import_module("docker")
    if "DOCKER_HOST" not in os.environ and not DOCKER_SOCKET.exists():
        return "no Docker engine answers"
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException:
        return "no Docker engine answers"
    client.close()
    return None


def _container(local_kafka: ModuleType) -> Iterator[str]:
    """A broker in a container, with the settings of the local one."""
    docker_container = importlib.import_module("testcontainers.core.container").DockerContainer
    wait_for_logs = importlib.import_module("testcontainers.core.waiting_utils").wait_for_logs
    port = local_kafka.free_port()
    settings = local_kafka.LocalKafka(port, controller_port=port + 1).settings()
    settings["listeners"] = f"PLAINTEXT://:{port},CONTROLLER://:{port + 1}"
    settings["log.dirs"] = "/tmp/kafka"  # noqa: S108 - inside of the container
    container = docker_container(f"{KAFKA_IMAGE}:{local_kafka.kafka_version()}")
    container = container.with_bind_ports(port, port)
    for name, value in settings.items():
        container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container:
        wait_for_logs(container, local_kafka.STARTED, timeout=CONTAINER_START_SECONDS)
        yield f"127.0.0.1:{port}"
