"""The system clock and the one that is moved by hand."""

from __future__ import annotations

import threading
import time

import pytest

from streamal.clock import ManualClock, SystemClock


def test_system_time_is_the_time_of_day() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


def test_a_stop_signal_ends_a_sleep() -> None:
    stop = threading.Event()
    clock = SystemClock(stop)
    threading.Timer(0.05, stop.set).start()

    started = time.monotonic()
    clock.sleep(30)
    clock.sleep(30)

    assert time.monotonic() - started < 10


def test_system_sleep_lasts_as_long_as_asked() -> None:
    started = time.monotonic()
    SystemClock().sleep(0.05)
    SystemClock().sleep(-1)
    assert 0.04 < time.monotonic() - started < 30


def test_a_manual_clock_moves_only_when_moved() -> None:
    clock = ManualClock(start=10)
    assert (clock.now(), clock.now()) == (10, 10)
    clock.advance(2.5)
    clock.sleep(1)
    clock.sleep(-5)
    assert clock.now() == 13.5


def test_a_manual_clock_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="-1"):
        ManualClock().advance(-1)


def test_threads_advance_together() -> None:
    clock = ManualClock(start=0)

    def work() -> None:
        for _ in range(1_000):
            clock.advance(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == 4_000
