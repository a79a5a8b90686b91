"""The loop around every role: step until asked to stop, and what to do when a step fails."""

from __future__ import annotations

import logging
from typing import Protocol

from streamal.errors import BrokerGone, Rebalanced, Retriable
from streamal.ports import Clock, StopSignal
from streamal.telemetry.health import RoleHealth
from streamal.telemetry.metrics import Metrics

__all__ = ["CATCH_UP_POLL_SECONDS", "Role", "run"]

_log = logging.getLogger(__name__)

#: How long one poll waits while a role reads to a known end. What is missing is there already; a
#: longer wait would be spent on partitions that end in control records, which no poll returns.
CATCH_UP_POLL_SECONDS = 0.02
#: First and longest wait between two tries. The longest bounds how late work resumes after an
#: outage; the first keeps a blip from being felt.
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 15.0


class Role(Protocol):
    """One of streamal's processes."""

    name: str

    def start(self) -> None:
        """Connect and load what the log says.

        Raises:
            Retriable: the broker does not answer; may be called again.
        """
        ...

    def step(self) -> None:
        """Handle one batch, whole or not at all; returns within seconds."""
        ...

    def recover(self, error: Retriable) -> None:
        """Return to the last committed state after a step raised `error`."""
        ...

    def close(self) -> None:
        """Finish what can be finished, leave the group, free everything. May be called twice."""
        ...


def run(
    role: Role,
    *,
    stop: StopSignal,
    clock: Clock,
    health: RoleHealth,
    metrics: Metrics,
    connect_timeout_seconds: float,
) -> None:
    """Run `role` until `stop`; returns after a clean close.

    Raises:
        BrokerGone: no broker answered within `connect_timeout_seconds` of the start.
        Fatal: from the role; it was closed.
    """
    health.set(ok=False, reason="starting")
    try:
        metrics.ready.labels(role=role.name).set(0)
        _start(role, stop, clock, health, connect_timeout_seconds)
        while not stop.is_set():
            health.beat()
            try:
                role.step()
            except Retriable as error:
                _retry(role, error, stop=stop, clock=clock, health=health, metrics=metrics)
            else:
                health.set(ok=True, reason="working")
                metrics.ready.labels(role=role.name).set(1)
    finally:
        health.set(ok=False, reason="stopping")
        metrics.ready.labels(role=role.name).set(0)
        role.close()
    health.retire()
    _log.info("%s: stopped cleanly", role.name)


def _start(
    role: Role, stop: StopSignal, clock: Clock, health: RoleHealth, connect_timeout_seconds: float
) -> None:
    deadline = clock.now() + connect_timeout_seconds
    wait = _FIRST_BACKOFF_SECONDS
    while not stop.is_set():
        health.beat()
        try:
            role.start()
        except Retriable as error:
            if clock.now() >= deadline:
                raise BrokerGone(
                    f"no broker answered within {connect_timeout_seconds:.0f} s: {error}"
                ) from error
            health.set(ok=False, reason=f"starting: {error}")
            clock.sleep(wait)
            wait = min(2 * wait, _LONGEST_BACKOFF_SECONDS)
        else:
            _log.info("%s: started", role.name)
            return


def _retry(
    role: Role,
    error: Retriable,
    *,
    stop: StopSignal,
    clock: Clock,
    health: RoleHealth,
    metrics: Metrics,
) -> None:
    """Recover until it works, waiting longer each time; a rebalance needs no wait."""
    wait = _FIRST_BACKOFF_SECONDS
    while not stop.is_set():
        metrics.retries.labels(role=role.name, error=type(error).__name__).inc()
        if not isinstance(error, Rebalanced):
            _log.warning("%s: %s; trying again in %.1f s", role.name, error, wait)
            health.set(ok=False, reason=f"retrying: {error}")
            metrics.ready.labels(role=role.name).set(0)
            health.beat()
            clock.sleep(wait)
        try:
            role.recover(error)
        except Retriable as next_error:
            error, wait = next_error, min(2 * wait, _LONGEST_BACKOFF_SECONDS)
        else:
            return
