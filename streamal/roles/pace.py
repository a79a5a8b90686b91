"""Keeps work that can wait from taking all the time."""

from __future__ import annotations

__all__ = ["Pace"]


class Pace:
    """Keeps work that can wait to a tenth of the time, however much of it there is."""

    #: Seconds free of it for each second that it took.
    _FREE = 9
    #: Longest wait that follows from it: a clock that was set forward meanwhile is no hard work.
    _LONGEST_SECONDS = 60.0

    def __init__(self) -> None:
        self._not_before = 0.0

    def may(self, now: float) -> bool:
        """Whether it may be done again; a clock that was set back does not put it off."""
        wait = self._not_before - now
        return not 0 < wait <= self._LONGEST_SECONDS

    def spent(self, began: float, ended: float) -> None:
        """It was done; both in epoch seconds."""
        self._not_before = ended + min((ended - began) * self._FREE, self._LONGEST_SECONDS)
