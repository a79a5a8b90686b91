"""The dashboard's numbers, from topics alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from streamal.console.board import Board
from streamal.events import DriftEvent, WindowStats
from tests.support.desk import ReviewDesk
from tests.support.visitor import Visitor

WINDOW = 100.0
SETTINGS = {
    "estimation": {"window_seconds": WINDOW, "label_horizon_seconds": 200.0},
    "gate": {"budget": 0.2},
}


@pytest.fixture
def busy(new_desk: Callable[..., ReviewDesk]) -> ReviewDesk:
    """Three windows of events; production is right on three quarters of what was reviewed."""
    desk = new_desk(SETTINGS)
    desk.clock.advance(WINDOW - desk.clock.now() % WINDOW)
    for window in range(3):
        start = desk.clock.now()
        for number in range(40):
            name = f"w{window}-{number}"
            desk.ask(name, ttl=400.0, propensity=0.2)
            desk.clock.advance(1.0)
            answer = "no" if number % 4 == 0 else "yes"
            desk.label(name, answer if number < 36 else None, skip=number >= 36)
        publish(desk, start)
        desk.clock.advance(WINDOW - 40.0)
        desk.step(4)
    return desk


def publish(desk: ReviewDesk, start: float) -> None:
    stats = WindowStats(
        pipeline="orders",
        partition=0,
        window_start=datetime.fromtimestamp(start, UTC),
        window_seconds=WINDOW,
        events=200,
        routed=40,
        unreachable=0,
        sum_expected_correct=120.0,
        sum_propensity=40.0,
    )
    desk.writer.send(desk.topics.windows, stats.to_bytes(), key=b"0")


def board(desk: ReviewDesk) -> Board:
    assert desk.role._board is not None
    return desk.role._board


def test_numbers_over_everything(busy: ReviewDesk) -> None:
    found = board(busy).numbers(None)

    assert [round(value, 2) for _, value in found.throughput] == [2.0, 2.0, 2.0]
    assert found.routed_ratio == 0.2
    assert [value for _, value in found.routed] == [0.2, 0.2, 0.2]
    assert found.budget == 0.2
    (person,) = found.pace
    assert (person.name, person.last_hour, person.total, person.passed) == ("person", 108, 120, 12)
    assert person.seconds == pytest.approx(1.0)
    assert found.latency[0][1] == pytest.approx(1.0)
    assert found.waiting[-1][1] == 12
    assert found.end - found.start == 3 * WINDOW


def test_accuracy_comes_when_windows_have_matured(busy: ReviewDesk) -> None:
    assert board(busy).numbers(None).production.overall is not None
    assert len(board(busy).numbers(None).production.windows) == 1

    busy.pass_time(2 * WINDOW)

    found = board(busy).numbers(None)
    assert [value for _, value in found.production.windows] == pytest.approx([0.75] * 3, abs=0.05)
    moments = [at for at, _ in found.production.windows]
    assert moments == [found.start + WINDOW * (n + 0.5) for n in range(3)]
    # Too few labels in the first window for an interval that says anything.
    assert [at for at, *_ in found.production.running] == moments[1:]
    assert found.production.overall == found.production.running[-1][1:]
    value, low, high = found.production.running[-1][1:]
    assert low <= value <= high
    assert value == pytest.approx(0.75, abs=0.05)
    assert found.model.overall is not None
    assert found.model.overall[0] == pytest.approx(0.25, abs=0.05)


def test_a_range_shows_its_part_only(busy: ReviewDesk) -> None:
    found = board(busy).numbers(WINDOW)

    assert len(found.throughput) == 1
    assert found.start == found.end - WINDOW


def test_nothing_yet(desk: ReviewDesk) -> None:
    found = board(desk).numbers(None)

    assert found.routed_ratio is None
    assert found.production.overall is None
    assert found.pace == []
    assert {value for _, value in found.waiting} == {0.0}


def test_drift_is_on_the_page_with_its_mark(
    busy: ReviewDesk, signed_in: Callable[[ReviewDesk, str], Visitor]
) -> None:
    at = datetime.fromtimestamp(busy.clock.now() - WINDOW, UTC)
    drift = DriftEvent(
        pipeline="orders",
        detector="accuracy_shift",
        cause="production's accuracy fell",
        harmful=True,
        statistic=-0.2,
        low=-0.3,
        high=-0.1,
        window_start=at,
        window_seconds=WINDOW,
        detected_at=at,
    )
    busy.writer.send(busy.topics.drift, drift.to_bytes(), key=b"accuracy_shift")
    busy.writer.send(busy.topics.drift, b"rubbish", key=b"accuracy_shift")
    busy.step()
    visitor = signed_in(busy, "vic")

    page = visitor.get("/dashboard")
    assert page.text.count('class="mark"') == 2  # wide, and for phones
    assert "production's accuracy fell" in page.words
    assert "Sent to review 20.00% budget 20.00%" in page.words
    part = visitor.get("/dashboard?part=1&range=hour").text
    assert "<html" not in part
    assert "Reviewers" in part
    assert visitor.get("/dashboard?range=nonsense").status == 200


def test_the_view_catches_up_after_an_outage(busy: ReviewDesk) -> None:
    before = board(busy).numbers(None).routed_ratio
    busy.broker.available = False
    busy.step()
    busy.broker.available = True
    start = busy.clock.now()
    publish(busy, start - WINDOW)
    busy.step(4)

    after = board(busy).numbers(None)
    assert before == after.routed_ratio
    assert sum(value for _, value in after.throughput) == pytest.approx(8.0)
