"""One Apache Kafka broker on this machine, from Maven's jars: no Docker, nothing installed.

Needs Java 17 or newer, Maven once (the jars are cached per user), and nothing but Python's
standard library::

    python deploy/local-kafka/local_kafka.py start --port 9092
    python deploy/local-kafka/local_kafka.py stop --port 9092

Tests import `LocalKafka` instead. The broker is a single KRaft node in combined mode, for trying
things out and for tests: one replica of everything, no tuning, loopback only.
"""

from __future__ import annotations

import argparse
import atexit
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["LocalKafka", "LocalKafkaError", "Security", "free_port", "missing_tools"]

HERE = Path(__file__).parent
HOST = "127.0.0.1"
#: The line by which Kafka says that it serves clients.
STARTED = "Kafka Server started"
#: A cold start takes 2 to 4 seconds; a loaded machine gets twenty times that before we give up.
START_LIMIT_SECONDS = 60
#: Time for a clean shutdown before the process is killed.
STOP_LIMIT_SECONDS = 15
#: Runs the broker, and kills it as soon as our end of the pipe on standard input closes: so it dies
#: with its parent, however that one ends. A SIGTERM to the group is for the broker alone.
DIE_WITH_PARENT = """
exec 3<&0
"$@" </dev/null 3<&- & broker=$!
(read -r _ <&3; kill -9 $broker) & watcher=$!
trap '' TERM
wait $broker
kill $watcher 2>/dev/null
"""


class LocalKafkaError(RuntimeError):
    """The broker could not be started; the message says why, with the end of its log."""


@dataclass(frozen=True)
class Security:
    """Listeners besides the open one, to try out security settings.

    Attributes:
        users: name to password; any opens a SASL_PLAINTEXT listener with PLAIN, SCRAM-SHA-256,
            SCRAM-SHA-512, and OAUTHBEARER that accepts unsigned tokens.
        keystore: PEM file with the broker's private key and certificate; opens an SSL listener.
        truststore: PEM file with the authorities that client certificates must come from; clients
            need one then (mTLS).
        acls: refuse everything that no ACL allows, except on the open listener.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    keystore: Path | None = None
    truststore: Path | None = None
    acls: bool = False


def missing_tools() -> str | None:
    """What this machine lacks to run the broker; None when it can."""
    missing = [] if shutil.which("java") else ["java"]
    if not _libraries().is_dir() and not shutil.which("mvn"):
        missing.append("mvn")
    return f"{' and '.join(missing)} not found" if missing else None


def free_port() -> int:
    """A TCP port on the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def kafka_version() -> str:
    """The version that pom.xml names."""
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    root = ET.parse(HERE / "pom.xml").getroot()  # noqa: S314 - our own file
    return root.findtext("m:properties/m:kafka.version", namespaces=namespace, default="")


def _libraries() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "streamal" / f"kafka-{kafka_version()}"


def fetch_libraries() -> Path:
    """The directory with the jars; Maven copies them there on first use."""
    target = _libraries()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "libs"
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(HERE / "pom.xml")]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={fresh}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
        if done.returncode != 0:
            raise LocalKafkaError(f"Maven could not fetch Kafka's jars:\n{done.stdout[-2000:]}")
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    return target


