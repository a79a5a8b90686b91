"""Ready for work, and alive: two questions with two answers."""

from __future__ import annotations

import threading

import pytest

from streamal.telemetry.health import Condition, Health


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def test_a_process_that_has_said_nothing_is_alive_but_not_ready(health: Health) -> None:
    assert not health.ready().ok
    assert health.live().ok


def test_a_role_is_not_ready_until_it_says_so(health: Health) -> None:
    gate = health.role("gate", limit_seconds=10)
    assert health.ready().conditions == (Condition("gate", ok=False, reason="starting"),)
    gate.set(ok=True, reason="working")
    assert health.ready().ok


def test_one_bad_condition_is_enough_and_named(health: Health) -> None:
    gate, trainer = (health.role(name, limit_seconds=10) for name in ("gate", "trainer"))
    gate.set(ok=True, reason="working")
    trainer.set(ok=True, reason="working")
    trainer.condition("broker", ok=False, reason="no broker answers")
    report = health.ready()
    assert not report.ok
    assert [each.reason for each in report.conditions if not each.ok] == ["no broker answers"]
    assert [each.name for each in report.conditions] == ["gate", "trainer", "trainer.broker"]
    health.set("trainer.broker", ok=True, reason="back")
    assert health.ready().ok


def test_a_silent_role_is_dead_after_its_limit(health: Health, clock: Clock) -> None:
    gate = health.role("gate", limit_seconds=10)
    clock.now += 10
    assert health.live().ok
    clock.now += 0.1
    assert not health.live().ok
    assert health.live().conditions[0].reason == "last beat 10.1 s ago, over 10 s"
    gate.beat()
    assert health.live().ok


def test_one_busy_role_does_not_hide_a_stuck_one(health: Health, clock: Clock) -> None:
    gate = health.role("gate", limit_seconds=10)
    health.role("trainer", limit_seconds=10)
    clock.now += 11
    gate.beat()
    assert [(each.name, each.ok) for each in health.live().conditions] == [
        ("gate", True),
        ("trainer", False),
    ]


def test_not_ready_is_not_dead(health: Health) -> None:
    health.role("gate", limit_seconds=10).set(ok=False, reason="waiting for a broker")
    assert health.live().ok


def test_a_role_that_ended_is_not_missed(health: Health, clock: Clock) -> None:
    gate, gatekeeper = (health.role(name, limit_seconds=10) for name in ("gate", "gatekeeper"))
    gate.condition("broker", ok=False, reason="gone")
    gatekeeper.set(ok=True, reason="working")
    gate.retire()
    gate.beat()
    clock.now += 5
    assert [each.name for each in health.ready().conditions] == ["gatekeeper"]
    assert [each.name for each in health.live().conditions] == ["gatekeeper"]


def test_threads_may_report_at_once(health: Health) -> None:
    def report(name: str) -> None:
        role = health.role(name, limit_seconds=10)
        for number in range(300):
            role.condition(str(number), ok=True, reason="fine")
            role.beat()
            health.ready()
        role.set(ok=True, reason="done")

    threads = [threading.Thread(target=report, args=(f"r{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert health.ready().ok
    assert len(health.ready().conditions) == 4 * 301
