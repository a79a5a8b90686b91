"""How the people are doing, read off the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamal.core.annotation import verdict_noise
from streamal.state import ConsensusRules, JudgeRules, PendingView

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


def test_nobody_yet(view: PendingView, make: Records) -> None:
    found = view.workforce(make.start)
    assert found.annotators == ()
    assert (found.alpha, found.annotator_noise, found.answer_noise) == (None, None, None)
    assert (found.quarantined, found.held, found.disputes) == (0, 0, 0)


def test_noise_of_final_answers_depends_on_their_votes(make: Records) -> None:
    rules = JudgeRules(ConsensusRules(classes=2))
    view = PendingView(":memory:", pipeline="orders", rules=rules)
    offset = 0

    def say(event_id: str, annotator: str, label: str, *, adjudicates: bool = False) -> None:
        nonlocal offset
        record = make.label(offset, event_id, label, annotator=annotator, adjudicates=adjudicates)
        view.register_labels([record])
        offset += 1

    for number in range(20):
        view.apply_reviews([make.review(number, f"e{number}", required=2)])
        say(f"e{number}", "ann", "good")
        say(f"e{number}", "bob", "bad" if number % 10 == 0 else "good")
    found = view.workforce(make.start)
    noise = found.annotator_noise
    assert noise is not None
    assert noise == pytest.approx((1 - (1 - 0.2) ** 0.5) / 2)
    assert found.answer_noise == pytest.approx(verdict_noise(noise, 2, 0, 2))
    assert found.disputes == 2
    for number in (0, 10):
        say(f"e{number}", "lead", "good", adjudicates=True)
    adjudicated = view.workforce(make.start)
    assert adjudicated.disputes == 0
    assert adjudicated.answer_noise == pytest.approx(verdict_noise(noise, 2, 0, 2) * 18 / 20)
    view.apply_reviews([make.review(20, "single")])
    say("single", "ann", "good")
    single = view.workforce(make.start)
    assert single.answer_noise is not None
    assert single.answer_noise > (adjudicated.answer_noise or 0)
    assert [each.name for each in single.annotators] == ["ann", "bob"]
    view.close()