class LocalKafka:
    """A broker that lives as long as this object, at most as long as this process.

    Args:
        port: of the open (PLAINTEXT) listener; 0 picks a free one.
        controller_port: of the KRaft controller; 0 picks a free one.
        data_dir: keeps the data there; None uses a new directory that `stop` removes.
        security: further listeners.
        settings: broker settings that override ours.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        controller_port: int = 0,
        data_dir: Path | None = None,
        security: Security | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.sasl_port = free_port()
        self.ssl_port = free_port()
        self._controller_port = controller_port or free_port()
        self._security = security or Security()
        self._settings = dict(settings or {})
        self._temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="streamal-kafka-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` of the open listener."""
        return f"{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the broker logs."""
        return self.data_dir / "kafka.log"

    def __enter__(self) -> LocalKafka:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, detach: bool = False) -> None:
        """Start the broker and return when it serves clients; again after `stop`, if data is kept.

        Args:
            detach: let it live on when this process ends.

        Raises:
            LocalKafkaError: no Java, no jars, or the broker ended or hung while starting.
        """
        if (missing := missing_tools()) is not None:
            raise LocalKafkaError(missing)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        settings_file = self.data_dir / "server.properties"
        settings_file.write_text("".join(f"{k}={v}\n" for k, v in self.settings().items()))
        java = _java(fetch_libraries())
        if not (self.data_dir / "log" / "meta.properties").exists():
            self._format([*java, "kafka.tools.StorageTool"], settings_file)
        command = [*java, "kafka.Kafka", str(settings_file)]
        if not detach:
            command = ["/bin/sh", "-c", DIE_WITH_PARENT, "sh", *command]
        offset = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - fixed command
                command,
                stdin=subprocess.DEVNULL if detach else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not detach:
            atexit.register(self.stop)
        self._wait_until_started(offset)

    def _format(self, tool: Sequence[str], settings_file: Path) -> None:
        command = [*tool, "format", f"--cluster-id={_cluster_id()}", "-c", str(settings_file)]
        for name, password in self._security.users.items():
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                command += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
        if done.returncode != 0:
            raise LocalKafkaError(f"cannot format {self.data_dir}:\n{done.stdout}{done.stderr}")

    def _wait_until_started(self, offset: int) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < deadline:
            written = self.log_file.read_bytes()[offset:].decode(errors="replace")
            if STARTED in written:
                return
            if self.process is None or self.process.poll() is not None:
                raise LocalKafkaError(f"Kafka ended while starting:\n{written[-3000:]}")
            time.sleep(0.05)
        self.kill()
        raise LocalKafkaError(
            f"Kafka did not start within {START_LIMIT_SECONDS} s: {self.log_file}"
        )

    def stop(self) -> None:
        """Shut down cleanly, or kill what does not. May be called twice."""
        atexit.unregister(self.stop)
        self._end(signal.SIGTERM)
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def kill(self) -> None:
        """End it at once, as a crash would; data is kept for the next `start`."""
        self._end(signal.SIGKILL)

    def signal_broker(self, number: signal.Signals) -> None:
        """Send a signal to the broker, such as SIGSTOP for one that hangs."""
        if self.process is not None:
            os.killpg(self.process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
            self.process.wait(STOP_LIMIT_SECONDS)
        except ProcessLookupError:
            pass  # It has ended by itself.
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None

    def settings(self) -> dict[str, str]:
        """The broker's server.properties."""
        listeners = {"PLAINTEXT": self.port, "CONTROLLER": self._controller_port}
        if self._security.users:
            listeners["SASL_PLAINTEXT"] = self.sasl_port
        if self._security.keystore:
            listeners["SSL"] = self.ssl_port
        addresses = {name: f"{name}://{HOST}:{port}" for name, port in listeners.items()}
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(addresses.values()),
            "advertised.listeners": ",".join(a for n, a in addresses.items() if n != "CONTROLLER"),
            "listener.security.protocol.map": ",".join(
                f"{name}:{'PLAINTEXT' if name == 'CONTROLLER' else name}" for name in listeners
            ),
            "log.dirs": str(self.data_dir / "log"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            # A broker that was killed may register again only when its old session is over.
            "broker.session.timeout.ms": "1500",
            "broker.heartbeat.interval.ms": "300",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": "4194304",
        }
        return settings | self._security_settings() | self._settings

    def _security_settings(self) -> dict[str, str]:
        security = self._security
        settings: dict[str, str] = {}
        if security.users:
            settings |= _sasl_settings(security.users)
        if security.keystore:
            settings["ssl.keystore.type"] = "PEM"
            settings["ssl.keystore.location"] = str(security.keystore)
        if security.truststore:
            settings["ssl.truststore.type"] = "PEM"
            settings["ssl.truststore.location"] = str(security.truststore)
            settings["ssl.client.auth"] = "required"
        if security.acls:
            authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            settings["authorizer.class.name"] = authorizer
            settings["super.users"] = "User:ANONYMOUS"
        return settings


def _sasl_settings(users: Mapping[str, str]) -> dict[str, str]:
    package = "org.apache.kafka.common.security"
    known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    modules = {
        "plain": f"{package}.plain.PlainLoginModule required {known};",
        "scram-sha-256": f"{package}.scram.ScramLoginModule required;",
        "scram-sha-512": f"{package}.scram.ScramLoginModule required;",
        "oauthbearer": f"{package}.oauthbearer.OAuthBearerLoginModule required "
        'unsecuredLoginStringClaim_sub="broker";',
    }
    prefix = "listener.name.sasl_plaintext"
    settings = {f"{prefix}.{name}.sasl.jaas.config": module for name, module in modules.items()}
    settings["sasl.enabled.mechanisms"] = ",".join(name.upper() for name in modules)
    return settings


def _java(libraries: Path) -> list[str]:
    """The JVM with little memory and a quick start; the broker's class comes next."""
    return [
        shutil.which("java") or "java",
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
        "-cp",
        f"{libraries}/*",
    ]


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22].replace("-", "x")


