"""Summaries add up over partitions and transactions, and go with their windows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.core.drift import Summary
from streamal.events import DataSummary, WindowStats
from streamal.ports import Record
from streamal.state.pending import PendingView


def increment(partition: int, start: float, values: list[float], *, counted: bool = True) -> bytes:
    summary = Summary(64, 8)
    for value in values:
        summary.add(1, {"feature.x": [value]})
    return WindowStats(
        pipeline="orders",
        partition=partition,
        window_start=datetime.fromtimestamp(start, UTC),
        window_seconds=60.0,
        events=len(values),
        routed=0,
        unreachable=0,
        sum_expected_correct=0.0,
        sum_propensity=0.0,
        summary=DataSummary.model_validate(summary.json()) if counted else None,
    ).to_bytes()


def record(offset: int, value: bytes) -> Record:
    return Record("windows", 0, offset, 0, None, value)


@pytest.fixture
def view() -> PendingView:
    return PendingView(":memory:", pipeline="orders")


def test_increments_of_all_gates_add_up_once(view: PendingView) -> None:
    records = [
        record(0, increment(0, 60.0, [1.0, 2.0])),
        record(1, increment(1, 60.0, [2.0, 300.0])),
        record(2, increment(0, 120.0, [7.0])),
        record(3, increment(0, 120.0, [8.0], counted=False)),
    ]
    view.apply_windows(records)
    view.apply_windows(records[:2])  # redelivered
    first, second = view.summaries.between(0.0, 1e9, 64, 8)
    assert (first.window_start, first.window_end) == (60.0, 120.0)
    expected = Summary(64, 8)
    for value in (1.0, 2.0, 2.0, 300.0):
        expected.add(1, {"feature.x": [value]})
    assert first.summary.json() == expected.json()
    assert second.summary.events == 1


def test_only_windows_that_lie_within_are_read(view: PendingView) -> None:
    view.apply_windows([record(k, increment(0, 60.0 * k, [1.0])) for k in range(5)])
    found = view.summaries.between(60.0, 230.0, 64, 8)
    assert [each.window_start for each in found] == [60.0, 120.0]


def test_summaries_go_with_their_windows_and_with_the_view(view: PendingView) -> None:
    view.apply_windows([record(k, increment(0, 60.0 * k, [1.0])) for k in range(5)])
    view.purge(200.0, {})
    assert [w.window_start for w in view.summaries.between(0, 1e9, 64, 8)] == [180.0, 240.0]
    view.reset()
    assert view.summaries.between(0, 1e9, 64, 8) == []
