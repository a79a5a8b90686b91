"""Every page, on a desktop, in the dark and on a phone: accessible, and pictured for people."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from streamal.events import DriftEvent, WindowStats
from tests.support.desk import ReviewDesk

if TYPE_CHECKING:
    from tests.browser.conftest import Visits

pytestmark = pytest.mark.timeout(180)
WINDOW = 600.0
SIZES: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "desktop": ((1280, 900), {}),
    "dark": ((1280, 900), {"color_scheme": "dark"}),
    "phone": ((390, 844), {"is_mobile": True, "has_touch": True}),
}
PAGES = ("review", "queue", "adjudicate", "dashboard", "history")
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhf"
    "DwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
def afternoon(new_desk: Callable[..., ReviewDesk]) -> ReviewDesk:
    """A console after an afternoon of work, during which production became worse."""
    desk = new_desk(
        {
            "pipeline": {"classes": ["approve", "decline", "ask a colleague"]},
            "gate": {"budget": 0.05},
            "estimation": {"window_seconds": WINDOW, "label_horizon_seconds": WINDOW},
        }
    )
    chance = random.Random(3)
    desk.clock.advance(WINDOW - desk.clock.now() % WINDOW)
    for window in range(18):
        _window(desk, window, chance)
    _disagreement(desk)
    for _ in range(500):
        if desk.caught_up():
            break
        desk.done.wait(0.02)
    return desk


def _window(desk: ReviewDesk, window: int, chance: random.Random) -> None:
    events = chance.randint(500, 900)
    routed = int(events * 0.05 * chance.uniform(0.8, 1.2))
    start = desk.clock.now()
    for number in range(routed):
        desk.clock.advance(WINDOW / routed * 0.95)
        name = f"order-{window:02}-{number:02}"
        _order(desk, name, chance)
        truth = "approve" if chance.random() < (0.85 if window < 11 else 0.6) else "decline"
        if chance.random() < 0.85:
            desk.label(name, truth, by=chance.choice(["ana", "ben", "chloe", "dario"]))
    if window == 13:
        _drift(desk, start)
    stats = WindowStats(
        pipeline="orders",
        partition=0,
        window_start=datetime.fromtimestamp(start, UTC),
        window_seconds=WINDOW,
        events=events,
        routed=routed,
        unreachable=0,
        sum_expected_correct=events * 0.8,
        sum_propensity=float(routed),
    )
    desk.writer.send(desk.topics.windows, stats.to_bytes(), key=b"0")
    desk.clock.advance(start + WINDOW - desk.clock.now())


def _order(desk: ReviewDesk, name: str, chance: random.Random) -> None:
    sure = chance.betavariate(5, 2)
    rest = 1 - sure
    features = {
        "amount": round(chance.lognormvariate(4, 1), 2),
        "account_age_days": chance.randint(0, 900),
        "orders_last_week": chance.randint(0, 6),
        "risk": round(chance.gauss(0, 1), 4),
        "country": chance.choice(["de", "fr", "es", "pl"]),
        "first_order": chance.random() < 0.3,
        "comment": "The parcel went to a neighbour twice; the customer asks for another address "
        "and wants to pay on delivery.",
        "shop": "https://shop.example.com/orders/42",
        "signature": PIXEL,
        "income": None,
    }
    desk.ask(
        name,
        ttl=86_400.0,
        priority=round(chance.random(), 2),
        features=features,
        propensity=0.5,
        prediction={
            "probabilities": {"approve": sure, "decline": rest * 0.8, "ask a colleague": rest * 0.2}
        },
        model={
            "version": 4,
            "label": "approve",
            "probabilities": {"approve": 0.55, "decline": 0.3, "ask a colleague": 0.15},
        },
        metadata={"region": chance.choice(["north", "south", "west"]), "tier": "gold"},
        reason=chance.choice(["above_threshold", "exploration"]),
    )


def _drift(desk: ReviewDesk, start: float) -> None:
    at = datetime.fromtimestamp(start, UTC)
    drift = DriftEvent(
        pipeline="orders",
        detector="accuracy_shift",
        cause="production's accuracy went from 86.0% to 61.5%",
        harmful=True,
        statistic=-0.245,
        low=-0.3,
        high=-0.19,
        window_start=at,
        window_seconds=WINDOW,
        detected_at=at,
    )
    desk.writer.send(desk.topics.drift, drift.to_bytes(), key=b"accuracy_shift")


def _disagreement(desk: ReviewDesk) -> None:
    asked_at = datetime.fromtimestamp(desk.clock.now(), UTC)
    answers = {"ana": "approve", "ben": "decline"}
    desk.ask("order-disputed", ttl=86_400.0, required_labels=2)
    for name, label in answers.items():
        desk.label("order-disputed", label, by=name, note=f"{name} is sure")
    desk.ask(
        "order-disputed",
        ttl=86_400.0,
        adjudication={"asked_at": asked_at, "answers": answers},
    )


def serious(page: Any) -> list[str]:  # noqa: ANN401 - Playwright's page
    """What axe-core calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:120] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(
    afternoon: ReviewDesk, visits: Visits, screenshots: Path, size: str
) -> None:
    viewport, options = SIZES[size]
    signing_in = visits.open(afternoon, None, viewport, **options, bypass_csp=True)
    assert serious(signing_in) == []
    signing_in.screenshot(path=screenshots / f"{size}-login.png")
    page = visits.open(afternoon, "lea", viewport, **options, bypass_csp=True)
    page.wait_for_selector("#item-id")
    page.get_by_role("button", name="approve").click()
    page.wait_for_selector(".toast")
    for name in PAGES:
        if name != "review":
            page.goto(f"{afternoon.address}/{name}")
        page.screenshot(path=screenshots / f"{size}-{name}.png", full_page=name == "dashboard")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport[0], name
        assert serious(page) == [], name


def test_the_dashboard_keeps_itself_current(afternoon: ReviewDesk, visits: Visits) -> None:
    page = visits.open(afternoon, "vic")
    waiting = page.locator(".tile", has_text="Waiting for review").locator(".big")
    before = int(waiting.inner_text())
    afternoon.ask("one more")

    page.wait_for_function(
        "before => +[...document.querySelectorAll('.tile')]"
        ".find(t => t.textContent.includes('Waiting for review'))"
        ".querySelector('.big').textContent > before",
        arg=before,
    )
