"""The address that Label Studio calls: a call means "look now", nothing more.

What was annotated is then read from Label Studio itself. So a call that is lost costs patience
until the next poll, one that comes twice costs a look, and one that is forged changes nothing.
"""

from __future__ import annotations

import hmac
import logging
import socket
import threading
import time
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streamal.errors import SettingsInvalid
from streamal.telemetry.metrics import Metrics

__all__ = ["SECRET_HEADER", "WEBHOOK_PATH", "Bell", "WebhookServer", "webhook_app"]

_log = logging.getLogger(__name__)

WEBHOOK_PATH: Final = "/label-studio"
#: Label Studio allows letters, digits, `-` and `_` in the names of headers.
SECRET_HEADER: Final = "X-Streamal-Secret"  # noqa: S105  the header's name, not its content
_START_SECONDS: Final = 10.0


class Bell:
    """Rung by one thread, heard by another. Ringing twice before it is heard is ringing once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """There is something to look at."""
        self._event.set()

    def heard(self) -> bool:
        """Whether it was rung since the last time."""
        rung = self._event.is_set()
        self._event.clear()
        return rung


def webhook_app(secret: str | None, bell: Bell, metrics: Metrics) -> Starlette:
    """The application behind the address.

    Args:
        secret: what `SECRET_HEADER` must hold; None lets everybody ring.
        bell: rung by every accepted call.
        metrics: counts calls.
    """

    async def call(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if secret is not None and not hmac.compare_digest(given.encode(), secret.encode()):
            metrics.label_studio_webhooks.labels(outcome="refused").inc()
            return Response(status_code=403)
        # The body isn't read: a call says that there is something to see, not what.
        metrics.label_studio_webhooks.labels(outcome="accepted").inc()
        bell.ring()
        return Response(status_code=204)

    return Starlette(routes=[Route(WEBHOOK_PATH, call, methods=["POST"])])


class WebhookServer:
    """Serves the address from a thread of its own.

    Args:
        app: what to serve.
        host: to bind.
        port: to bind; 0 picks a free one.

    Raises:
        SettingsInvalid: the port can't be bound.
    """

    def __init__(self, app: Starlette, *, host: str, port: int) -> None:
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="label-studio-webhook"
        )

    def start(self) -> None:
        """Serve from now on. May be called twice."""
        if self._thread.is_alive():
            return
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        _log.info("waiting for Label Studio's webhooks on port %d", self.port)

    def close(self) -> None:
        """Stop serving. May be called twice."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsInvalid(
            f"label_studio.webhook_port = {port}: cannot listen on {host} ({error.strerror})"
        ) from error
    return bound
