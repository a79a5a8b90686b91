"""Whose answers count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streamal.errors import Reject
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.roles.label_rules import LabelRules
from streamal.roles.rules import ClassRules

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TASK = ClassRules(frozenset({"yes", "no"}))


def label(annotator: str = "ann", **fields: Any) -> LabelEvent:  # noqa: ANN401 - any field
    return LabelEvent(
        event_id="e",
        label=fields.pop("label", "yes"),
        annotator=annotator,
        labelled_at=NOON,
        **fields,
    )


def ruling(lead: str) -> AnnotatorRuling:
    return AnnotatorRuling(annotator="ann", ruling="release", ruled_by=lead, ruled_at=NOON)


def reason(rules: LabelRules, content: LabelEvent | AnnotatorRuling) -> str | None:
    try:
        rules.check(content)
    except Reject as reject:
        return reject.reason
    return None


def test_empty_lists_accept_anybody() -> None:
    rules = LabelRules(TASK)
    assert reason(rules, label("anybody")) is None
    assert reason(rules, label("anybody", adjudicates=True)) is None
    assert reason(rules, ruling("anybody")) is None


def test_known_annotators_and_leads_answer() -> None:
    rules = LabelRules(TASK, frozenset({"ann"}), frozenset({"lead"}))
    assert reason(rules, label("ann")) is None
    assert reason(rules, label("lead")) is None
    assert reason(rules, label("mal")) == "unknown_annotator"


@pytest.mark.parametrize(("name", "expected"), [("lead", None), ("ann", "not_a_lead")])
def test_only_leads_adjudicate_and_rule(name: str, expected: str | None) -> None:
    rules = LabelRules(TASK, leads=frozenset({"lead"}))
    assert reason(rules, label(name, adjudicates=True)) == expected
    assert reason(rules, ruling(name)) == expected
    assert reason(rules, label(name)) is None


def test_the_task_has_its_say_too() -> None:
    assert reason(LabelRules(TASK), label("ann", label="perhaps")) == "unknown_class"
