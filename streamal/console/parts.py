"""What the pages work with, and one visit to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from streamal.console.accounts import Account, Accounts
from streamal.console.board import Board
from streamal.console.desk import Desk
from streamal.console.sessions import RateLimit, Session, Sessions
from streamal.ports import Clock
from streamal.state.outbox import Outbox

__all__ = ["Flashes", "Options", "Parts", "Visit", "since"]

_MOST_FLASHES: Final = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Options:
    """Settings that the pages look at, see `streamal.settings.console`.

    Attributes:
        pipeline: name of the pipeline.
        classes: the known classes in the order of their keys; empty when any class will do.
    """

    pipeline: str
    classes: tuple[str, ...]
    blind_review: bool
    hide_prediction: bool
    lease_seconds: float
    undo_seconds: float
    session_seconds: float
    secure_cookies: bool


class Flashes:
    """One line for a reviewer's next page. May be shared by threads."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self._lock = threading.Lock()

    def leave(self, name: str, line: str) -> None:
        """Show `line` on the next page of `name`."""
        with self._lock:
            self._lines[name] = line
            while len(self._lines) > _MOST_FLASHES:
                del self._lines[next(iter(self._lines))]

    def take(self, name: str) -> str:
        """The line for `name`, once; empty for none."""
        with self._lock:
            return self._lines.pop(name, "")


def since(seconds: float) -> str:
    """A length of time in few words.

    >>> since(95), since(7300), since(200_000)
    ('2 min', '2 h', '2 d')
    """
    if seconds < _MINUTE:
        return f"{max(0, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _DAY)} d"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("streamal.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["since"] = since
    made.filters["moment"] = _moment
    return made


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything behind the pages.

    Attributes:
        outage: why the broker can't be reached, with the time since; None when it can.
    """

    options: Options
    accounts: Accounts
    sessions: Sessions
    logins: RateLimit
    desk: Desk
    outbox: Outbox
    board: Board
    clock: Clock
    outage: Callable[[], str | None]
    flashes: Flashes = field(default_factory=Flashes)
    templates: Environment = field(default_factory=_environment)

    def bare_page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """A page for somebody who is not signed in."""
        found = self.templates.get_template(template)
        text = found.render(pipeline=self.options.pipeline, visit=None, **values)
        return HTMLResponse(text, status)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in.

    Attributes:
        form: posted fields; empty unless posted.
        key: the session's cookie.
    """

    parts: Parts
    request: Request
    session: Session
    key: str
    form: Mapping[str, str]

    @property
    def account(self) -> Account:
        """Who it is."""
        return self.session.account

    @property
    def name(self) -> str:
        """The annotator."""
        return self.account.name

    def query(self, name: str) -> str:
        """A parameter of the address; empty when it is not there."""
        return str(self.request.query_params.get(name, ""))

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """A page with the frame around it."""
        now, parts = self.parts.clock.now(), self.parts
        found = parts.templates.get_template(template)
        text = found.render(
            visit=self,
            account=self.account,
            pipeline=parts.options.pipeline,
            csrf=self.session.csrf,
            path=self.request.url.path,
            now=now,
            open_count=parts.desk.items.open_count(now),
            disputes=parts.desk.items.open_count(now, adjudication=True),
            outage=parts.outage(),
            unsent=parts.outbox.waiting(),
            flash=parts.flashes.take(self.name),
            signs_in=not parts.accounts.open,
            **values,
        )
        return HTMLResponse(text, status)
