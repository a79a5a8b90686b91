"""What surrounds every page: headers, hosts, cookies, forms. Nothing here knows about reviews."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "Guard", "read_form"]

COOKIE: Final = "streamal-console"
#: A note of 10,000 characters, percent-encoded, and everything around it.
_MOST_FORM_BYTES: Final = 200_000
_FEW_FIELDS: Final = 20
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

#: Nothing from elsewhere, no inline scripts or styles; pictures only from the event itself.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Refuses foreign hosts and adds the security headers to every answer.

    A console that only this machine reaches may have no accounts; then the host name is what keeps
    a web page elsewhere from reaching it through a name that it points here (DNS rebinding).

    Args:
        app: what is guarded.
        allowed_hosts: names without port; empty allows this machine's own when `local`, else any.
        local: whether only this machine can reach us.
        https: whether browsers come over HTTPS.
    """

    def __init__(
        self, app: ASGIApp, *, allowed_hosts: tuple[str, ...], local: bool, https: bool
    ) -> None:
        self._app = app
        names = frozenset(name.casefold() for name in allowed_hosts)
        self._names = names or (_LOCAL_NAMES if local else frozenset())
        self._headers = dict(_HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        if self._names and _host(scope) not in self._names:
            refusal = PlainTextResponse("This host name is not in console.allowed_hosts.\n", 400)
            await refusal(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _host(scope: Scope) -> str:
    raw = next((value for name, value in scope["headers"] if name == b"host"), b"")
    host = str(raw.decode("latin-1").casefold())
    return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form; the last one of a name counts.

    Raises:
        HTTPException: 413, 415 or 400 when it is no form of ours.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms are understood here.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(413, "This is too long.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FEW_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "This form cannot be read.") from error
    return dict(pairs)
