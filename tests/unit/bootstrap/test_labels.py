"""Labels from settings: gold items, rules, and problems told in one line."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import pytest

from streamal.bootstrap.labels import check_labels, gold_items, gold_share, judge_rules, label_rules
from streamal.bootstrap.parts import learner_digest
from streamal.errors import SettingsInvalid
from streamal.settings import Settings


def settings(labels: dict[str, Any] | None = None, **sections: Any) -> Settings:  # noqa: ANN401 - any
    return Settings.model_validate({"labels": labels or {}, **sections})


def written(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "gold.csv"
    path.write_text(text, encoding="utf-8")
    return {"gold": {"path": str(path)}}


def problem(labels: dict[str, Any], **sections: Any) -> str:  # noqa: ANN401 - any
    with pytest.raises(SettingsInvalid) as caught:
        check_labels(settings(labels, **sections))
    (line,) = caught.value.problems
    return line


def test_without_a_file_there_are_no_gold_items() -> None:
    assert gold_items(settings()) == ()
    assert gold_share(settings()) is None


def test_gold_items_are_read_with_what_to_show(tmp_path: Path) -> None:
    labels = written(tmp_path, "x,y,label,prediction\n1,a,yes,no\n2,b,0,\n")
    first, second = gold_items(settings(labels))
    assert (first.features, first.answer, first.shown) == ({"x": 1, "y": "a"}, "yes", "no")
    assert (second.features, second.answer, second.shown) == ({"x": 2, "y": "b"}, "0", None)
    assert judge_rules(settings(labels)).gold == {first.item: "yes", second.item: "0"}
    share = gold_share(settings(labels))
    assert share is not None
    assert share.share == 0.02


def test_an_item_keeps_its_id_wherever_its_row_stands(tmp_path: Path) -> None:
    one = gold_items(settings(written(tmp_path, "x,y,label\n1,a,yes\n2,b,no\n")))
    other = gold_items(settings(written(tmp_path, "y,label,x\nb,no,2\na,yes,1\n")))
    assert {item.item for item in one} == {item.item for item in other}


def test_gold_numbers_of_a_regression(tmp_path: Path) -> None:
    pipeline = {"task": "regression", "tolerance": 0.5}
    labels = written(tmp_path, "x,label\n1,2.5\n2,3\n")
    found = judge_rules(settings(labels, pipeline=pipeline))
    assert set(found.gold.values()) == {2.5, 3.0}
    assert found.consensus.tolerance == 0.5
    assert judge_rules(settings()).consensus.tolerance == math.inf
    wrong = written(tmp_path, "x,label\n1,many\n")
    assert problem(wrong, pipeline=pipeline).endswith("row 1: 'many' is no number")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x,label\n1,\n", "row 1: has nothing in column label (labels.gold.label)"),
        ("x,answer\n1,yes\n", "row 1: has nothing in column label (labels.gold.label)"),
        ("x,label\n1,yes\n1,no\n", "row 2: another row has the same features and another answer"),
        ("x,label\n1,maybe\n", "row 1: 'maybe' is none of pipeline.classes"),
        ("x,label\n", "has no rows"),
    ],
)
def test_gold_files_that_cannot_be_used(tmp_path: Path, text: str, line: str) -> None:
    found = problem(written(tmp_path, text), pipeline={"classes": ["yes", "no"]})
    assert found.startswith("labels.gold.path")
    assert found.endswith(line)


def test_a_gold_file_that_is_not_there() -> None:
    assert problem({"gold": {"path": "/no/gold.csv"}}) == (
        "labels.gold.path = '/no/gold.csv': no such file"
    )


def test_dawid_skene_needs_crowd_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    assert problem({"consensus": "dawid_skene"}) == (
        "labels.consensus = 'dawid_skene': needs crowd-kit; install streamal[consensus]"
    )


def test_weights_need_a_total_order_of_labels() -> None:
    line = problem({"consensus": "weighted"}, topics={"labels_partitions": 3})
    assert line.startswith("labels.consensus = 'weighted': needs topics.labels_partitions = 1")
    check_labels(settings({"consensus": "majority"}, topics={"labels_partitions": 3}))


def test_the_guard_is_on_unless_told_otherwise() -> None:
    guard = judge_rules(settings()).guard
    assert guard.detector is not None
    assert (guard.detector.threshold, guard.least_comparisons) == (0.6, 10)
    off = judge_rules(settings({"guard": {"enabled": False}})).guard
    assert off.detector is None


def test_annotators_and_leads_may_come_as_text() -> None:
    rules = label_rules(settings({"annotators": "ann, bob", "leads": "lead"}))
    assert rules.annotators == frozenset({"ann", "bob"})
    assert rules.leads == frozenset({"lead"})


def test_how_answers_combine_starts_a_new_lineage_and_who_answers_does_not() -> None:
    usual = learner_digest(settings())
    assert learner_digest(settings({"annotators": ["ann"], "leads": ["bob"]})) == usual
    assert learner_digest(settings({"required": 3, "overlap": 0.1})) == usual
    for changes in ({"consensus": "weighted"}, {"min_confidence": 0.7}):
        assert learner_digest(settings(changes)) != usual
    assert learner_digest(settings({"guard": {"min_agreement": 0.5}})) != usual
