"""What differs is told from what chance, or the hour of the day, explains."""

from __future__ import annotations

import math

import pytest
from numpy.random import Generator, default_rng

from streamal.core.drift.comparison import (
    Cells,
    adjusted,
    cells_of,
    compare,
    dispersion,
    median,
)
from streamal.core.drift.table import Table


def numbers(random: Generator, mean: float = 0.0, count: int = 2000) -> Table:
    table = Table(64)
    table.add_numbers(random.normal(mean, 1, count))
    return table


def test_numbers_are_put_into_about_ten_equal_cells() -> None:
    cells = cells_of(numbers(default_rng(1), count=10_000), 0, numbers(default_rng(2)), 0)
    assert 6 <= len(cells.reference) <= 10
    assert max(cells.reference) < 0.3 * sum(cells.reference)
    assert sum(cells.now) == 2000


def test_p_values_are_uniform_when_nothing_differs() -> None:
    random = default_rng(3)
    reference = numbers(random, count=10_000)
    values = [
        compare(cells_of(reference, 0, numbers(random, count=500), 0)).p_value for _ in range(400)
    ]
    for share in (0.05, 0.2, 0.5, 0.8):
        expected = 400 * share
        spread = 4 * math.sqrt(400 * share * (1 - share))
        assert abs(sum(value < share for value in values) - expected) < spread + 12


@pytest.mark.parametrize("shift", [0.3, -0.3, 2.0])
def test_a_shifted_mean_is_certain_and_large_shifts_are_larger(shift: float) -> None:
    random = default_rng(4)
    found = compare(cells_of(numbers(random), 0, numbers(random, shift), 0))
    assert found.p_value < 1e-6
    assert found.stability_index > 0.05
    assert (found.stability_index > 0.25) == (shift == 2.0)


def test_more_missing_values_are_a_difference_of_their_own() -> None:
    random = default_rng(5)
    found = compare(cells_of(numbers(random), 20, numbers(random), 700))
    assert found.p_value < 1e-12


def test_new_categories_are_a_difference() -> None:
    before, now = Table(8), Table(8)
    for n in range(1000):
        before.add(["ab"[n % 2]])
        now.add(["new" if n % 10 == 0 else "ab"[n % 2]])
    found = compare(cells_of(before, 0, now, 0))
    assert found.p_value < 1e-9
    assert found.stability_index > 0.1


def test_windows_that_always_differ_have_to_differ_more() -> None:
    """Two kinds of hours: each window lies far from the mean of both, and that is normal."""
    random = default_rng(6)
    means = (-0.5, 0.5) * 6
    parts = [numbers(random, mean) for mean in means]
    pooled = Table(64)
    for part in parts:
        pooled.merge(part)
    inflation = dispersion([cells_of(pooled, 0, part, 0) for part in parts])
    assert inflation > 10
    cells = cells_of(pooled, 0, numbers(random, 0.5), 0)
    assert compare(cells).p_value < 1e-6
    assert compare(cells, inflation, len(parts)).p_value > 0.01
    elsewhere = cells_of(pooled, 0, numbers(random, 3.0), 0)
    assert compare(elsewhere, inflation, len(parts)).p_value < 1e-4


def test_nothing_to_compare_is_no_difference() -> None:
    assert compare(Cells((), ())).p_value == 1.0
    assert compare(Cells((10.0,), (5.0,))).p_value == 1.0
    assert compare(Cells((10.0, 5.0), (0.0, 0.0))).p_value == 1.0
    assert dispersion([]) == 1.0


def test_adjustment_is_that_of_benjamini_and_yekutieli() -> None:
    p_values = {"d": 0.5, "a": 0.001, "c": 0.03, "b": 0.002}
    penalty = 1 + 1 / 2 + 1 / 3 + 1 / 4
    assert adjusted(p_values) == {
        "d": pytest.approx(min(1.0, 0.5 * penalty)),
        "a": pytest.approx(0.002 * 4 / 2 * penalty),
        "c": pytest.approx(0.03 * 4 / 3 * penalty),
        "b": pytest.approx(0.002 * 4 / 2 * penalty),
    }
    assert adjusted({}) == {}


def test_a_median_is_right_to_within_a_bin() -> None:
    table = numbers(default_rng(8), mean=100.0)
    found = median(table)
    assert found is not None
    assert found == pytest.approx(100.0, rel=0.02)
    assert median(Table(8)) is None
