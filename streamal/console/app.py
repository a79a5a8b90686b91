"""The console's addresses: who may come to which page, and with what."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from streamal.console import looking, reviewing
from streamal.console.parts import Parts, Visit
from streamal.console.security import COOKIE, Guard, read_form

__all__ = ["make_app"]

_log = logging.getLogger(__name__)

_STATIC: Final = Path(__file__).parent / "static"

Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(parts: Parts, *, allowed_hosts: tuple[str, ...], local: bool) -> ASGIApp:
    """The console as an ASGI application.

    Args:
        parts: what it works with.
        allowed_hosts: names by which browsers reach it.
        local: whether only this machine can.
    """
    parts.templates.globals["version"] = _version_of_static()
    house = _House(parts)
    app = Starlette(
        routes=[
            Route("/", house.page(_home)),
            Route("/login", house.login, methods=["GET", "POST"]),
            Route("/logout", house.post(_logout), methods=["POST"]),
            Route("/review", house.page(reviewing.review, needs="reviews")),
            Route("/item", house.page(reviewing.item)),
            Route("/queue", house.page(reviewing.queue)),
            Route("/answer", house.post(reviewing.answer, needs="reviews"), methods=["POST"]),
            Route("/undo", house.post(reviewing.undo, needs="reviews"), methods=["POST"]),
            Route("/keep", house.post(reviewing.keep, needs="reviews"), methods=["POST"]),
            Route("/adjudicate", house.page(reviewing.adjudicate, needs="leads")),
            Route("/status", house.page(reviewing.status)),
            Route("/dashboard", house.page(looking.dashboard)),
            Route("/history", house.page(looking.history)),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={HTTPException: house.explain, 500: house.explain},
    )
    return Guard(
        app,
        allowed_hosts=allowed_hosts,
        local=local,
        https=parts.options.secure_cookies,
    )


def _version_of_static() -> str:
    """Changes with the files, so that browsers may keep them."""
    found = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _home(visit: Visit) -> Response:
    return RedirectResponse("/review" if visit.account.reviews else "/dashboard", 303)


def _logout(visit: Visit) -> Response:
    visit.parts.desk.release(visit.name)
    visit.parts.sessions.close(visit.key)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


class _House:
    """Lets people in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(self, page: Page, *, needs: str = "") -> Endpoint:
        """An endpoint for a page that is looked at."""

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(self._show, request, page, needs)

        return endpoint

    def post(self, page: Page, *, needs: str = "") -> Endpoint:
        """An endpoint for a form, which must come from a page of the same session."""

        async def endpoint(request: Request) -> Response:
            form = await read_form(request)
            return await run_in_threadpool(self._take, request, page, needs, form)

        return endpoint

    async def login(self, request: Request) -> Response:
        """The sign-in page and its form."""
        if request.method == "GET":
            return self._login_page("", _safe(request.query_params.get("next", "/")))
        form = await read_form(request)
        return await run_in_threadpool(self._sign_in, request, form)

    async def explain(self, _request: Request, error: Exception) -> Response:
        """An error as a page."""
        if isinstance(error, HTTPException):
            return self._parts.bare_page(
                "error.html", error.status_code, title=error.detail, text=""
            )
        return self._parts.bare_page(
            "error.html",
            500,
            title="Something went wrong",
            text="Nothing was lost. The log of the console says more.",
        )

    def _show(self, request: Request, page: Page, needs: str) -> Response:
        key = request.cookies.get(COOKIE, "")
        session = self._parts.sessions.find(key) if key else None
        opened = False
        if session is None and self._parts.accounts.open:
            key, opened = self._parts.sessions.open_local(), True
            session = self._parts.sessions.find(key)
        if session is None:
            return RedirectResponse(f"/login?next={quote(_here(request))}", 303)
        response = self._serve(Visit(self._parts, request, session, key, {}), page, needs)
        if opened:
            self._set_cookie(response, key)
        return response

    def _take(self, request: Request, page: Page, needs: str, form: dict[str, str]) -> Response:
        key = request.cookies.get(COOKIE, "")
        session = self._parts.sessions.find(key) if key else None
        if session is None:
            raise HTTPException(403, "You were signed out. Sign in again and repeat this.")
        if not session.accepts(form.get("csrf", "")):
            raise HTTPException(403, "This form is from another session. Load the page again.")
        return self._serve(Visit(self._parts, request, session, key, form), page, needs)

    def _serve(self, visit: Visit, page: Page, needs: str) -> Response:
        if needs and not getattr(visit.account, needs):
            raise HTTPException(403, f"As a {visit.account.role} you cannot do this.")
        return page(visit)

    def _sign_in(self, request: Request, form: dict[str, str]) -> Response:
        parts, address = self._parts, request.client.host if request.client else "?"
        following = _safe(form.get("next", "/"))
        if not parts.logins.allows(address):
            return self._login_page("Too many attempts. Wait a minute.", following, 429)
        account = parts.accounts.recognise(form.get("token", ""))
        if account is None:
            parts.logins.failed(address)
            _log.warning("sign-in refused, from %s", address)
            return self._login_page("This token is not known here.", following, 403)
        _log.info("%s signed in, from %s", account.name, address)
        response = RedirectResponse(following, 303)
        self._set_cookie(response, parts.sessions.open(account))
        return response

    def _login_page(self, problem: str, following: str, status: int = 200) -> Response:
        return self._parts.bare_page("login.html", status, problem=problem, following=following)

    def _set_cookie(self, response: Response, key: str) -> None:
        options = self._parts.options
        response.set_cookie(
            COOKIE,
            key,
            max_age=int(options.session_seconds),
            httponly=True,
            secure=options.secure_cookies,
            samesite="strict",
        )


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _safe(address: str) -> str:
    """An address of ours; anything else would make the sign-in page send people elsewhere."""
    parsed = urlsplit(address)
    is_ours = not parsed.scheme and not parsed.netloc and address.startswith("/")
    return address if is_ours and not address.startswith(("//", "/\\")) else "/"
