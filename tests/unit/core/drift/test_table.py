"""Bins on which everybody agrees, in tables that add up."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from streamal.core.drift.table import Summary, Table, bin_of, bin_start
from streamal.core.types import FeatureValue

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(FINITE, st.sampled_from(["a", "b", "c"]), st.booleans(), st.none())


def table(values: Sequence[FeatureValue], limit: int = 64) -> Table:
    made = Table(limit)
    for value in values:
        made.add([value])
    return made


@given(FINITE, FINITE, st.integers(0, 19))
def test_bins_keep_the_order_of_numbers(a: float, b: float, level: int) -> None:
    low, high = sorted((a, b))
    assert bin_of(low, level) <= bin_of(high, level)
    assert bin_of(-a, level) == -bin_of(a, level)


@given(FINITE, st.integers(0, 18))
def test_a_coarser_bin_is_two_finer_ones(number: float, level: int) -> None:
    finer = bin_of(number, level)
    assert abs(bin_of(number, level + 1)) == abs(finer) >> 1


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_bins_are_narrow_for_the_size_of_the_number(number: float) -> None:
    start = bin_start(bin_of(number), 0)
    assert start <= number <= start * (1 + 2**-8)


@given(st.lists(VALUES), st.lists(VALUES), st.lists(VALUES))
def test_it_does_not_matter_which_gate_saw_what(
    a: list[FeatureValue], b: list[FeatureValue], c: list[FeatureValue]
) -> None:
    whole = table([*a, *b, *c])
    first = table(c)
    first.merge(table(a))
    first.merge(table(b))
    assert first.json() == whole.json()


def test_a_table_is_bounded_whatever_comes() -> None:
    random = default_rng(2)
    values = [*random.normal(0, 1, 5000), *random.lognormal(0, 20, 5000)]
    full = table([*values, *(f"id-{n}" for n in range(1000)), -1e308, 5e-324, 10**400])
    assert len(full.numbers) <= 64
    assert len(full.categories) <= 64
    assert full.total == 11_003
    assert len(json.dumps(full.json())) < 3_000


@pytest.mark.parametrize("centre", [1e-9, 0.5, 300.0, 2025.0, 1e12])
def test_numbers_far_from_zero_are_told_apart(centre: float) -> None:
    near = table([centre * (1 + k / 100) for k in range(10)])
    assert len(near.numbers) >= 4


def test_values_find_their_place_by_what_they_are() -> None:
    mixed = table([1, 1.0, True, False, "x", None, (3.0, 4.0), "y" * 200, "y" * 201])
    assert mixed.numbers == {bin_of(1.0): 2, bin_of(5.0): 1}
    assert {name: mixed.categories[name] for name in ("true", "false", "x")} == {
        "true": 1,
        "false": 1,
        "x": 1,
    }
    assert len(mixed.categories) == 5
    assert all(len(name) <= 64 for name in mixed.categories)
    assert mixed.total == 8


def test_the_frequent_categories_are_kept_and_the_others_counted() -> None:
    merged = table(["a"] * 5 + ["b"] * 3 + ["c"], limit=3)
    merged.merge(table(["d"] * 4 + ["e"], limit=3))
    assert merged.categories == {"a": 5, "b": 3, "d": 4}
    assert merged.other == 2


def test_a_summary_counts_what_is_missing_and_travels_as_json() -> None:
    summary = Summary(limit=16, most_features=3)
    summary.add(1, {})
    summary.add(
        9,
        {
            "x": np.arange(1.0, 10.0),
            "kind": ["a" if n % 2 else None for n in range(1, 10)],
            "late": [1.0] * 9,
        },
    )
    assert (summary.events, summary.missing("x"), summary.missing("kind")) == (10, 1, 5)
    assert summary.missing("never") == 10
    read = Summary.read(json.loads(json.dumps(summary.json())), 16, 3)
    assert read.json() == summary.json()


def test_of_too_many_variables_every_gate_keeps_the_same() -> None:
    one, other = Summary(8, 2), Summary(8, 2)
    one.add(1, {"feature.c": [1.0], "feature.a": [1.0], "feature.b": [1.0], "class": ["x"]})
    other.add(1, {"feature.b": [2.0], "feature.d": [1.0]})
    other.merge(one)
    assert sorted(one.tables) == sorted(other.tables) == ["class", "feature.a", "feature.b"]


@given(st.lists(VALUES | FINITE, max_size=60), st.integers(1, 20), st.integers(2, 8))
def test_values_count_alike_one_by_one_and_together(
    values: list[FeatureValue], size: int, limit: int
) -> None:
    together = Table(limit)
    for start in range(0, len(values), size):
        together.add(values[start : start + size])
    assert together.json() == table(values, limit).json()


def test_a_wider_table_read_within_a_smaller_limit_becomes_coarser() -> None:
    wide = table([math.exp(k / 10) for k in range(60)])
    narrow = Table.read(wide.json(), limit=10)
    assert len(narrow.numbers) <= 10
    assert narrow.total == wide.total
