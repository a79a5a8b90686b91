"""The page of a period: complete, alone, and readable without data, too."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from streamal.events import DriftEvent
from streamal.operations.period import Period, Person, look_back
from streamal.operations.period_page import Price, period_page
from tests.support.shop import Shop

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def period() -> Period:
    shop = Shop(1500)
    return look_back(shop.pipeline, start=shop.started, end=shop.clock.now())


class _Balance(HTMLParser):
    """Whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the base's signature
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(text: str, name: str) -> str:
    """What stands beside a name in the first table."""
    found = re.search(rf"<td class=\"words\">{re.escape(name)}</td><td>([^<]*)</td>", text)
    assert found is not None, name
    return found.group(1)


def test_it_is_whole_and_alone(period: Period) -> None:
    text = period_page(period, Price(0.5, "EUR"))
    balance = _Balance()
    balance.feed(text)
    assert balance.open == []
    assert not re.search(r"\bsrc=|\bhref=|url\(|<script", text)
    titles = ["Quality", "Drift", "Spend", "Reviewers", "What to retrain on"]
    assert re.findall(r"<h2>([^<]*)</h2>", text) == titles
    assert text.count('role="img"') == 3
    identities = re.findall(r' id="([^"]*)"', text)
    assert len(set(identities)) == len(identities)


def test_numbers_are_those_of_the_period(period: Period) -> None:
    text = period_page(period, Price(0.5, "EUR"))
    assert shown(text, "Events") == "1,500"
    assert shown(text, "Cost of the answers") == f"{period.work.answers / 2:,.2f} EUR"
    cost = period.work.answers / 2 / period.work.wrong
    assert shown(text, "Cost of each error found") == f"{cost:,.2f} EUR"
    assert shown(text, "Production was right").startswith(f"{period.production.value:.1%} (")
    assert float(shown(text, "Errors found, as a multiple of random routing")) > 1.2
    assert "feature country" in text


def test_without_a_price_there_is_no_talk_of_money(period: Period) -> None:
    assert "Cost" not in period_page(period, Price())


def test_names_are_text(period: Period) -> None:
    drift = DriftEvent(
        pipeline="shop",
        detector=NASTY,
        cause=NASTY,
        harmful=True,
        statistic=-0.1,
        low=-0.2,
        high=-0.05,
        window_start=datetime.fromtimestamp(period.start, UTC),
        window_seconds=3600,
        detected_at=datetime.fromtimestamp(period.start, UTC),
    )
    parts = [replace(part, key=NASTY, value=NASTY) for part in period.parts]
    people = [Person(NASTY, 5, 2, 30.0, 0.9, 0.8)]
    text = period_page(
        replace(period, pipeline=NASTY, people=people, parts=parts, drifts=[drift]),
        Price(1, NASTY),
    )
    assert "<script" not in text
    assert "(worse)" in text
    assert "2.5" in text
    assert "90.0%" in text


def test_a_period_without_anything() -> None:
    shop = Shop(0)
    period = look_back(shop.pipeline, start=shop.started, end=shop.started + 7200)
    text = period_page(period, Price(1))
    assert shown(text, "Events") == "0"
    assert shown(text, "Production was right") == "not known"
    for words in ("has matured", "No change", "no events", "Nobody answered", "stands out"):
        assert words in text
    assert "nan" not in text.replace("not known", "")


def test_long_periods_count_in_days(period: Period) -> None:
    assert "hours since" in period_page(period, Price())
    assert "days since" in period_page(replace(period, end=period.end + 30 * 86_400), Price())
