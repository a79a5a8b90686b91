"""A process that ends because its breaker has opened is seen to do so."""

from __future__ import annotations

import threading
import time

from streamal.service import _hold


def test_it_stays_up_for_a_scrape() -> None:
    before = time.monotonic()
    _hold([], 0.3)
    assert time.monotonic() - before >= 0.3


def test_a_signal_ends_the_wait() -> None:
    received: list[int] = []
    waiting = threading.Thread(target=_hold, args=(received, 600.0))
    waiting.start()
    received.append(15)
    waiting.join(timeout=20)
    assert not waiting.is_alive()
