"""Labelled events as a table, from the topics alone."""

from __future__ import annotations

import importlib
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from streamal.errors import SettingsInvalid, TopicsInvalid
from streamal.operations.export import COLUMNS, export
from streamal.operations.replay import replayed_view
from tests.unit.operations.conftest import Plant, asking_about_made_up_items


def rows_of(plant: Plant, path: Path, **period: float) -> list[dict[str, Any]]:
    count = export(plant.pipeline, path, **{"start": 0.0, "end": math.inf, **period})
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert len(rows) == count
    return rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def test_one_row_per_labelled_event(plant: Plant, table: Path) -> None:
    plant.create_topics()
    plant.run(200)
    rows = rows_of(plant, table)
    with replayed_view(plant.pipeline) as view:
        known = {each.review.event_id: each for each in view.measures.labelled(0, math.inf)}
    assert len(rows) == len(known) > 20
    assert {row["event_id"] for row in rows} == known.keys()
    for row in rows:
        review = known[row["event_id"]].review
        assert row["label"] == "ab"[int(row["event_id"][2:]) % 2]
        assert row["feature.x"] == review.features["x"]
        assert row["production_label"] == "a"
        assert row["probability.b"] == 0.4
        assert row["propensity"] == review.propensity
        assert row["weight"] == pytest.approx(1 / (row["propensity"] * row["response_rate"]))
        assert row["annotators"] == ["reviewer"] or len(row["annotators"]) == 1
        assert row["model_version"] == review.model.version
        assert row["occurred_at"] <= row["decided_at"] <= row["labelled_at"]
        assert list(row)[: len(COLUMNS)] == list(COLUMNS)


def test_a_made_up_item_is_marked_and_weighs_nothing(plant: Plant, table: Path) -> None:
    plant.pipeline = asking_about_made_up_items(plant)
    plant.create_topics()
    plant.run(200)
    rows = rows_of(plant, table)
    made_up = [row for row in rows if row["synthetic"]]
    events = [row for row in rows if not row["synthetic"]]
    assert made_up
    assert events
    for row in made_up:
        assert row["event_id"].startswith("synthetic:")
        assert row["weight"] == 0.0
        assert row["label"] == "a"
        assert 0 <= row["feature.x"] <= 6
        assert row["production_label"] is row["propensity"] is row["expected_correct"] is None
        assert row["production_name"] is None
    assert all(row["weight"] >= 1.0 for row in events)
    assert all(row["production_label"] == "a" for row in events)


def test_a_period_is_of_event_time(plant: Plant, table: Path) -> None:
    plant.create_topics()
    before = plant.clock.now()
    plant.run(60)
    plant.clock.advance(10_000)
    assert rows_of(plant, table, start=plant.clock.now()) == []
    assert rows_of(plant, table, end=before) == []
    assert rows_of(plant, table, start=before, end=before + 1) != []


def test_the_three_kinds_hold_the_same(plant: Plant, tmp_path: Path) -> None:
    plant.create_topics()
    plant.run(60)
    lines = rows_of(plant, tmp_path / "a.jsonl")
    export(plant.pipeline, tmp_path / "a.parquet", start=0, end=math.inf)
    export(plant.pipeline, tmp_path / "a.csv", start=0, end=math.inf)
    table = (
        importlib.import_module("pyarrow.parquet").read_table(tmp_path / "a.parquet").to_pylist()
    )
    assert [row["event_id"] for row in table] == [row["event_id"] for row in lines]
    assert [row["weight"] for row in table] == [row["weight"] for row in lines]
    assert table[0]["occurred_at"] == datetime.fromisoformat(lines[0]["occurred_at"])
    header, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert header.split(",")[: len(COLUMNS)] == list(COLUMNS)
    assert first.startswith(lines[0]["event_id"])


def test_a_target_that_will_not_do_is_named_before_anything_is_read(
    plant: Plant, tmp_path: Path
) -> None:
    with pytest.raises(SettingsInvalid, match=r"labels\.xlsx: can't write this kind"):
        export(plant.pipeline, tmp_path / "labels.xlsx", start=0, end=1)


def test_topics_must_be_there(plant: Plant, table: Path) -> None:
    with pytest.raises(TopicsInvalid):
        export(plant.pipeline, table, start=0, end=1)
    assert not table.exists()
