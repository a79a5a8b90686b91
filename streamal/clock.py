"""The two clocks: the wall's, which a stop signal can cut short, and one that is moved by hand.

May import nothing of streamal: both satisfy `streamal.ports.Clock` by shape.
"""

from __future__ import annotations

import threading
import time

__all__ = ["ManualClock", "SystemClock"]


class SystemClock:
    """The machine's time of day.

    Args:
        stop: set when the process is asked to stop; every sleep ends at once from then on.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = threading.Event() if stop is None else stop

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as the stop event is set."""
        self._stop.wait(max(0.0, seconds))


class ManualClock:
    """A clock that stands still until it is advanced; may be shared by threads.

    Args:
        start: seconds since the Unix epoch.

    >>> clock = ManualClock(start=100.0)
    >>> clock.advance(5)
    >>> clock.sleep(2.5)
    >>> clock.now()
    107.5
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`.

        Raises:
            ValueError: `seconds` is negative; time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot be advanced by {seconds} seconds")
        with self._lock:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Advance by `seconds` and return at once."""
        self.advance(max(0.0, seconds))
