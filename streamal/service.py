"""One running process: its roles in threads, its signals, its telemetry port."""

from __future__ import annotations

import gc
import importlib
import logging
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from streamal.bootstrap import Pipeline, client_warnings, connect
from streamal.clock import SystemClock
from streamal.errors import BreakerOpen, SettingsInvalid, TopicsInvalid
from streamal.operations.topics import problems, topic_specs
from streamal.ports import Broker
from streamal.roles.loop import Role, run
from streamal.settings import Settings
from streamal.state.snapshots import versions
from streamal.telemetry.health import Health
from streamal.telemetry.logs import log_role
from streamal.telemetry.metrics import Metrics
from streamal.telemetry.server import TelemetryServer

__all__ = ["ROLES", "serve"]

_log = logging.getLogger(__name__)

ROLES: Final = ("gate", "trainer")
#: Roles whose libraries are extras, and what makes them.
_EXTRAS: Final = {
    "console": ("streamal.bootstrap.console", "new_console"),
    "label-studio": ("streamal.bootstrap.label_studio", "new_bridge"),
}
#: A step polls, decides and commits; its longest waits are a few request timeouts. A role without a
#: sign of life for this long is stuck, and only a restart helps.
_LIVENESS_LIMIT_SECONDS: Final = 180.0
#: How soon a signal ends the wait after the breaker has opened.
_HOLD_POLL_SECONDS: Final = 0.1
#: Objects that a collection of the youngest generation waits for, and collections of a generation
#: that one of the next waits for: a few batches, and some seconds under load.
_COLLECT_AFTER: Final = (50_000, 20, 50)


def serve(settings: Settings, roles: Sequence[str]) -> bool:
    """Run `roles` until SIGTERM or SIGINT, or until one of them fails.

    Args:
        settings: checked settings.
        roles: of `ROLES`, `console` or `label-studio`.

    Returns:
        Whether it was SIGINT that ended it.

    Raises:
        TopicsInvalid: a topic is missing or will not do.
        Fatal: from the first role that failed; the others were stopped in good order.
    """
    stop = threading.Event()
    clock = SystemClock(stop)
    metrics = Metrics(settings.pipeline.name, roles=roles, process=True)
    health = Health(time.monotonic)
    telemetry = settings.telemetry
    with (
        TelemetryServer(metrics.registry, health, host=telemetry.host, port=telemetry.port) as http,
        connect(settings) as broker,
        _stopping_on_signals(stop) as received,
    ):
        _log.info("telemetry on http://%s:%d/metrics", telemetry.host, http.port)
        for line in client_warnings():
            _log.warning(line)
        _check_topics(settings, broker)
        metrics.build.info(versions()._asdict())
        pipeline = Pipeline(settings, broker, clock, metrics)
        crew = _Crew(pipeline, health, stop)
        for role in roles:
            crew.start(_make(pipeline, role))
        try:
            with _rare_collections():
                crew.wait()
        except BreakerOpen:
            _hold(received, telemetry.hold_seconds)
            raise
        return signal.SIGINT in received


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for garbage less often, and not among what was there from the start.

    A gate makes some ten objects for an event, nearly none of them in a cycle. With Python's own
    thresholds the collector runs twenty times in a batch, and now and then over every object of
    the libraries: 5 of a gate's 18 µs per event. Cycles wait a little longer for their end.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _hold(received: Sequence[int], seconds: float) -> None:
    """Stay up so that Prometheus learns why the process ends, unless somebody asks it to end."""
    deadline = time.monotonic() + seconds
    while not received and time.monotonic() < deadline:
        time.sleep(_HOLD_POLL_SECONDS)


def _check_topics(settings: Settings, broker: Broker) -> None:
    """A role that waits for a topic that nobody makes looks as if the broker were away.

    Raises:
        TopicsInvalid: with one line for each topic that is missing or of the wrong shape.
    """
    admin = broker.admin()
    try:
        found = admin.describe_topics([spec.name for spec in topic_specs(settings)])
    finally:
        admin.close()
    lines = problems(settings, found)
    if lines:
        raise TopicsInvalid(*lines)


def _make(pipeline: Pipeline, role: str) -> Role:
    if role == "trainer":
        return pipeline.trainer()
    if role in _EXTRAS:
        return _extra(pipeline, role)
    return pipeline.gate(instance=pipeline.settings.gate.instance or uuid.uuid4().hex[:12])


def _extra(pipeline: Pipeline, name: str) -> Role:
    """Only such a role needs its libraries, so only it imports them."""
    module, maker = _EXTRAS[name]
    try:
        made: Role = getattr(importlib.import_module(module), maker)(pipeline)
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            f"--role {name}: needs {error.name}; install streamal[{name}]"
        ) from error
    return made


class _Crew:
    """The roles of this process, each in a thread; when one ends, all end."""

    def __init__(self, pipeline: Pipeline, health: Health, stop: threading.Event) -> None:
        self._pipeline = pipeline
        self._health = health
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def start(self, role: Role) -> None:
        """Run `role` in a thread of its own."""
        thread = threading.Thread(target=self._work, args=(role,), name=role.name)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Return when all have ended; raise what the first failure was."""
        self._stop.wait()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _work(self, role: Role) -> None:
        health = self._health.role(role.name, limit_seconds=_LIVENESS_LIMIT_SECONDS)
        try:
            with log_role(role.name):
                run(
                    role,
                    stop=self._stop,
                    clock=self._pipeline.clock,
                    health=health,
                    metrics=self._pipeline.metrics,
                    connect_timeout_seconds=self._pipeline.settings.broker.connect_timeout_seconds,
                )
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
            if isinstance(error, BreakerOpen):
                self._pipeline.metrics.breaker_open.set(1)
            self._failures.append(error)
        finally:
            self._stop.set()


@contextmanager
def _stopping_on_signals(stop: threading.Event) -> Iterator[list[int]]:
    """Set `stop` on the first signal; a second one takes its default course, which kills."""
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
