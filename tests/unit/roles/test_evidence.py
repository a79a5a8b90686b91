"""From reviews to what estimation takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamal.core.estimation import Response
from streamal.roles.evidence import (
    cell,
    labelled_items,
    model_correct,
    model_foresaw,
    production_correct,
    responses,
    totals,
)
from streamal.state.measures import ReviewOutcome

ANSWERED = ReviewOutcome(
    event_id="e",
    occurred_at=0.0,
    decided_at=1.0,
    expires_at=100.0,
    propensity=0.25,
    expected_correct=0.75,
    reason="exploration",
    production_label="yes",
    model_label="no",
    label="yes",
    value=None,
    answered_at=5.0,
)
WAITING = replace(ANSWERED, event_id="w", label=None, answered_at=None)


def test_production_and_model_are_judged_by_what_they_had_said() -> None:
    assert production_correct(ANSWERED)
    assert not model_correct(ANSWERED)
    assert model_correct(replace(ANSWERED, label="no"))
    assert not model_correct(replace(ANSWERED, model_label=None))


@pytest.mark.parametrize(
    ("said", "label", "foresaw"),
    [
        ("right", "yes", True),
        ("right", "no", False),
        ("wrong", "no", True),
        ("wrong", "yes", False),
        (None, "yes", False),
    ],
)
def test_a_model_of_errors_is_judged_by_whether_it_foresaw_them(
    said: str | None, label: str, *, foresaw: bool
) -> None:
    assert model_foresaw(replace(ANSWERED, model_label=said, label=label)) is foresaw


def test_lost_increments_leave_no_totals() -> None:
    assert totals(2, 1.5, 3) is None
    found = totals(3, 3.0001, 3)
    assert found is not None
    assert found.sum_expected_correct == 3


def test_only_answers_are_items_and_all_reviews_are_responses() -> None:
    items = labelled_items([ANSWERED, WAITING], production_correct, use_expectation=True)
    assert (items.correct.tolist(), items.expected_correct.tolist()) == ([1.0], [0.75])
    assert items.stratum == ("exploration",)
    late = replace(WAITING, reason="above_threshold")
    assert responses([ANSWERED, WAITING, late]) == {
        "exploration": Response(2, 1),
        "above_threshold": Response(1, 0),
    }


def test_a_cell_without_an_expectation_uses_none() -> None:
    part = cell([ANSWERED, WAITING], production_correct, 40, None)
    assert part.items.expected_correct.tolist() == [0.0]
    assert part.totals is not None
    assert (part.totals.events, part.totals.sum_expected_correct) == (40, 0.0)
    used = cell([ANSWERED], production_correct, 40, 30.0)
    assert used.totals is not None
    assert used.totals.sum_expected_correct == 30.0
