"""What a reviewer sees and what becomes of what they post."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.desk import ReviewDesk
from tests.support.visitor import Visitor

SignIn = Callable[[ReviewDesk, str], Visitor]


def test_an_item_shows_features_predictions_and_why(desk: ReviewDesk, signed_in: SignIn) -> None:
    for number in range(30):
        desk.ask(f"e{number}", features={"amount": float(number)}, priority=number / 100)
    desk.ask("top", priority=1.0, features={"amount": 28.5, "gone": None, "sure": True})
    desk.step()

    words = signed_in(desk, "lea").get("/review").words

    assert "amount 28.5 95% of recent events have less" in words
    assert "gone missing sure yes" in words
    assert "Production yes 60.0% no 40.0%" in words
    assert "Online model version 2 no 70.0% yes 30.0%" in words
    assert "It scored above the threshold." in words
    assert "Strategy margin Score 0.800 Threshold 0.750 Propensity 0.250" in words
    assert "scorer 7" in words


def test_blind_review_hides_why_from_reviewers_but_not_from_leads(
    desk: ReviewDesk, signed_in: SignIn
) -> None:
    desk.ask("e1", reason="exploration", priority=1.0)
    desk.ask("e2", reason="above_threshold", priority=0.9)
    desk.step()
    ana = signed_in(desk, "ana")

    for path in ("/review", "/item?id=e1", "/queue", "/review?reason=exploration"):
        page = ana.get(path)
        assert "exploration" not in page.words
        assert "0.800" not in page.words
        assert "random" not in page.words
    assert "e2" in ana.get("/queue?reason=exploration").words
    assert "drawn at random" in signed_in(desk, "lea").get("/item?id=e1").words


def test_without_blind_review_and_with_hidden_predictions(
    new_desk: Callable[..., ReviewDesk], signed_in: SignIn
) -> None:
    desk = new_desk({"console": {"blind_review": False, "hide_prediction": True}})
    desk.ask("e1", reason="exploration")
    desk.step()
    page = signed_in(desk, "ana").get("/review")

    assert "drawn at random" in page.words
    assert "Production" not in page.words
    assert "60.0%" not in page.words
    assert "Production" not in signed_in(desk, "ben").get("/queue").words


def test_answering_leads_to_the_next_item_and_offers_undo(
    desk: ReviewDesk, signed_in: SignIn
) -> None:
    desk.ask("e1", priority=0.9)
    desk.ask("e2")
    desk.step()
    ana = signed_in(desk, "ana")
    assert ana.get("/review?search=e").item == "e1"

    page = ana.answer("e1", "label:yes", back="/review?search=e", note="clear")
    assert page.item == "e2"
    assert "yes for e1 Undo" in page.words
    assert 'value="/review?search=e"' in page.text

    page = ana.post("/undo")
    assert page.item == "e1"
    assert "Undone: yes for e1." in page.words
    ana.post("/undo")
    assert "There is nothing to undo." in ana.post("/undo").words


def test_a_refused_answer_says_why_and_loses_nothing(desk: ReviewDesk, signed_in: SignIn) -> None:
    desk.ask("e1", ttl=10)
    desk.ask("e2", priority=0.1)
    desk.step()
    ana = signed_in(desk, "ana")
    ana.get("/review")
    desk.clock.advance(11)

    page = ana.answer("e1", "label:yes")

    assert "This item expired while it was open" in page.words
    assert page.item == "e2"
    assert "Nothing was chosen" in ana.answer("e2", "").words
    assert "cannot be used" in ana.answer("e2", "label:maybe").words
    assert "a number is needed" in ana.post("/answer", {"item": "e2", "choice": "value"}).words


def test_a_reviewer_is_only_sent_back_to_pages_of_ours(desk: ReviewDesk, signed_in: SignIn) -> None:
    ana = signed_in(desk, "ana")
    ana.get("/review")
    form = {"csrf": ana.csrf, "item": "x", "back": "https://evil.example/"}
    assert ana.ask("POST", "/answer", form).headers["location"] == "/review"


def test_an_item_that_somebody_holds_says_so(desk: ReviewDesk, signed_in: SignIn) -> None:
    desk.ask("e1")
    desk.step()
    signed_in(desk, "ana").get("/review")
    ben = signed_in(desk, "ben")

    assert "All done" in ben.get("/review").words
    assert "ana is working on this item." in ben.get("/item?id=e1").words
    assert ben.get("/item?id=e1").item is None
    assert ben.get("/item?id=none").status == 404
    ben.get("/review")
    assert '"held":false' in ben.post("/keep", {"item": "e1"}).text


def test_disagreements_are_shown_to_leads_with_the_answers(
    desk: ReviewDesk, signed_in: SignIn
) -> None:
    desk.ask("e1")
    desk.label("e1", "yes", note="looks right")
    desk.step()
    adjudication = {"asked_at": "2024-01-01T00:00:00Z", "answers": {"person": "yes", "b": "no"}}
    desk.ask("e1", adjudication=adjudication)
    desk.step()
    lea = signed_in(desk, "lea")

    page = lea.get("/adjudicate")
    assert "person yes looks right" in page.words
    assert "Adjudicate 1" in page.words
    page = lea.answer("e1", "label:no", verdict="1", back="/adjudicate")
    assert "No disagreements" in page.words
    desk.pass_time(5)
    assert desk.labels()[-1].adjudicates


def test_any_class_will_do_where_none_is_configured(
    new_desk: Callable[..., ReviewDesk], signed_in: SignIn
) -> None:
    desk = new_desk({"pipeline": {"classes": []}})
    desk.ask("e1")
    desk.ask("e0", ttl=3000)
    desk.label("e0", "seldom")
    desk.step()
    ana = signed_in(desk, "ana")

    text = ana.get("/review").text
    assert all(f'value="label:{name}"' in text for name in ("no", "yes", "seldom"))
    ana.post("/answer", {"item": "e1", "choice": "other", "other": "brand new"})
    desk.pass_time(5)

    assert desk.labels()[-1].label == "brand new"


def test_the_outage_is_shown_and_answers_wait(desk: ReviewDesk, signed_in: SignIn) -> None:
    desk.ask("e1")
    desk.ask("e2")
    desk.step()
    ana = signed_in(desk, "ana")
    ana.get("/review")
    ana.answer("e1", "label:yes")
    desk.broker.available = False
    desk.pass_time(10)

    page = ana.answer("e2", "label:no")
    assert "Kafka does not answer. Since" in page.words
    assert "(2 to send)" in page.words
    assert '"unsent":2' in ana.get("/status").text
    desk.broker.available = True
    desk.pass_time(10)
    desk.step()

    assert '"outage":null' in ana.get("/status").text
    assert [(label.event_id, label.label) for label in desk.labels()] == [
        ("e1", "yes"),
        ("e2", "no"),
    ]


def test_history_shows_ones_own_answers_and_leads_everybodys(
    desk: ReviewDesk, signed_in: SignIn
) -> None:
    desk.ask("e1")
    desk.ask("e2")
    desk.step()
    ana, ben = signed_in(desk, "ana"), signed_in(desk, "ben")
    ana.get("/review")
    ana.answer("e1", "label:yes", note="clear")
    ben.get("/review")
    ben.answer("e2", "skip")

    assert "e2" not in ana.get("/history").words
    assert "e2" not in ana.get("/history?annotator=ben").words
    lea = signed_in(desk, "lea")
    assert "ana e1 yes clear" in lea.get("/history").words
    assert "e1" not in lea.get("/history?annotator=ben").words
