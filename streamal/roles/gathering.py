"""Records of one partition that wait until enough have come together to be decided."""

from __future__ import annotations

from streamal.core.types import DecisionWindow
from streamal.ports import Record

__all__ = ["Gathering"]


class Gathering:
    """Cuts the records of a partition into windows, in order, by number and by time.

    What waits here is not decided: it is in no transaction and its offsets are not committed, so
    after a crash or a rebalance whoever owns the partition reads it again. That is all there is to
    exactly once.

    Args:
        window: how many records make a window, and how long its first one waits; None lets all
            pass as they come.
    """

    def __init__(self, window: DecisionWindow | None) -> None:
        self._window = window
        self._waiting: list[Record] = []
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, records: list[Record], now: float) -> list[list[Record]]:
        """Take in the next records; the windows that are complete with them.

        Args:
            records: follow those that were added before.
            now: seconds since the Unix epoch.
        """
        if self._window is None:
            return [records] if records else []
        complete: list[list[Record]] = []
        for record in records:
            if not self._waiting:
                self._since = now
            self._waiting.append(record)
            if len(self._waiting) >= self._window.events:
                complete.append(self._take())
        return complete

    def overdue(self, now: float) -> list[list[Record]]:
        """The window whose time is up, if it is, however few records it has."""
        if self._window is None or not self._waiting:
            return []
        return [self._take()] if now - self._since >= self._window.seconds else []

    def clear(self) -> None:
        """Forget what waits: it will be read again."""
        self._waiting = []

    def _take(self) -> list[Record]:
        taken, self._waiting = self._waiting, []
        return taken
