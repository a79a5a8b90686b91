"""A regression in the console: people answer with numbers."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.desk import ReviewDesk
from tests.support.visitor import Visitor


def test_a_number_is_asked_for_checked_and_published(
    new_desk: Callable[..., ReviewDesk], signed_in: Callable[[ReviewDesk, str], Visitor]
) -> None:
    desk = new_desk(
        {
            "pipeline": {"task": "regression", "classes": []},
            "gate": {"strategy": "random"},
            "learner": {"name": "linear_regression"},
        }
    )
    for name in ("e1", "e2"):
        desk.ask(
            name,
            task="regression",
            prediction={"value": 3.25},
            model={"version": 1, "value": 2.5},
            expected_loss=0.4,
        )
    desk.step()
    ana = signed_in(desk, "ana")

    page = ana.get("/review")
    assert "Production 3.25" in page.words
    assert "Online model version 1 2.5" in page.words
    assert "The true value" in page.words
    assert "a number is needed" in ana.answer("e1", "value", value="many").words
    assert "cannot be used" in ana.answer("e1", "value", value="nan").words
    assert "cannot be used" in ana.answer("e1", "label:yes").words
    assert "-4.5 for e1" in ana.answer("e1", "value", value="-4.5").words
    desk.pass_time(5)

    assert [(label.event_id, label.value) for label in desk.labels()] == [("e1", -4.5)]
    assert ana.get("/dashboard").status == 200
