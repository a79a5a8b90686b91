"""Made-up items on real Kafka: gates are killed, each question is asked, paid and learned once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from streamal.events import ReviewRequest, WindowStats
from streamal.operations.inspect import inspect
from tests.support.site import Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

EVENTS = 1500
BUDGET = 0.2
SETTINGS = f"""
predictions_partitions = 2
[gate]
budget = {BUDGET}
strategy = "query_synthesis"
synthetic_share = 0.4
max_batch_records = 50
advance_labels = 0
[learner]
name = "logistic_regression"
[labels]
ttl_seconds = 3600
[estimation]
window_seconds = 4
label_horizon_seconds = 15
[trainer]
snapshot_every_labels = 10
heartbeat_seconds = 1
"""


class Answers(dict[str, str | float]):
    """Of events what production said; of made-up items always the same."""

    def __missing__(self, event_id: str) -> str:
        assert event_id.startswith("synthetic:")
        return "low"


def publish(site: Site, truth: Answers, start: int) -> None:
    for number in range(start, start + 100):
        x, y = (number * 37 % 101 - 50) / 10, (number * 53 % 89 - 44) / 10
        said = truth[f"e{number}"] = "high" if x + y > 0 else "low"
        sure = {said: 0.8, {"high": "low", "low": "high"}[said]: 0.2}
        site.publish(f"e{number}", {"x": x, "y": y, "odd": number % 2 == 1}, sure)
    site.flush()


def test_made_up_items_are_asked_once_learned_once_and_estimated_never(
    new_site: Callable[[str], Site],
) -> None:
    site, truth = new_site(SETTINGS), Answers()
    people = Reviewers(site.broker, site.settings, truth)
    people.start()
    trainer, gate = site.start("trainer", "trainer"), site.start("gate", "gate")
    for step, start in enumerate(range(0, EVENTS, 100)):
        publish(site, truth, start)
        time.sleep(1.0)
        if step in (6, 10):
            gate.kill()
            gate = site.launch("gate", "gate")
        if step == 8:
            trainer.kill()
            trainer = site.launch("trainer", "trainer")

    def lanes() -> tuple[int, int, int]:
        gates = inspect(site.pipeline).gates
        return (
            sum(lane.decided for lane in gates),
            sum(lane.routed for lane in gates),
            sum(lane.synthetic for lane in gates),
        )

    wait_until(lambda: lanes()[0] == EVENTS, "all decisions", seconds=90)
    _, routed, synthetic = lanes()
    wait_until(lambda: len(people.answered) == routed + synthetic, "all answers")
    people.finish()

    def learned() -> int:
        model = inspect(site.pipeline).model
        return 0 if model is None else model.labels_learned

    def production() -> int:
        quality = inspect(site.pipeline).quality
        return 0 if quality is None else quality.production.events

    wait_until(lambda: production() == EVENTS, "the estimate speaks for all events", seconds=90)
    for process in (gate, trainer):
        assert process.stop() == 0, process.tail()
    assert learned() == routed + synthetic

    topics = site.settings.topics
    reviews = [ReviewRequest.from_bytes(record.value) for record in site.read(topics.reviews)]
    made_up = [review for review in reviews if review.synthetic]
    assert set(Counter(review.event_id for review in reviews).values()) == {1}
    assert len(made_up) == synthetic > 20
    assert len(reviews) <= BUDGET * EVENTS + 20
    assert any(review.prediction.label == "high" for review in made_up)  # and people say "low"
    windows = [WindowStats.from_bytes(record.value) for record in site.read(topics.windows)]
    assert sum(window.events for window in windows) == EVENTS
    assert sum(window.routed for window in windows) == routed
    quality = inspect(site.pipeline).quality
    assert quality is not None
    # Production is always right about what happened. Not to the last digit: a window of few labels
    # also asks what was expected. The answers about what did not happen would weigh more.
    assert quality.production.value is not None
    assert quality.production.value > 0.998
    assert quality.production.high == 1.0
    assert 0.8 * routed < quality.production.labelled <= routed  # some came after the horizon
    assert site.read(topics.dead_letters) == []
