"""The loop around a role: starting, retrying, stopping, failing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from streamal.clock import ManualClock
from streamal.errors import BreakerOpen, BrokerGone, BrokerUnavailable, Rebalanced, Retriable
from streamal.roles.loop import run
from streamal.telemetry import Health, Metrics


class Scripted:
    """A role whose steps follow a script."""

    name = "gate"

    def __init__(
        self,
        stop: threading.Event,
        steps: list[BaseException | None],
        start: Callable[[], None] = lambda: None,
        recoveries: list[BaseException] | None = None,
    ) -> None:
        self._stop = stop
        self._steps = steps
        self._start = start
        self._recoveries = recoveries or []
        self.recovered: list[str] = []
        self.closed = 0

    def start(self) -> None:
        self._start()

    def step(self) -> None:
        outcome = self._steps.pop(0)
        if not self._steps:
            self._stop.set()
        if outcome is not None:
            raise outcome

    def recover(self, error: Retriable) -> None:
        self.recovered.append(type(error).__name__)
        if self._recoveries:
            raise self._recoveries.pop(0)

    def close(self) -> None:
        self.closed += 1


def go(
    role: Scripted, stop: threading.Event, metrics: Metrics | None = None
) -> tuple[ManualClock, Health, Metrics]:
    clock, health, metrics = ManualClock(), Health(lambda: 0.0), metrics or Metrics("loop")
    run(
        role,
        stop=stop,
        clock=clock,
        health=health.role("gate", limit_seconds=10),
        metrics=metrics,
        connect_timeout_seconds=5,
    )
    return clock, health, metrics


def test_it_steps_until_asked_to_stop_and_closes_once() -> None:
    stop = threading.Event()
    role = Scripted(stop, [None, None, None])
    go(role, stop)
    assert role.closed == 1
    assert role.recovered == []


def test_an_outage_is_retried_with_growing_waits_and_counted() -> None:
    stop = threading.Event()
    away = BrokerUnavailable("away")
    role = Scripted(stop, [away, None, None], recoveries=[away, away])
    clock, _, metrics = go(role, stop)
    assert role.recovered == ["BrokerUnavailable"] * 3
    assert clock.now() - ManualClock().now() == pytest.approx(0.2 + 0.4 + 0.8)
    assert (
        metrics.value("streamal_retries_total", {"role": "gate", "error": "BrokerUnavailable"}) == 3
    )


def test_a_role_shows_whether_it_is_ready() -> None:
    stop = threading.Event()
    seen: list[float | None] = []
    role = Scripted(stop, [None, BrokerUnavailable("away"), None, None])
    metrics = Metrics("orders")
    step, recover = role.step, role.recover

    def note() -> None:
        seen.append(metrics.value("streamal_ready", {"role": "gate"}))

    def noting_step() -> None:
        note()
        step()

    def noting_recover(error: Retriable) -> None:
        note()
        recover(error)

    role.step, role.recover = noting_step, noting_recover  # type: ignore[method-assign]  # watched
    go(role, stop, metrics)
    note()
    assert seen == [0, 1, 0, 0, 1, 0]


def test_a_rebalance_is_recovered_from_at_once() -> None:
    stop = threading.Event()
    role = Scripted(stop, [Rebalanced("moved on"), None, None])
    clock, _, _ = go(role, stop)
    assert role.recovered == ["Rebalanced"]
    assert clock.now() == ManualClock().now()


def test_a_fatal_error_closes_the_role_and_comes_out() -> None:
    stop = threading.Event()
    role = Scripted(stop, [None, BreakerOpen("too many"), None])
    with pytest.raises(BreakerOpen):
        go(role, stop)
    assert role.closed == 1


def test_no_broker_within_the_limit_is_the_end() -> None:
    def fail() -> None:
        raise BrokerUnavailable("nobody there")

    stop = threading.Event()
    with pytest.raises(BrokerGone, match=r"within 5 s: nobody there"):
        go(Scripted(stop, [None], start=fail), stop)


def test_a_broker_that_comes_late_is_waited_for() -> None:
    failures: list[BaseException] = [BrokerUnavailable("not yet"), BrokerUnavailable("not yet")]

    def fail_twice() -> None:
        if failures:
            raise failures.pop()

    stop = threading.Event()
    role = Scripted(stop, [None], start=fail_twice)
    go(role, stop)
    assert role.closed == 1
