"""Stops the gate when too much is rejected: a bad deploy upstream must not drain the topic.

The share is taken over the last events, so a pipeline that ran well for a year still trips within
one window of a bad deploy.
"""

from __future__ import annotations

from collections import deque

from streamal.errors import BreakerOpen

__all__ = ["Breaker"]


class Breaker:
    """Counts rejects among the latest events.

    Args:
        max_reject_share: largest share that is tolerated, in (0, 1]; 1 tolerates everything.
        window_events: how many events the share is taken over.
        min_events: events seen before the breaker may open.
    """

    def __init__(self, max_reject_share: float, window_events: int, min_events: int) -> None:
        self._max_share = max_reject_share
        self._min_events = min(min_events, window_events)
        self._recent: deque[bool] = deque(maxlen=window_events)
        self._rejects = 0

    def accept(self, count: int = 1) -> None:
        """Take note of events that could be used.

        Raises:
            BreakerOpen: the share of rejects passed its limit.
        """
        if self._rejects:
            for _ in range(count):
                self._count(rejected=False)
        else:
            self._recent.extend([False] * min(count, self._recent.maxlen or 0))

    def reject(self) -> None:
        """Take note of an event that could not be used.

        Raises:
            BreakerOpen: the share of rejects passed its limit.
        """
        self._count(rejected=True)

    def _count(self, *, rejected: bool) -> None:
        if len(self._recent) == self._recent.maxlen:
            self._rejects -= self._recent[0]
        self._recent.append(rejected)
        self._rejects += rejected
        if len(self._recent) >= self._min_events and self.share > self._max_share:
            raise BreakerOpen(
                f"{self._rejects} of the last {len(self._recent)} events were rejected "
                f"({self.share:.0%}, gate.breaker.max_reject_share is {self._max_share:.0%}); "
                "stopped before this batch was committed. Look at the latest dead letters, mend "
                "the producer or the [format] settings, then start again."
            )

    @property
    def share(self) -> float:
        """Share of rejects among the latest events, in [0, 1]."""
        return self._rejects / len(self._recent) if self._recent else 0.0
