"""Calls of client libraries that know no time limit, given one.

Committing a transaction and closing a client wait for as long as the broker is away. Here such a
call runs on a daemon thread of its own; the caller stops waiting when its time is up and may come
back for the outcome later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, ParamSpec, TypeVar

__all__ = ["Call"]

P = ParamSpec("P")
T = TypeVar("T")


class Call(Generic[T]):
    """One call under way; starts at once."""

    def __init__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        self._future: Future[T] = Future()

        def run() -> None:
            try:
                self._future.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
                self._future.set_exception(error)

        name = getattr(function, "__name__", "call")
        threading.Thread(target=run, name=f"kafka-{name}", daemon=True).start()

    def result(self, limit_seconds: float) -> T:
        """What the call returned or raised.

        Raises:
            TimeoutError: it is still under way; `result` may be asked again.
        """
        return self._future.result(limit_seconds)

    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._future.done()

    def when_done(self, notify: Callable[[], None]) -> None:
        """Have `notify` called, on some thread, once the outcome is known."""
        self._future.add_done_callback(lambda _: notify())
