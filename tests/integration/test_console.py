"""The console on real Kafka: killed at any moment, no answer is lost and none is sent twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPException

import pytest

from streamal.events import LabelEvent, ModelRef, ModelView, Output, ReviewRequest
from tests.support.site import Process, Site, free_port, wait_until
from tests.support.visitor import Visitor

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

ITEMS = 60
KILLS = 4
SETTINGS = """
[console]
port = {port}
state_path = "{state}"
undo_seconds = 0.3
poll_timeout_seconds = 0.1
"""


def ask(site: Site) -> None:
    producer = site.broker.producer()
    now = time.time()
    for number in range(ITEMS):
        review = ReviewRequest(
            event_id=f"e{number}",
            pipeline=site.settings.pipeline.name,
            occurred_at=datetime.fromtimestamp(now, UTC),
            decided_at=datetime.fromtimestamp(now, UTC),
            expires_at=datetime.fromtimestamp(now + 3600, UTC),
            features={"x": number},
            prediction=Output(label="yes"),
            model=ModelView(version=0),
            produced_by=ModelRef(),
            score=0.5,
            strategy="margin",
            policy="quantile",
            threshold=0.5,
            propensity=0.5,
            reason="above_threshold",
            priority=0.5,
            expected_correct=0.5,
        )
        producer.send(site.settings.topics.reviews, review.to_bytes(), key=review.event_id.encode())
    producer.close()


class Reviewer(threading.Thread):
    """Answers whatever comes; an answer counts from the moment that the console says so."""

    def __init__(self, address: str) -> None:
        super().__init__(name="reviewer")
        self._visitor = Visitor(address)
        self.accepted: list[str] = []
        self.unknown: set[str] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            try:
                item = self._visitor.get("/review").item
            except (OSError, HTTPException):
                time.sleep(0.1)
                continue
            if item is None:
                time.sleep(0.1)
                continue
            self._answer(item)

    def _answer(self, item: str) -> None:
        form = {"csrf": self._visitor.csrf, "item": item, "choice": "label:yes"}
        try:
            status = self._visitor.ask("POST", "/answer", form).status
        except (OSError, HTTPException):
            self.unknown.add(item)  # nobody was told whether it was accepted
            return
        if status == 303:
            self.accepted.append(item)
        time.sleep(0.05)


def start(site: Site, number: int) -> Process:
    return site.start(f"console-{number}", "console")


def published(site: Site) -> list[LabelEvent]:
    records = site.read(site.settings.topics.labels)
    return [LabelEvent.from_bytes(record.value) for record in records]


def enough(site: Site, reviewer: Reviewer, count: int) -> bool:
    return len(reviewer.accepted) >= count or len(published(site)) >= ITEMS


def test_killed_again_and_again_every_accepted_answer_arrives_once(
    new_site: Callable[[str], Site], tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    state = tmp_path_factory.mktemp("console") / "console.sqlite3"
    site = new_site(SETTINGS.format(port=port, state=state))
    ask(site)
    reviewer = Reviewer(f"http://127.0.0.1:{port}")
    chance = random.Random(5)
    process = start(site, 0)
    reviewer.start()
    try:
        for kill in range(1, KILLS + 1):
            goal = len(reviewer.accepted) + 4
            wait_until(partial(enough, site, reviewer, goal), "some answers")
            time.sleep(chance.random() / 2)
            process.kill()
            process = start(site, kill)
        wait_until(lambda: len(published(site)) >= ITEMS, "all answers are published", 120)
    finally:
        reviewer.done.set()
        reviewer.join(timeout=60)
    assert process.stop() == 0

    labels = Counter(label.event_id for label in published(site))
    assert set(labels) == {f"e{number}" for number in range(ITEMS)}
    assert set(labels.values()) == {1}
    assert set(reviewer.accepted) | reviewer.unknown >= set(labels)


def test_a_broker_outage_is_shown_and_survived(
    own_kafka: object, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMAL_BROKER__REQUEST_TIMEOUT_SECONDS", "3")
    port = free_port()
    folder = tmp_path_factory.mktemp("console")
    settings = SETTINGS.format(port=port, state=folder / "console.sqlite3")
    site = Site(own_kafka.bootstrap, folder, settings)  # type: ignore[attr-defined]  # from a path
    try:
        ask(site)
        process = start(site, 0)
        visitor = Visitor(f"http://127.0.0.1:{port}")
        wait_until(lambda: visitor.get("/review").item is not None, "an item")
        own_kafka.kill()  # type: ignore[attr-defined]  # see above
        wait_until(lambda: '"outage":null' not in visitor.get("/status").text, "the outage shows")
        assert not process.ready()
        for _ in range(5):
            item = visitor.get("/review").item
            assert item is not None
            visitor.answer(item, "label:yes")

        own_kafka.start()  # type: ignore[attr-defined]  # see above

        wait_until(lambda: '"outage":null' in visitor.get("/status").text, "it is over", 120)
        wait_until(lambda: '"unsent":0' in visitor.get("/status").text, "all is sent")
        assert len(published(site)) == 5
        assert process.stop() == 0
    finally:
        site.close()
