"""Debian's Chromium, driven by Playwright, in front of consoles on the memory broker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.desk import ACCOUNTS, TOKENS, ReviewDesk

#: A user's everyday browser may be called otherwise; these are Debian's names.
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 900), (390, 844)
#: A hang, not a slow machine.
PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def browser(require_or_skip: Callable[[str, str | None], None]) -> Iterator[Browser]:
    """One browser for all tests."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    require_or_skip("browser", None if path else f"none of {', '.join(NAMES)} is there")
    assert path is not None
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield made
        made.close()


class Visits:
    """Opens pages as somebody; whatever a page complains about fails the test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []
        self.foreign: list[str] = []

    def open(
        self,
        desk: ReviewDesk,
        name: str | None = None,
        size: tuple[int, int] = DESKTOP,
        **options: Any,  # noqa: ANN401 - Playwright's
    ) -> Page:
        """A page at the console, signed in as `name`."""
        viewport: Any = {"width": size[0], "height": size[1]}
        context = self._browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self._hear(line.type, line.text))
        page.on("request", lambda request: self._watch(desk, request.url))
        page.goto(desk.address)
        if name is not None:
            page.get_by_label("Your token").fill(TOKENS[name])
            page.get_by_role("button", name="Sign in").click()
        return page

    def close(self) -> None:
        """Close all."""
        for context in self._contexts:
            context.close()

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _watch(self, desk: ReviewDesk, url: str) -> None:
        if not url.startswith((desk.address, "data:")):
            self.foreign.append(url)


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Pages; at the end none has complained or asked another host for anything."""
    made = Visits(browser)
    yield made
    made.close()
    assert made.complaints == []
    assert made.foreign == []


@pytest.fixture
def new_desk(tmp_path: Path) -> Iterator[Callable[..., ReviewDesk]]:
    """Makes consoles that work by themselves."""
    made: list[ReviewDesk] = []

    def make(
        changes: Mapping[str, Any] | None = None,
        accounts: Sequence[Mapping[str, str]] = ACCOUNTS,
    ) -> ReviewDesk:
        made.append(ReviewDesk(tmp_path, changes, accounts=accounts))
        made[-1].role.start()
        made[-1].tick()
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(new_desk: Callable[..., ReviewDesk]) -> ReviewDesk:
    """A console with four accounts."""
    return new_desk()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures of the pages go: STREAMAL_SCREENSHOTS, for people to look at."""
    folder = Path(os.environ.get("STREAMAL_SCREENSHOTS", tmp_path / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
