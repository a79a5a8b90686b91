"""Which clients a broker has handed out and has to close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

__all__ = ["Closes", "OpenClients", "nobody_waits"]


class Closes(Protocol):
    """A client that says when it is closed, so that its broker can let it go."""

    when_closed: Callable[[], None]

    def close(self) -> None:
        """Free the connections, and call `when_closed`; may be called twice."""


C = TypeVar("C", bound=Closes)


def nobody_waits() -> None:
    """The `when_closed` of a client that no broker has handed out."""


class OpenClients:
    """The open clients of one broker; those of a role that keeps recovering must not pile up."""

    def __init__(self) -> None:
        self._clients: dict[int, Closes] = {}

    def kept(self, client: C) -> C:
        """The client, which is let go once it is closed."""
        number = id(client)
        self._clients[number] = client
        client.when_closed = lambda: self._let_go(number)
        return client

    def _let_go(self, number: int) -> None:
        self._clients.pop(number, None)

    def close(self) -> None:
        """Close those that are still open."""
        for client in list(self._clients.values())[::-1]:
            client.close()
