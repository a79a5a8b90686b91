"""Parquet through the optional extra `streamal[lab]`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from numpy.random import default_rng

from streamal.errors import SettingsInvalid
from streamal.lab.source import Recording, survey
from streamal.tabular import read_rows

Write = Callable[[dict[str, list[Any]]], Path]


@pytest.fixture
def arrow() -> ModuleType:
    pytest.importorskip("pyarrow.parquet", reason="pyarrow: the extra streamal[lab]")
    return importlib.import_module("pyarrow")


@pytest.fixture
def write(arrow: ModuleType, tmp_path: Path) -> Write:
    def written(columns: dict[str, list[Any]]) -> Path:
        path = tmp_path / "data.parquet"
        parquet = importlib.import_module("pyarrow.parquet")
        parquet.write_table(arrow.table(columns), path, row_group_size=700)
        return path

    return written


def test_values_become_features(write: Write) -> None:
    path = write(
        {
            "n": [1, None],
            "x": [0.5, float("nan")],
            "text": ["a", None],
            "flag": [True, False],
            "many": [[1.0, 2.0], []],
            "day": [date(2026, 3, 1), None],
            "at": [datetime(2026, 3, 1, 12), None],  # noqa: DTZ001 - as files have them
            "exact": [Decimal("1.50"), None],
        }
    )
    first, second = read_rows(path)
    assert first == {
        "n": 1,
        "x": 0.5,
        "text": "a",
        "flag": True,
        "many": (1.0, 2.0),
        "day": "2026-03-01",
        "at": "2026-03-01T12:00:00",
        "exact": 1.5,
    }
    assert {name for name, value in second.items() if value is None} == set(first) - {
        "flag",
        "many",
    }


def test_rows_keep_their_order_over_batches(write: Write) -> None:
    path = write({"n": list(range(2500)), "t": ["ab"[n % 2] for n in range(2500)]})
    assert [row["n"] for row in read_rows(path)] == list(range(2500))
    assert survey(Recording(path, "t")).events == 2500


def test_a_value_that_is_no_feature_is_named(write: Write) -> None:
    with pytest.raises(SettingsInvalid, match=r"row 2: b: must be a number, text"):
        list(read_rows(write({"b": [None, b"raw"]})))


@pytest.mark.usefixtures("arrow")
def test_what_is_no_parquet_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"not parquet at all")
    with pytest.raises(SettingsInvalid, match="cannot be read") as caught:
        list(read_rows(path))
    assert "\n" not in str(caught.value)


def test_arrow_holds_no_more_of_a_long_file_than_it_reads(write: Write, arrow: ModuleType) -> None:
    rng = default_rng(1)
    path = write({name: rng.random(40_000).tolist() for name in "abcd"})
    before = arrow.total_allocated_bytes()
    held = max(arrow.total_allocated_bytes() - before for _ in read_rows(path))
    assert held < path.stat().st_size / 4


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingsInvalid) as caught:
        list(read_rows(tmp_path / "data.PARQUET"))
    assert str(caught.value).endswith("reading Parquet needs pyarrow; install streamal[lab]")
