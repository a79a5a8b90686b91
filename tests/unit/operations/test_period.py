"""What happened in a period, found in the topics alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.errors import TopicsInvalid
from streamal.events import DriftEvent
from streamal.operations.inspect import inspect
from streamal.operations.period import Period, look_back
from streamal.operations.period_page import Price, period_page
from tests.support.shop import Shop
from tests.unit.operations.conftest import Plant, asking_about_made_up_items


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(3000)


@pytest.fixture(scope="module")
def period(shop: Shop) -> Period:
    return look_back(shop.pipeline, start=shop.started, end=shop.clock.now())


def test_all_events_are_counted(period: Period) -> None:
    assert period.events == 3000
    assert period.routed == period.work.asked
    assert period.work.finished == period.work.answers == period.errors.labelled


def test_quality_is_that_of_all_events(shop: Shop, period: Period) -> None:
    interval = period.production.interval
    assert interval.low <= shop.production_accuracy <= interval.high
    assert interval.high - interval.low < 0.1
    naive = 1 - period.work.wrong / period.work.finished
    assert naive < interval.low
    assert period.errors.error_rate == pytest.approx(1 - shop.production_accuracy, abs=0.05)


def test_the_weak_spot_is_found(period: Period) -> None:
    worst = period.parts[0]
    assert (worst.key, worst.value) == ("feature country", "br")
    assert worst.totals.error_rate > 2 * period.errors.error_rate


def test_people(period: Period) -> None:
    (person,) = period.people
    assert person.answers == period.work.answers
    assert person.hours >= 5
    assert 200 < person.median_latency_seconds < 2000
    assert person.agreement is None


def test_part_of_the_time(shop: Shop, period: Period) -> None:
    middle = shop.started + 4 * 3600
    first = look_back(shop.pipeline, start=shop.started, end=middle)
    second = look_back(shop.pipeline, start=first.end, end=shop.clock.now())
    assert first.events + second.events == period.events
    assert first.work.asked + second.work.asked == period.work.asked
    assert len(first.matured) + len(second.matured) == len(period.matured)
    # Things got worse half way.
    assert second.production.value < first.production.value


def test_the_period_is_widened_to_whole_windows(shop: Shop) -> None:
    found = look_back(shop.pipeline, start=shop.started + 5000, end=shop.started + 5001)
    assert found.end - found.start == 3600
    assert found.start % 3600 == 0
    assert 0 < found.events <= 360


def test_a_period_without_anything(shop: Shop) -> None:
    found = look_back(shop.pipeline, start=0, end=3600)
    assert (found.events, found.work.asked, found.people, found.parts) == (0, 0, [], [])


def test_drifts_of_the_period(shop: Shop) -> None:
    producer = shop.broker.producer()
    for pipeline, start in (("shop", shop.started), ("shop", 0.0), ("other", shop.started)):
        event = DriftEvent(
            pipeline=pipeline,
            detector="accuracy_shift",
            cause="it went down",
            harmful=True,
            statistic=-0.1,
            low=-0.2,
            high=-0.05,
            window_start=datetime.fromtimestamp(start, UTC),
            window_seconds=3600,
            detected_at=datetime.fromtimestamp(start + 7200, UTC),
        )
        producer.send(shop.settings.topics.drift, event.to_bytes(), key=b"x")
    producer.send(shop.settings.topics.drift, b"{", key=b"x")
    producer.flush()
    found = look_back(shop.pipeline, start=shop.started, end=shop.clock.now())
    assert [each.cause for each in found.drifts if each.cause == "it went down"] == ["it went down"]


def test_made_up_items_cost_money_and_say_nothing_about_production(plant: Plant) -> None:
    plant.pipeline = asking_about_made_up_items(plant)
    plant.create_topics()
    plant.run(200)
    now = plant.clock.now()
    period = look_back(plant.pipeline, start=now - 500, end=now)
    lanes = inspect(plant.pipeline).gates
    work = period.work
    assert work.made_up == sum(lane.synthetic for lane in lanes) > 5
    assert work.asked == period.routed == sum(lane.routed for lane in lanes)
    assert work.finished == period.errors.labelled <= work.asked
    assert work.finished < work.answers <= work.asked + work.made_up
    assert sum(person.answers for person in period.people) == work.answers
    page = period_page(period, Price(1.0, "EUR"))
    assert "Made-up items asked about besides" in page
    assert f"{work.made_up / period.events:.2%} about made-up items" in page


def test_topics_must_be_there(plant: Plant) -> None:
    with pytest.raises(TopicsInvalid):
        look_back(plant.pipeline, start=0, end=1)
