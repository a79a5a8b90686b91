"""The demo's stream: which data it takes, and the drift that is put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamal.core.types import Features
from streamal.demo.data import Item, built_in, from_file, with_drift
from streamal.errors import SettingsInvalid


def csv(tmp_path: Path, lines: list[str], name: str = "data.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_built_in_data_is_what_it_is_said_to_be() -> None:
    items = built_in()
    assert len(items) == 49_097
    assert {len(item.features) for item in items[:100]} == {9}
    assert {item.label for item in items} == {"0", "1"}
    assert sum(item.label == "1" for item in items) / len(items) == pytest.approx(0.07, abs=0.005)


def test_rows_without_a_label_are_left_out_and_the_label_is_no_feature(tmp_path: Path) -> None:
    lines = ["x,y,outcome"] + [f"{n},red,{n % 2}" for n in range(500)] + ["1,red,", "2,red,NA"]
    items = from_file(csv(tmp_path, lines), "outcome")
    assert len(items) == 500
    assert items[3] == Item({"x": 3, "y": "red"}, "1")


@pytest.mark.parametrize(
    ("lines", "label", "words"),
    [
        (["x,y", "1,a"], None, "--label is missing"),
        (["x,y", "1,a"], "z", "--label = 'z': no such column; allowed: x, y"),
        (["x,y", "1,a", "2,b"], "y", "2 labelled rows; at least 500 are needed"),
        (["x,y"] + ["1,a"] * 600, "y", "all rows have the same class"),
        (["x,y", "1"], "y", "another number of cells"),
    ],
)
def test_data_that_cannot_be_used(
    lines: list[str], label: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        from_file(csv(tmp_path, lines), label)
    assert words in str(caught.value)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="no such file"):
        from_file(tmp_path / "missing.csv", "y")
    with pytest.raises(SettingsInvalid, match="cannot read this kind"):
        from_file(csv(tmp_path, ["x"], "data.xlsx"), "y")
    lists = csv(tmp_path, ['{"x": 1, "y": [1]}'], "data.jsonl")
    with pytest.raises(SettingsInvalid, match="not a class"):
        from_file(lists, "y")


def stream(rows: int = 400) -> list[Item]:
    """`strong` and `weak` tell the classes apart, in this order; `noise` and `even` do not."""

    def features(n: int) -> Features:
        return {
            "noise": n // 2 % 5,
            "strong": 10.0 * (n % 2) + n // 2 % 3,
            "even": 7,
            "weak": 1.0 * (n % 2) + n // 2 % 3,
            "text": "red",
            "flag": n % 2 == 0,
        }

    return [Item(features(n), "ab"[n % 2]) for n in range(rows)]


def test_the_two_features_that_separate_best_are_mirrored_and_named() -> None:
    before = stream()
    after, words = with_drift(before, at=100)
    assert words == "the readings of strong and weak are mirrored"
    for old, new in zip(before, after, strict=True):
        changed = {name for name in old.features if old.features[name] != new.features[name]}
        assert changed <= {"strong", "weak"}
        assert new.label == old.label
    late = list(zip(before, after, strict=True))[100:]
    assert any(old.features["strong"] != new.features["strong"] for old, new in late)
    assert any(old.features["weak"] != new.features["weak"] for old, new in late)


@pytest.mark.parametrize("at", [0, 1, 200, 400])
def test_the_drift_begins_where_it_is_put(at: int) -> None:
    before = stream()
    after, _ = with_drift(before, at=at)
    changed = [n for n in range(400) if before[n] != after[n]]
    assert all(n >= at for n in changed)
    assert (at in changed) == (at < 400)


def test_mirroring_at_the_median_keeps_the_middle_where_it_is() -> None:
    before = stream()
    after, _ = with_drift(before, at=0)
    for old, new in zip(before, after, strict=True):
        total = float(str(old.features["strong"])) + float(str(new.features["strong"]))
        assert total == pytest.approx(12.0)  # twice the median of 0, 1, 2, 10, 11 and 12


def test_the_input_is_left_alone() -> None:
    before = stream()
    with_drift(before, at=0)
    assert before == stream()


def test_missing_values_stay_missing() -> None:
    items = [Item({"x": None if n % 3 else float(n)}, "ab"[n % 2]) for n in range(30)]
    after, _ = with_drift(items, at=0)
    assert [item.features["x"] is None for item in after] == [
        item.features["x"] is None for item in items
    ]


def test_one_numeric_feature_is_enough_and_none_is_not() -> None:
    _, words = with_drift([Item({"x": n, "t": "u"}, "ab"[n % 2]) for n in range(10)], at=5)
    assert words == "the readings of x are mirrored"
    with pytest.raises(SettingsInvalid, match="no numeric column"):
        with_drift([Item({"t": "u", "b": True}, "a")], at=0)
