"""The console as a role: its thread talks to the broker, the web server's threads to people.

Between them lies the SQLite file. So people go on working while the broker is away, and what they
answer leaves when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from streamal.console.board import Board
from streamal.console.desk import Desk
from streamal.console.feed import Feed
from streamal.console.items import Items
from streamal.errors import Rebalanced, Retriable
from streamal.ports import Clock
from streamal.roles.closing import close_all
from streamal.roles.label_publisher import LabelPublisher
from streamal.state.durable import DurableFile
from streamal.state.outbox import Outbox
from streamal.telemetry.metrics import Metrics

__all__ = ["ConsoleRole", "Server", "Store"]

_log = logging.getLogger(__name__)

_FORGET_INTERVAL_SECONDS: Final = 600.0


class Server(Protocol):
    """What serves the pages."""

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        ...

    def close(self) -> None:
        """Stop. May be called twice."""
        ...


class Store:
    """The console's file with everything in it.

    Args:
        file: opened with the console's schema.
        new_desk: makes the desk over it.
    """

    def __init__(
        self, file: DurableFile, new_desk: Callable[[DurableFile, Items, Outbox], Desk]
    ) -> None:
        self.file = file
        self.outbox = Outbox(file)
        self.items = Items(file, self.outbox.name)
        self.desk = new_desk(file, self.items, self.outbox)


class ConsoleRole:
    """See the module docstring.

    Args:
        open_store: opens the file.
        new_publisher: makes the way to `labels`.
        new_feed: makes the way from `reviews` and `labels`.
        new_board: makes what the dashboard shows.
        serve: starts the pages; called once, when all else works. Its last argument says why the
            broker can't be reached, None when it can.
        retain_seconds: how long what has expired is kept.
        poll_timeout_seconds: longest wait for records in a step.
        clock: time of day.
        metrics: counts.
    """

    name = "console"

    def __init__(
        self,
        *,
        open_store: Callable[[], Store],
        new_publisher: Callable[[Outbox], LabelPublisher],
        new_feed: Callable[[Items], Feed],
        new_board: Callable[[Store], Board],
        serve: Callable[[Store, Board, Callable[[], str | None]], Server],
        retain_seconds: float,
        poll_timeout_seconds: float,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._open_store = open_store
        self._new_publisher = new_publisher
        self._new_feed = new_feed
        self._new_board = new_board
        self._serve = serve
        self._retain_seconds = retain_seconds
        self._poll_timeout_seconds = poll_timeout_seconds
        self._clock = clock
        self._metrics = metrics
        self._store: Store | None = None
        self._publisher: LabelPublisher | None = None
        self._feed: Feed | None = None
        self._board: Board | None = None
        self._server: Server | None = None
        self._outage: str | None = None
        self._forget_due = 0.0

    @property
    def address(self) -> str | None:
        """Where a browser finds the pages; None before they are served."""
        return None if self._server is None else self._server.address

    def start(self) -> None:
        """Open the file, catch up with the log, then open the doors."""
        if self._store is None:
            self._store = self._open_store()
        # Before anybody can answer: see LabelPublisher on files that come back from a backup.
        if self._publisher is None:
            self._publisher = self._new_publisher(self._store.outbox)
        if self._feed is None:
            self._feed = self._new_feed(self._store.items)
        self._feed.catch_up()
        if self._board is None:
            self._board = self._new_board(self._store)
        self._board.catch_up()
        if self._server is None:
            self._server = self._serve(self._store, self._board, lambda: self._outage)
            _log.info("the console is at %s", self._server.address)

    def step(self) -> None:
        """Take in what has come and send what is due.

        Raises:
            Retriable: nothing was lost; call `recover`, then step again.
        """
        store, feed, board = self._started()
        if self._publisher is None:
            self._publisher = self._new_publisher(store.outbox)
        sent = self._publisher.step()
        board.follow()
        feed.follow(0.0 if sent else self._poll_timeout_seconds)
        self._outage = None
        self._measure(store)

    def recover(self, error: Retriable) -> None:
        """Let go of what may be broken; the next step makes it anew."""
        if self._outage is None and not isinstance(error, Rebalanced):
            moment = datetime.fromtimestamp(self._clock.now(), UTC)
            self._outage = f"Since {moment:%H:%M:%S} UTC: {error}."
        _, feed, board = self._started()
        if self._publisher is not None:
            self._metrics.transactions.labels(role=self.name, outcome="aborted").inc()
            publisher, self._publisher = self._publisher, None
            publisher.close()
        feed.resume()
        board.resume()

    def close(self) -> None:
        """Close the doors, send what can be sent, free everything. May be called twice."""
        if self._server is not None:
            self._server.close()
        if self._publisher is not None and self._outage is None:
            close_all(self._publisher.step)
        parts = (self._publisher, self._feed, self._board)
        self._publisher = self._feed = self._board = None
        close_all(*(part.close for part in parts if part is not None))
        if self._store is not None:
            self._store.file.close()
        self._server = self._store = None

    def _started(self) -> tuple[Store, Feed, Board]:
        if self._store is None or self._feed is None or self._board is None:
            raise RuntimeError("the console was not started")
        return self._store, self._feed, self._board

    def _measure(self, store: Store) -> None:
        now = self._clock.now()
        self._metrics.console_open_items.set(store.items.open_count(now))
        self._metrics.outbox_waiting.set(store.outbox.waiting())
        oldest = store.outbox.oldest_waiting()
        self._metrics.outbox_age.set(0.0 if oldest is None else max(0.0, now - oldest))
        if now >= self._forget_due:
            self._forget_due = now + _FORGET_INTERVAL_SECONDS
            store.items.forget(now - self._retain_seconds)
            store.desk.forget(now - self._retain_seconds)
