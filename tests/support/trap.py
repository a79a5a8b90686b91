"""Faults placed exactly: a role's calls to its broker pass a trap that springs at one of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from streamal.errors import BrokerUnavailable

Fault = Literal["kill before", "kill after", "fail before", "fail after"]
FAULTS: tuple[Fault, ...] = ("kill before", "kill after", "fail before", "fail after")
#: Each fault strikes at every fourth call, each at others, so that one of them strikes at every
#: call. STREAMAL_FAULTS=all strikes with every fault at every call, which takes minutes.
EVERY_CALL = os.environ.get("STREAMAL_FAULTS") == "all"
STRIDE = 1 if EVERY_CALL else len(FAULTS)


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


@dataclass
class Trap:
    """Counts a role's calls to its clients and springs at one of them.

    Attributes:
        at: number of the call; -1 for none.
        fault: what happens there.
    """

    at: int = -1
    fault: Fault = "kill before"
    calls: int = 0
    clients: list[Any] = field(default_factory=list)

    def around(self, call: Callable[..., Any], *args: object, **kwargs: object) -> object:
        """Make the call, unless the trap springs on it."""
        number, self.calls = self.calls, self.calls + 1
        if number == self.at and self.fault.endswith("before"):
            self._spring()
        result = call(*args, **kwargs)
        if number == self.at:
            self._spring()
        return result

    def _spring(self) -> None:
        if self.fault.startswith("kill"):
            raise Killed
        raise BrokerUnavailable("the connection broke")


class Trapped:
    """A client, or the broker itself, whose calls all pass a trap."""

    #: Calls that never reach a broker cannot be interrupted by one.
    LOCAL = frozenset({"assignment", "pause", "resume", "seek", "group_metadata", "close"})

    def __init__(self, inner: Any, trap: Trap) -> None:  # noqa: ANN401 - stands for any client
        self._inner = inner
        self._trap = trap

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any client
        attribute = getattr(self._inner, name)
        if not callable(attribute) or name in self.LOCAL:
            return attribute

        def call(*args: object, **kwargs: object) -> object:
            result = self._trap.around(attribute, *args, **kwargs)
            if name in {"consumer", "producer", "transactional_producer"}:
                self._trap.clients.append(result)
                return Trapped(result, self._trap)
            return result

        return call
