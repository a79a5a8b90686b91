"""Somebody who visits the console without a browser: pages, forms and a cookie."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from contextlib import closing
from html import unescape
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit


class Page(NamedTuple):
    """An answer."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def words(self) -> str:
        """What a reader sees, on one line."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    @property
    def item(self) -> str | None:
        """The event that can be answered here."""
        found = re.search(r'name="item" value="([^"]*)"', self.text)
        return unescape(found.group(1)) if found else None


class Visitor:
    """Keeps one cookie and the last page's form token, and follows redirects."""

    def __init__(self, address: str, *, host: str | None = None) -> None:
        self._host = urlsplit(address).netloc
        self._named = host or self._host
        self.cookie = ""
        self.csrf = ""

    def get(self, path: str) -> Page:
        """Look at a page."""
        return self._follow(self.ask("GET", path))

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> Page:
        """Send a form of the last page."""
        return self._follow(self.ask("POST", path, {"csrf": self.csrf, **(fields or {})}))

    def sign_in(self, token: str, following: str = "/") -> Page:
        """Sign in."""
        return self.post("/login", {"token": token, "next": following})

    def answer(self, item: str, choice: str, **fields: str) -> Page:
        """Answer an item."""
        return self.post("/answer", {"item": item, "choice": choice, **fields})

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Page:
        """One request, redirects not followed."""
        headers = {"Host": self._named, "Cookie": self.cookie}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection(self._host, timeout=20)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            page = Page(
                answer.status,
                answer.read().decode(),
                {name.lower(): value for name, value in answer.getheaders()},
            )
        self.cookie = page.headers.get("set-cookie", self.cookie).partition(";")[0]
        found = re.search(r'data-csrf="([^"]+)"', page.text)
        self.csrf = found.group(1) if found else self.csrf
        return page

    def _follow(self, page: Page) -> Page:
        while page.status == 303:
            page = self.ask("GET", page.headers["location"])
        return page
