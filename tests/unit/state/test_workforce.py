"""How the people are doing, read off the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamal.core.annotation import verdict_error, verdict_noise
from streamal.state import ConsensusRules, JudgeRules, PendingView

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records


def test_nobody_yet(view: PendingView, make: Records) -> None:
    found = view.workforce(make.start)
    assert found.annotators == ()
    assert (found.alpha, found.annotator_noise, found.answer_noise) == (None, None, None)
    assert found.answer_error is None
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


def test_noise_of_numbers_is_in_their_unit(make: Records) -> None:
    view = PendingView(":memory:", pipeline="orders", rules=JudgeRules())
    offset = 0

    def say(event_id: str, annotator: str, value: float, *, adjudicates: bool = False) -> None:
        nonlocal offset
        record = make.label(
            offset, event_id, None, value=value, annotator=annotator, adjudicates=adjudicates
        )
        view.register_labels([record])
        offset += 1

    for number in range(20):
        view.apply_reviews([make.review(number, f"e{number}", required=2)])
        say(f"e{number}", "ann", 10.0 * number)
        say(f"e{number}", "bob", 10.0 * number + (2.0 if number % 2 else -2.0))
    found = view.workforce(make.start)
    assert found.alpha is not None
    assert found.alpha > 0.99
    assert (found.annotator_noise, found.answer_noise, found.kappas) == (None, None, {})
    assert found.answer_error == pytest.approx(verdict_error(2**0.5, 2))
    for number in range(10):
        say(f"e{number}", "lead", 10.0 * number, adjudicates=True)
    assert view.workforce(make.start).answer_error == pytest.approx(verdict_error(2**0.5, 2) / 2)
    view.close()
