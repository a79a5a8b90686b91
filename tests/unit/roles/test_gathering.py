"""Records wait until a window of them has come together."""

from __future__ import annotations

import pytest

from streamal.core.types import DecisionWindow
from streamal.ports import Record
from streamal.roles.gathering import Gathering


def record(offset: int) -> Record:
    return Record("predictions", 0, offset, 0, None, b"{}", ())


def offsets(batches: list[list[Record]]) -> list[list[int]]:
    return [[each.offset for each in batch] for batch in batches]


def test_without_a_window_records_pass_as_they_come() -> None:
    gathering = Gathering(None)
    assert offsets(gathering.add([record(7), record(8)], 0.0)) == [[7, 8]]
    assert gathering.add([], 0.0) == []
    assert gathering.overdue(1e9) == []
    assert len(gathering) == 0


def test_a_window_is_cut_when_it_is_full() -> None:
    gathering = Gathering(DecisionWindow(3, 60.0))
    batches = [offsets(gathering.add([record(number)], 0.0)) for number in range(7)]
    assert batches == [[], [], [[0, 1, 2]], [], [], [[3, 4, 5]], []]
    assert len(gathering) == 1
    together = offsets(gathering.add([record(number) for number in range(7, 13)], 0.0))
    assert together == [[6, 7, 8], [9, 10, 11]]
    assert len(gathering) == 1


@pytest.mark.parametrize(("elapsed", "cut"), [(59.9, []), (60.0, [[0, 1]]), (1e6, [[0, 1]])])
def test_the_first_record_waits_no_longer_than_its_time(
    elapsed: float, cut: list[list[int]]
) -> None:
    gathering = Gathering(DecisionWindow(3, 60.0))
    gathering.add([record(0)], 1000.0)
    gathering.add([record(1)], 1050.0)
    assert offsets(gathering.overdue(1000.0 + elapsed)) == cut


def test_the_next_window_has_a_time_of_its_own() -> None:
    gathering = Gathering(DecisionWindow(2, 60.0))
    for number in range(2):
        gathering.add([record(number)], 0.0)
    gathering.add([record(2)], 50.0)
    assert gathering.overdue(100.0) == []
    assert offsets(gathering.overdue(110.0)) == [[2]]


def test_what_is_cleared_is_not_decided() -> None:
    gathering = Gathering(DecisionWindow(2, 60.0))
    gathering.add([record(0)], 0.0)
    gathering.clear()
    assert gathering.overdue(1e9) == []
    assert offsets(gathering.add([record(0)], 2e9) + gathering.add([record(1)], 2e9)) == [[0, 1]]
