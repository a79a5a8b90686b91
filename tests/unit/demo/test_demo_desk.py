"""The person at the keyboard reviews in the demo, and the world goes on until Ctrl-C."""

from __future__ import annotations

import re
import socket
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from streamal.demo import DemoOptions, DemoResult, run_demo
from tests.support.visitor import Visitor

OPTIONS = DemoOptions(events=1_500, budget=0.1)


class Person:
    """Sits at the keyboard: looks when the demo pauses, answers three items, presses Ctrl-C."""

    def __init__(self, screen: StringIO) -> None:
        self._screen = screen
        self._answered: list[str] = []
        self.history = ""
        self.dashboard = ""
        self.pauses = 0

    def pause(self, _seconds: float) -> None:
        self.pauses += 1
        found = re.search(r"http://127\.0\.0\.1:\d+", self._screen.getvalue())
        assert found is not None
        visitor = Visitor(found.group())
        page = visitor.get("/review")
        assert "recorded class" in page.words
        choice = re.search(r'name="choice" value="(label:[^"]+)"', page.text)
        assert choice is not None
        assert page.item is not None
        visitor.answer(page.item, choice.group(1))
        self._answered.append(page.item)
        if len(self._answered) == 3:
            self.history = visitor.get("/history").words
            self.dashboard = visitor.get("/dashboard").words
            raise KeyboardInterrupt

    def answered(self) -> list[str]:
        return self._answered


def run(monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[str, Person, list[DemoResult]]:  # noqa: ANN401 - of the demo
    screen = StringIO()
    person, told = Person(screen), list[DemoResult]()
    monkeypatch.setattr("streamal.demo.show.time.sleep", person.pause)
    console = Console(file=screen, width=100, force_terminal=False)
    run_demo(OPTIONS, console, report=told.append, **options)
    return screen.getvalue(), person, told


def test_a_person_reviews_while_the_world_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, person, told = run(monkeypatch, stay=True)

    assert "Review some of them yourself: http://127.0.0.1:" in shown
    assert "until you press Ctrl-C" in shown
    assert len(told) == 1
    assert all(f"local {item}" in person.history for item in person.answered())
    assert "ada (simulated)" in person.dashboard
    assert "local 3 3" in person.dashboard


def test_it_ends_by_itself_where_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, person, told = run(monkeypatch)

    assert person.pauses == 0
    assert len(told) == 1
    assert "Review some of them yourself" in shown
    assert "Ctrl-C" not in shown


def test_a_port_in_use_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr("streamal.demo.desk._PORTS", (port, 0))
        shown, _, _ = run(monkeypatch)

    assert f"http://127.0.0.1:{port}/" not in shown
    assert "http://127.0.0.1:" in shown


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamal.demo.show.desk_is_installed", lambda: False)
    shown, person, told = run(monkeypatch, stay=True)

    assert "pip install 'streamal[console]'" in shown
    assert person.pauses == 0
    assert told[0].labels_learned == told[0].routed
