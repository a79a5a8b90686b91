"""The console's HTTP server, in a thread of its own."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from streamal.errors import SettingsInvalid

__all__ = ["WebServer"]

_log = logging.getLogger(__name__)

#: How long requests that are under way may take when the console stops, in seconds.
_GRACE_SECONDS: Final = 3
_BACKLOG: Final = 128


class WebServer:
    """Serves until closed; the port is open when the constructor returns.

    Args:
        app: what is served.
        host: address to listen on.
        port: 0 picks a free one.

    Raises:
        SettingsInvalid: the address cannot be listened on.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="console-http", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def close(self) -> None:
        """Answer what is under way, then stop listening. May be called twice."""
        self._server.should_exit = True
        self._thread.join(2 * _GRACE_SECONDS)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsInvalid(
            f"console.host = {host!r}: cannot be listened on ({error})"
        ) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise SettingsInvalid(_unavailable(host, port, error)) from error
    return made


def _unavailable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"console.port = {port}: in use on {host}; choose a free one, or 0 for any"
    if error.errno == errno.EACCES:
        return f"console.port = {port}: not permitted; choose one from 1024 up, or 0 for any"
    return f"console.host = {host!r}: cannot be listened on ({error.strerror or error})"
