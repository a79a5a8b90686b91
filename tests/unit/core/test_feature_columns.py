"""Features by name: what counts as a number, a text and missing, whatever the other items have."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from streamal.core.features import LARGEST, FeatureColumns
from streamal.core.types import Features, FeatureValue

VALUES: list[FeatureValue] = [
    1.5,
    3,
    True,
    None,
    math.nan,
    math.inf,
    10**400,
    -2 * LARGEST,
    "text",
    "2.5",
    (1.0, 2.0),
    (math.nan,),
    (),
]


def plain(columns: FeatureColumns, number: int) -> dict[str, object]:
    """One item's part, without what it lacks."""
    numbers = {name: float(values[number]) for name, values in columns.numbers.items()}
    found: dict[str, object] = {name: x for name, x in numbers.items() if not math.isnan(x)}
    for name, texts in columns.texts.items():
        if texts[number] is not None:
            found[f"{name}="] = texts[number]
    return found


def missing(columns: FeatureColumns, number: int, names: set[str]) -> set[str]:
    lacking = {name for name, items in columns.missing.items() if items[number]}
    return lacking | (names - set(columns.names))


def test_an_item_is_the_same_whatever_is_beside_it() -> None:
    rng = random.Random(1)
    names = ["a", "a.0", "a.1", "b", "c", "d"]
    for _ in range(300):
        rows: list[Features] = [
            {name: rng.choice(VALUES) for name in rng.sample(names, rng.randint(0, 6))}
            for _ in range(rng.randint(1, 6))
        ]
        together = FeatureColumns(rows)
        for number, row in enumerate(rows):
            alone = FeatureColumns([row])
            assert plain(together, number) == plain(alone, 0)
            assert missing(together, number, set(names)) == missing(alone, 0, set(names))


def test_a_table_holds_all_numbers_in_one_piece() -> None:
    columns = FeatureColumns([{"x": 1, "y": True, "z": 0.5}, {"x": 2.0, "y": False, "z": -1}])
    assert columns.number_names == columns.names == ("x", "y", "z")
    assert columns.number_table.tolist() == [[1.0, 2.0], [1.0, 0.0], [0.5, -1.0]]
    assert columns.number_table.flags.c_contiguous
    assert columns.missing == {}


def test_a_list_lacks_nothing_while_one_entry_is_a_number() -> None:
    columns = FeatureColumns([{"v": (math.nan, 1.0)}, {"v": ()}, {"v": (math.inf,)}])
    assert columns.number_names == ("v.1",)
    assert columns.missing["v"].tolist() == [False, True, True]


def test_a_features_own_number_counts_before_a_lists_entry() -> None:
    rows: list[Features] = [{"v": (1.0, 2.0), "v.0": 9.0}, {"v.0": None, "v": (3.0,)}]
    assert FeatureColumns(rows).numbers["v.0"].tolist() == [9.0, 3.0]


@pytest.mark.parametrize("rows", [[], [{}], [{}, {}]])
def test_items_without_features_have_no_columns(rows: list[Features]) -> None:
    columns = FeatureColumns(rows)
    assert columns.number_table.shape == (0, len(rows))
    assert columns.names == ()
    assert not columns.numbers
    assert np.array(list(columns.missing)).size == 0
