"""Carries rebalance callbacks from kafka-python's network thread to the thread that polls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import kafka
from kafka.future import Future

__all__ = ["Listener", "Task"]

Task = Callable[[], None]


class Listener(kafka.AsyncConsumerRebalanceListener):  # type: ignore[misc] # no types
    """Has the callbacks run by the thread that polls, while kafka-python's own thread goes on.

    kafka-python calls listeners on its network thread, where any look-up of an offset would wait
    for itself. So each callback becomes a task for the polling thread, and the network thread
    awaits its end, sending heartbeats meanwhile.
    """

    def __init__(
        self,
        hand_over: Callable[[Task], None],
        revoked: Callable[[set[Any]], None],
        assigned: Callable[[set[Any]], None],
        wake: Task,
    ) -> None:
        self._hand_over = hand_over
        self._revoked, self._assigned = revoked, assigned
        self._wake = wake

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Before the partitions can reach another member, or after the member was expelled."""
        await self._performed(partial(self._revoked, revoked))

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        """Once the member has joined; also without partitions."""
        await self._performed(partial(self._assigned, assigned))

    async def _performed(self, task: Task) -> None:
        done = Future()

        def perform() -> None:
            try:
                task()
            finally:
                done.success(None)
                self._wake()

        self._hand_over(perform)
        await done
