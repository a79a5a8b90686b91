"""The console as people use it: keys, undo, two at once, expiry, an outage, phones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.support.desk import ReviewDesk

if TYPE_CHECKING:
    from tests.browser.conftest import Visits

pytestmark = pytest.mark.timeout(180)
PHONE = (390, 844)


def ask(desk: ReviewDesk, *names: str, **fields: object) -> None:
    """Ask for reviews, the first to come first."""
    for rank, name in enumerate(names):
        desk.ask(name, priority=0.9 - rank / 100, **fields)  # type: ignore[arg-type]  # any


def shown(page: Page, name: str) -> None:
    expect(page.locator("#item-id")).to_have_text(name)


def settle(desk: ReviewDesk, count: int) -> list[tuple[str, str | None]]:
    """Let the time for undoing pass; what is on the topic then."""
    desk.clock.advance(6)
    for _ in range(500):
        labels = desk.labels()
        if len(labels) >= count:
            break
        desk.done.wait(0.02)
    return [(label.event_id, label.label) for label in desk.labels()]


def test_ten_items_are_labelled_by_keyboard_alone(desk: ReviewDesk, visits: Visits) -> None:
    names = [f"order-{n}" for n in range(10)]
    ask(desk, *names)
    page = visits.open(desk)
    page.keyboard.type("token of ana")
    page.keyboard.press("Enter")

    for number, name in enumerate(names):
        shown(page, name)
        page.keyboard.press("2" if number % 2 else "1")

    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    answers = [(name, "yes" if n % 2 else "no") for n, name in enumerate(names)]
    assert settle(desk, 10) == answers
    assert {label.annotator for label in desk.labels()} == {"ana"}


def test_a_made_up_item_says_so_on_every_page(
    desk: ReviewDesk, visits: Visits, screenshots: Path
) -> None:
    features = {"amount": 41.25, "orders_last_week": 3, "first_order": True}
    desk.ask("synthetic:5f1c2a90d4e7b8a1c3f05d62", priority=0.9, features=features, synthetic=True)
    desk.ask("order-1", priority=0.8, features=features)
    page = visits.open(desk, "ana")
    shown(page, "synthetic:5f1c2a90d4e7b8a1c3f05d62")
    expect(page.locator(".chips .made-up")).to_have_text("made-up item")
    expect(page.get_by_role("note")).to_contain_text("No event was ever like it")
    expect(page.get_by_role("heading", name="Production")).to_have_count(0)
    page.screenshot(path=screenshots / "made-up-item.png", full_page=True)
    page.goto(f"{desk.address}/queue")
    expect(page.locator("tr", has_text="synthetic:").locator(".made-up")).to_be_visible()
    expect(page.locator("tr", has_text="order-1").locator(".made-up")).to_have_count(0)
    page.screenshot(path=screenshots / "made-up-queue.png")
    page.goto(desk.address)
    page.keyboard.press("1")
    shown(page, "order-1")
    expect(page.locator(".made-up")).to_have_count(0)
    expect(page.get_by_role("heading", name="Production")).to_be_visible()
    assert settle(desk, 1) == [("synthetic:5f1c2a90d4e7b8a1c3f05d62", "no")]


def test_undo_skip_and_unsure_by_keyboard(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "e1", "e2", "e3")
    page = visits.open(desk, "ana")
    shown(page, "e1")
    page.keyboard.press("1")
    shown(page, "e2")
    expect(page.locator(".toast")).to_contain_text("no for e1")

    page.keyboard.press("u")
    shown(page, "e1")
    expect(page.get_by_role("alert")).to_contain_text("Undone: no for e1.")
    page.keyboard.press("2")
    shown(page, "e2")
    page.keyboard.press("s")
    shown(page, "e3")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="All done")).to_be_visible()

    assert settle(desk, 3) == [("e1", "yes"), ("e2", None), ("e3", None)]
    assert [label.skip for label in desk.labels()] == [False, True, False]


def test_undo_after_publication_withdraws(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "e1", "e2")
    page = visits.open(desk, "ana")
    shown(page, "e1")
    page.keyboard.press("1")
    shown(page, "e2")
    assert settle(desk, 1) == [("e1", "no")]

    page.keyboard.press("u")

    shown(page, "e1")
    expect(page.get_by_role("alert")).to_contain_text("Withdrawn: no for e1.")
    settle(desk, 2)
    assert desk.labels()[-1].withdrawn


def test_a_note_goes_with_the_answer_and_keys_do_not_answer_while_typing(
    desk: ReviewDesk, visits: Visits
) -> None:
    ask(desk, "e1", "e2")
    page = visits.open(desk, "ana")
    shown(page, "e1")
    page.keyboard.press("c")
    page.keyboard.type("1 of 2: sure, nothing unusual")
    page.keyboard.press("Escape")
    shown(page, "e1")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("undo the last answer")
    page.keyboard.press("1")
    shown(page, "e2")

    settle(desk, 1)
    assert desk.labels()[0].note == "1 of 2: sure, nothing unusual"


def test_filter_and_search(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "north-1", "north-2", metadata={"region": "north"})
    ask(desk, "south-1", "south-2", metadata={"region": "south"})
    page = visits.open(desk, "lea")
    page.get_by_label("Segment").select_option("region=south")
    page.get_by_role("button", name="Apply").click()
    shown(page, "south-1")
    page.keyboard.press("1")
    shown(page, "south-2")
    expect(page.get_by_label("Segment")).to_have_value("region=south")

    page.keyboard.press("/")
    page.keyboard.type("north")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name="Queue").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_two_reviewers_at_once_never_see_the_same_item(desk: ReviewDesk, visits: Visits) -> None:
    names = [f"e{n}" for n in range(8)]
    ask(desk, *names)
    pages = [visits.open(desk, "ana"), visits.open(desk, "ben")]
    for _ in range(4):
        held = [page.locator("#item-id").inner_text() for page in pages]
        assert held[0] != held[1]
        for page, name in zip(pages, held, strict=True):
            page.keyboard.press("1")
            expect(page.locator(".toast")).to_contain_text(name)

    settle(desk, 8)
    assert sorted(label.event_id for label in desk.labels()) == names
    assert {label.annotator for label in desk.labels()} == {"ana", "ben"}


def test_an_item_that_expires_while_it_is_held_is_not_sent(
    desk: ReviewDesk, visits: Visits
) -> None:
    ask(desk, "short", ttl=30)
    desk.ask("long", priority=0.1)
    page = visits.open(desk, "ana")
    shown(page, "short")
    desk.clock.advance(31)
    page.keyboard.press("1")

    expect(page.get_by_role("alert")).to_contain_text("expired while it was open")
    shown(page, "long")
    desk.clock.advance(10)
    assert desk.labels() == []


def test_a_lapsed_lease_is_said_on_the_page_that_lost_it(
    new_desk: Callable[..., ReviewDesk], visits: Visits
) -> None:
    desk = new_desk({"console": {"lease_seconds": 8}})
    ask(desk, "e1")
    ana = visits.open(desk, "ana")
    shown(ana, "e1")
    ana.context.set_offline(True)
    desk.clock.advance(9)
    ben = visits.open(desk, "ben")
    shown(ben, "e1")
    ana.context.set_offline(False)

    expect(ana.locator("#lost")).to_be_visible()
    ana.keyboard.press("1")
    expect(ana.get_by_role("alert").first).to_contain_text("gone to ben")
    visits.complaints[:] = [c for c in visits.complaints if "ERR_INTERNET_DISCONNECTED" not in c]


def test_new_items_appear_by_themselves(desk: ReviewDesk, visits: Visits) -> None:
    page = visits.open(desk, "ana")
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    ask(desk, "e1")
    shown(page, "e1")


def test_work_goes_on_while_the_broker_is_away(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "e1", "e2", "e3")
    page = visits.open(desk, "ana")
    shown(page, "e1")
    desk.broker.available = False
    page.keyboard.press("1")
    shown(page, "e2")
    expect(page.locator("#outage")).to_be_visible()
    page.keyboard.press("2")
    shown(page, "e3")
    expect(page.locator("#outage")).to_contain_text("2 to send")
    desk.clock.advance(10)

    desk.broker.available = True

    expect(page.locator("#outage")).to_be_hidden()
    assert settle(desk, 2) == [("e1", "no"), ("e2", "yes")]


def test_it_works_without_javascript(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "e1", "e2")
    page = visits.open(desk, "ana", java_script_enabled=False)
    page.get_by_role("button", name="no").first.click()
    shown(page, "e2")
    page.get_by_role("button", name="Undo").click()
    shown(page, "e1")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("heading", name="Reviewers")).to_be_visible()


def test_a_phone_has_the_answers_in_reach(desk: ReviewDesk, visits: Visits) -> None:
    ask(desk, "e1", features={f"feature {n}": float(n) for n in range(40)})
    ask(desk, "e2")
    page = visits.open(desk, "ana", PHONE, has_touch=True, is_mobile=True)
    button = page.get_by_role("button", name="yes")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE[1]
    assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    button.tap()

    expect(page.locator(".toast")).to_contain_text("yes for e1")