# Command line


def _state_file(port: int) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "streamal" / f"local-kafka-{port}.json"


def _start(arguments: argparse.Namespace) -> None:
    broker = LocalKafka(
        arguments.port, controller_port=arguments.controller_port, data_dir=arguments.data_dir
    )
    broker.start(detach=not arguments.foreground)
    _say(f"Kafka {kafka_version()} answers on {broker.bootstrap}; its log is {broker.log_file}")
    if arguments.foreground:
        _wait_for_signal()
        broker.stop()
        return
    state = _state_file(broker.port)
    state.parent.mkdir(parents=True, exist_ok=True)
    pid = broker.process.pid if broker.process else 0
    kept = arguments.data_dir is not None
    state.write_text(json.dumps({"pid": pid, "data_dir": str(broker.data_dir), "kept": kept}))


def _wait_for_signal() -> None:
    wanted = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    signal.sigwait(wanted)


def _stop(arguments: argparse.Namespace) -> None:
    state = _state_file(arguments.port)
    if not state.exists():
        raise LocalKafkaError(f"no broker was started on port {arguments.port}")
    started = json.loads(state.read_text())
    _terminate(started["pid"])
    if not started["kept"]:
        shutil.rmtree(started["data_dir"], ignore_errors=True)
    state.unlink()
    _say(f"Kafka on port {arguments.port} has stopped")


def _terminate(pid: int) -> None:
    deadline = time.monotonic() + STOP_LIMIT_SECONDS
    try:
        os.killpg(pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            os.killpg(pid, 0)
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="A local Apache Kafka broker for trying things out."
    )
    commands = parser.add_subparsers(required=True)
    start = commands.add_parser("start", help="start a broker and return when it answers")
    start.set_defaults(run=_start)
    start.add_argument("--port", type=int, default=9092, help="0 picks a free one (default 9092)")
    start.add_argument("--controller-port", type=int, default=0, help="default: a free one")
    start.add_argument(
        "--data-dir", type=Path, help="keep the data there (default: a new directory each time)"
    )
    start.add_argument(
        "--foreground", action="store_true", help="stay, and stop the broker on Ctrl-C"
    )
    stop = commands.add_parser("stop", help="stop the broker that was started on this port")
    stop.set_defaults(run=_stop)
    stop.add_argument("--port", type=int, default=9092)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it did not."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except LocalKafkaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
