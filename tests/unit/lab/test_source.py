"""Recorded rows as items: columns, rows without a label, limits, memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from streamal.core.types import Production
from streamal.errors import SettingsInvalid
from streamal.lab.source import Recording, survey


def written(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(recording: Recording) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        survey(recording)
    assert all("\n" not in line for line in caught.value.problems)
    return caught.value.problems


def test_columns_become_features_prediction_and_truth(tmp_path: Path) -> None:
    path = written(tmp_path, "x,p_a,p_b,said,truth\n1,0.25,0.75,b,a\n2,1,0,a,b\n")
    recording = Recording(path, "truth", prediction="said", probabilities="p_")
    first, second = recording.items()
    assert (first.features, first.label) == ({"x": 1}, "a")
    assert first.production == Production("b", {"a": 0.25, "b": 0.75})
    assert second.production == Production("a", {"a": 1.0, "b": 0.0})
    assert first.event_id != second.event_id


def test_without_production_all_other_columns_are_features(tmp_path: Path) -> None:
    (item,) = Recording(written(tmp_path, "x,said,truth\n1,b,1.0\n"), "truth").items()
    assert (item.features, item.production, item.label) == ({"x": 1, "said": "b"}, None, "1")


def test_the_most_probable_class_stands_in_for_a_missing_prediction_column(tmp_path: Path) -> None:
    path = written(tmp_path, "p_a,p_b,truth\n0.25,0.75,a\n")
    (item,) = Recording(path, "truth", probabilities="p_").items()
    assert item.production is not None
    assert item.production.label == "b"


def test_rows_without_a_label_are_left_out_and_do_not_shift_the_ids(tmp_path: Path) -> None:
    full = Recording(written(tmp_path, "x,t\n1,a\n2,b\n3,a\n"), "t")
    gaps = Recording(written(tmp_path, "x,t\n1,a\n2,\n3,a\n", "gaps.csv"), "t")
    ids = [item.event_id for item in full.items()]
    assert [item.event_id for item in gaps.items()] == [ids[0], ids[2]]


def test_the_limit_counts_labelled_rows(tmp_path: Path) -> None:
    recording = Recording(written(tmp_path, "x,t\n1,\n2,a\n3,b\n4,c\n"), "t", limit=2)
    found = survey(recording)
    assert (found.events, found.classes) == (2, ("a", "b"))


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (Recording(Path("no/such.csv"), "t"), ["no such file"]),
        (Recording(Path("data.csv"), "nope"), ["--label = 'nope': no such column; data.csv has"]),
        (Recording(Path("data.csv"), "t", prediction="nope"), ["--prediction = 'nope'"]),
        (Recording(Path("data.csv"), "t", prediction="t"), ["they must differ"]),
        (Recording(Path("data.csv"), "t", probabilities="q_"), ["--probabilities = 'q_'"]),
        (Recording(Path("data.csv"), "no", "nor", "q"), ["--label", "--prediction", "--prob"]),
        (Recording(Path("data.csv"), "same"), ["all rows have the same class"]),
        (Recording(Path("data.csv"), "empty"), ["no row has a label"]),
        (Recording(Path("data.csv"), "t", probabilities="p_"), ["data row 2", "sum to"]),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_said_in_one_line_each(
    recording: Recording, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "x,same,empty,t,p_a,p_b\n1,c,,a,0.5,0.5\n2,c,,b,0.5,0.6\n")
    text = "\n".join(problems(recording))
    assert all(word in text for word in words)


def test_a_row_without_production_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "x,said,t\n1,a,a\n2,,b\n")
    (line,) = problems(Recording(path, "t", prediction="said"))
    assert "data row 2" in line


def test_a_number_is_not_a_class_column(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n / 7}\n" for n in range(1500))
    (line,) = problems(Recording(written(tmp_path, "x,t\n" + rows), "t"))
    assert "more than 1000 different values" in line


def test_reading_needs_the_same_memory_however_long_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = written(tmp_path, "x,y,t\n" + "1.5,abc,a\n2.5,def,b\n" * (rows // 2))
        tracemalloc.start()
        assert survey(Recording(path, "t")).events == rows
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(20_000) < 2 * peak(1_000)
