"""One port for /metrics, /healthz and /readyz.

Requests are answered on threads of their own, so that a probe is answered while a scrape runs.
"""

from __future__ import annotations

import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from http import HTTPStatus
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from prometheus_client import make_wsgi_app
from prometheus_client.registry import Collector

from streamal.errors import SettingsInvalid
from streamal.telemetry.health import Health, Report

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["TelemetryServer"]

log = logging.getLogger(__name__)

#: How long a client may take over one request, in seconds; Prometheus itself waits 10 by default.
_CLIENT_TIMEOUT_SECONDS: Final = 10
#: How long `close` waits for the accept loop to notice, in seconds.
_POLL_SECONDS: Final = 0.05
_JSON: Final = "application/json; charset=utf-8"

_Page: TypeAlias = tuple[HTTPStatus, str, bytes]

PATHS: Final = {
    "/metrics": "Prometheus or OpenMetrics text",
    "/healthz": "alive? 200, or 503 with reasons: restart the process",
    "/readyz": "ready for work? 200, or 503 with reasons: wait, or fix what they name",
}


class TelemetryServer:
    """Serves until closed; the port is open when the constructor returns.

    Args:
        registry: of the metrics.
        health: of the roles.
        host: address to listen on, IPv4, IPv6 or a name.
        port: 0 picks a free one.

    Raises:
        SettingsInvalid: the address cannot be listened on.
    """

    def __init__(self, registry: Collector, health: Health, *, host: str, port: int) -> None:
        self._server = _listen(host, port)
        self._server.set_app(_Application(registry, health))
        self.host = host
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="telemetry", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is open."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Application:
    """Routes a request; HEAD gets what GET would, without the body."""

    def __init__(self, registry: Collector, health: Health) -> None:
        self._metrics: WSGIApplication = make_wsgi_app(registry)
        self._pages: dict[str, Callable[[], _Page]] = {
            "/healthz": lambda: _probe(health.live()),
            "/readyz": lambda: _probe(health.ready()),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in {"GET", "HEAD"}:
            body = _send(start_response, _not_allowed(method), [("Allow", "GET, HEAD")])
        elif environ["PATH_INFO"] == "/metrics":
            return self._scrape(environ, start_response)
        else:
            page = self._pages.get(environ["PATH_INFO"], _not_found)()
            body = _send(start_response, page, [])
        return [] if method == "HEAD" else [body]

    def _scrape(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # prometheus_client refuses HEAD.
        body = self._metrics({**environ, "REQUEST_METHOD": "GET"}, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body


def _probe(report: Report) -> _Page:
    status = HTTPStatus.OK if report.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _JSON, orjson.dumps(asdict(report), option=orjson.OPT_APPEND_NEWLINE)


def _not_found() -> _Page:
    return HTTPStatus.NOT_FOUND, _JSON, orjson.dumps({"error": "no such path", "paths": PATHS})


def _not_allowed(method: str) -> _Page:
    error = {"error": f"{method} is not allowed; use GET or HEAD"}
    return HTTPStatus.METHOD_NOT_ALLOWED, _JSON, orjson.dumps(error)


def _send(start_response: StartResponse, page: _Page, headers: list[tuple[str, str]]) -> bytes:
    status, content_type, body = page
    start_response(
        f"{status.value} {status.phrase}",
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )
    return body


class _Server(ThreadingMixIn, WSGIServer):
    # A scrape that hangs must not hold up the end of the process.
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # WSGIServer asks DNS for the host's name, which can take seconds where there is no DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - theirs
        log.debug("telemetry request from %s failed: %s", client_address, sys.exc_info()[1])


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_TIMEOUT_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - their parameter
        log.debug(format, *args)


def _listen(host: str, port: int) -> _Server:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return (_Server6 if family == socket.AF_INET6 else _Server)((host, port), _Handler)
    except OSError as error:
        raise SettingsInvalid(_unavailable(host, port, error)) from error


def _unavailable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"telemetry.port = {port}: in use on {host}; choose a free one, or 0 for any"
    if error.errno == errno.EACCES:
        return f"telemetry.port = {port}: not permitted; choose one from 1024 up, or 0 for any"
    return f"telemetry.host = {host!r}: cannot be listened on ({error.strerror or error})"
