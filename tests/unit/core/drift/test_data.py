"""Data drift: found where it is, named, raised once, and not made up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from numpy.random import Generator, default_rng

from streamal.core.drift import DataDrift, DataDriftOptions, Summary, VariableShift

OPTIONS = DataDriftOptions(
    sliding=False,
    reference_windows=8,
    false_alarm_rate=0.001,
    least_shift=0.1,
    limit=64,
    most_features=32,
)


def window(
    random: Generator, *, shift: float = 0.0, new: float = 0.0, missing: float = 0.0
) -> Summary:
    summary = Summary(64, 32)
    for _ in range(500):
        values: dict[str, float | str | None] = {
            f"x{n}": float(random.normal(shift if n == 3 else 0.0, 1)) for n in range(8)
        }
        values["kind"] = "new" if random.random() < new else str(random.choice(["a", "b"]))
        values["gone"] = None if random.random() < missing else 1.0
        summary.add(1, {name: [value] for name, value in values.items()})
    return summary


def course(drift: DataDrift, windows: list[Summary]) -> list[list[VariableShift]]:
    return [
        drift.close(each, windows[max(0, number - 8) : number])
        for number, each in enumerate(windows)
    ]


@pytest.mark.parametrize("sliding", [False, True])
def test_nothing_is_raised_while_nothing_changes(sliding: bool) -> None:
    random = default_rng(1)
    drift = DataDrift(replace(OPTIONS, sliding=sliding, least_shift=0.0))
    assert not any(course(drift, [window(random) for _ in range(60)]))


@pytest.mark.parametrize("sliding", [False, True])
def test_the_variable_that_changed_is_named_once(sliding: bool) -> None:
    random = default_rng(2)
    windows = [window(random) for _ in range(12)]
    windows += [window(random, shift=1.0) for _ in range(4)]
    found = course(DataDrift(replace(OPTIONS, sliding=sliding)), windows)
    assert not any(found[:12])
    (shift,) = found[12]
    assert shift.variable == "x3"
    assert shift.stability_index > 0.25
    assert shift.p_value <= OPTIONS.false_alarm_rate
    assert "median" in shift.detail
    assert not any(found[13:])


def test_new_categories_and_missing_values_are_said_to_be_so() -> None:
    random = default_rng(3)
    windows = [window(random) for _ in range(10)]
    windows += [window(random, new=0.2, missing=0.5)]
    found = {shift.variable: shift.detail for shift in course(DataDrift(OPTIONS), windows)[-1]}
    assert found["kind"] == "new: 'new'"
    assert found["gone"].startswith("missing 0.0% -> ")
    assert found.keys() == {"kind", "gone"}


def test_a_variable_is_raised_again_after_it_has_looked_normal() -> None:
    random = default_rng(4)
    shifts = [0.0] * 9 + [1.0, 1.0, 0.0, 1.0]
    found = course(DataDrift(OPTIONS), [window(random, shift=shift) for shift in shifts])
    assert [len(each) for each in found[9:]] == [1, 0, 0, 1]


def test_a_sliding_reference_gets_used_to_a_change_and_a_frozen_one_does_not() -> None:
    random = default_rng(5)
    shifts = [0.0] * 9 + [1.0] * 12 + [0.0]
    windows = [window(random, shift=shift) for shift in shifts]
    sliding = course(DataDrift(replace(OPTIONS, sliding=True)), windows)
    frozen = course(DataDrift(OPTIONS), windows)
    assert [shift.variable for shift in sliding[-1]] == ["x3"]
    assert not frozen[-1]


def test_a_small_shift_is_certain_and_still_no_alarm() -> None:
    random = default_rng(6)
    windows = [window(random) for _ in range(8)]
    big = Summary(64, 32)
    for _ in range(12):
        big.merge(window(random, shift=0.15))
    drift = DataDrift(OPTIONS)
    drift.close(windows[-1], windows)
    assert not drift.close(big, [])
    assert drift.measured["x3"].p_value < OPTIONS.false_alarm_rate
    assert 0 < drift.measured["x3"].stability_index < OPTIONS.least_shift


@pytest.mark.parametrize("sliding", [False, True])
def test_a_new_leader_goes_on_where_the_last_one_stopped(sliding: bool) -> None:
    random = default_rng(7)
    shifts = [0.0] * 10 + [1.0] * 3 + [0.0, 1.0]
    windows = [window(random, shift=shift) for shift in shifts]
    options = replace(OPTIONS, sliding=sliding)
    whole = course(DataDrift(options), windows)
    state = json.dumps(DataDrift(options).state())
    for number, each in enumerate(windows):
        drift = DataDrift(options)
        drift.restore(json.loads(state))
        assert drift.close(each, windows[max(0, number - 8) : number]) == whole[number]
        state = json.dumps(drift.state())
    assert any(whole)


def test_a_frozen_reference_outlives_the_windows_it_was_made_of() -> None:
    random = default_rng(8)
    windows = [window(random) for _ in range(9)]
    drift = DataDrift(OPTIONS)
    course(drift, windows)
    assert not drift.needs_windows
    later = DataDrift(OPTIONS)
    later.restore(json.loads(json.dumps(drift.state())))
    assert [s.variable for s in later.close(window(random, shift=1.0), [])] == ["x3"]
    assert len(json.dumps(drift.state())) < 20_000
