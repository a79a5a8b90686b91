"""The demo's review console: the person at the keyboard reviews beside the simulated ones."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Final

from streamal.bootstrap import Pipeline
from streamal.errors import SettingsInvalid
from streamal.roles.loop import Role
from streamal.settings import ConsoleSettings

__all__ = ["HOW_TO_GET_IT", "DemoDesk", "desk_is_installed", "desk_settings", "open_desk"]

HOW_TO_GET_IT: Final = (
    "To review some of them yourself, in a browser: pip install 'streamal[console]'"
)
#: Where people find a console by default; another one is taken while that is in use.
_PORTS: Final = (ConsoleSettings().port, 0)
#: World time, which passes five times as fast as ours when the person comes to review.
_UNDO_SECONDS: Final = 30.0
_LEASE_SECONDS: Final = 3600.0
_SESSION_SECONDS: Final = 365 * 86_400.0


class DemoDesk:
    """The console of one pipeline, stepped by the demo.

    Args:
        role: as it runs in production.
        address: where a browser finds it.
    """

    def __init__(self, role: Role, address: str) -> None:
        self._role = role
        self.address = address

    def step(self) -> None:
        """Take in what has come, send what is due."""
        self._role.step()

    def close(self) -> None:
        """End in good order."""
        self._role.close()


def desk_settings(port: int) -> ConsoleSettings:
    """A console for this machine, at the pace of the demo's clock."""
    return ConsoleSettings(
        port=port,
        undo_seconds=_UNDO_SECONDS,
        lease_seconds=_LEASE_SECONDS,
        session_seconds=_SESSION_SECONDS,
        poll_timeout_seconds=1e-4,
    )


def desk_is_installed() -> bool:
    """Whether the libraries of the console are there."""
    return all(find_spec(name) is not None for name in ("jinja2", "starlette", "uvicorn"))


def open_desk(pipeline: Pipeline) -> DemoDesk:
    """Start the console of a pipeline; only where its libraries are installed."""
    usual, any_free = _PORTS
    try:
        return _opened(pipeline, usual)
    except SettingsInvalid:
        return _opened(pipeline, any_free)


def _opened(pipeline: Pipeline, port: int) -> DemoDesk:
    new_console = importlib.import_module("streamal.bootstrap.console").new_console
    settings = pipeline.settings.model_copy(update={"console": desk_settings(port)})
    here = Pipeline(settings, pipeline.broker, pipeline.clock, pipeline.metrics)
    role = new_console(here, ":memory:")
    try:
        role.start()
    except SettingsInvalid:
        role.close()
        raise
    return DemoDesk(role, role.address)
