"""A regression pipeline on real Kafka: processes, kills, people who answer with numbers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import fmean

import orjson
import pytest
from river.datasets.synth import Friedman

from streamal.core.features import FeatureColumns
from streamal.core.learners.regression import build_regressor
from streamal.core.types import Features
from streamal.events import LossQuality, ReviewRequest
from streamal.operations.inspect import inspect
from tests.support.site import Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(420)]

BUDGET = 0.1
EVENTS = 3000
PIPELINE = 'task = "regression"\ntolerance = 2.0\nvalue_range = [-20.0, 60.0]'
# One partition, which is past its cold start soon: each keeps an account of its own.
SETTINGS = f"""
predictions_partitions = 1
[gate]
budget = {BUDGET}
exploration = 0.5
strategy = "expected_absolute_error"
max_batch_records = 100
[learner]
committee_size = 0
[labels]
ttl_seconds = 3600
[estimation]
window_seconds = 4
label_horizon_seconds = 3600
[trainer]
snapshot_every_labels = 20
heartbeat_seconds = 1
"""
Row = tuple[Features, float, float]


def recorded() -> Sequence[Row]:
    """Features, what a production that has learned from 150 labels says, and the truth."""
    rows = [
        ({f"x{column}": value for column, value in features.items()}, float(truth))
        for features, truth in islice(Friedman(seed=4), EVENTS + 150)
    ]
    production = build_regressor("linear_regression", parameters={}, committee_size=0, seed=1)
    for number, (features, truth) in enumerate(rows[:150]):
        production.learn(features, truth, event_id=str(number))
    predicted = production.predict(FeatureColumns([features for features, _ in rows[150:]]))
    return [
        (features, value, truth)
        for (features, truth), value in zip(rows[150:], predicted.tolist(), strict=True)
    ]


def publish(site: Site, rows: Sequence[Row], start: int) -> None:
    for number, (features, value, _) in enumerate(rows, start):
        event = {
            "event_id": f"e{number}",
            "timestamp": time.time(),
            "features": features,
            "prediction": {"value": value},
        }
        site.publish_raw(orjson.dumps(event), f"e{number}".encode())
    site.flush()


def losses(site: Site) -> LossQuality | None:
    report = inspect(site.pipeline).quality
    return None if report is None else report.loss


def speaks_for_all(site: Site) -> bool:
    found = losses(site)
    return found is not None and found.production.events == EVENTS


def test_errors_are_estimated_whatever_is_killed(new_site: Callable[[str, str], Site]) -> None:
    rows = recorded()
    site = new_site(SETTINGS, PIPELINE)
    people = Reviewers(
        site.broker, site.settings, {f"e{number}": row[2] for number, row in enumerate(rows)}
    )
    people.start()
    trainer, gate = site.start("trainer", "trainer"), site.start("gate", "gate")
    site.publish_raw(
        b'{"event_id":"class","timestamp":1,"features":{},"prediction":{"label":"a"}}', b""
    )
    for step, start in enumerate(range(0, EVENTS, 250)):
        publish(site, rows[start : start + 250], start)
        time.sleep(0.8)
        if step == 4:
            gate.kill()
            gate = site.launch("gate", "gate")
        if step == 7:
            trainer.kill()
            trainer = site.launch("trainer", "trainer")

    def decided() -> int:
        return sum(lane.decided for lane in inspect(site.pipeline).gates)

    wait_until(lambda: decided() == EVENTS, "all decisions", seconds=90)
    routed = sum(lane.routed for lane in inspect(site.pipeline).gates)
    wait_until(lambda: len(people.answered) == routed, f"{routed} answers")
    people.finish()
    # However long the restarts took, all is there now: have every window mature.
    assert trainer.stop() == 0, trainer.tail()
    text = site.config.read_text().replace("horizon_seconds = 3600", "horizon_seconds = 30")
    site.config.write_text(text)
    trainer = site.launch("trainer", "trainer")
    wait_until(lambda: speaks_for_all(site), "estimates about all events", seconds=150)
    found = losses(site)
    wait_until(gate.ready, "the gate is ready to be stopped")
    assert gate.stop() == 0, gate.tail()
    shown = trainer.metric("streamal_production_absolute_error", kind="estimate")
    assert trainer.stop() == 0, trainer.tail()

    reviews = [
        ReviewRequest.from_bytes(record.value) for record in site.read(site.settings.topics.reviews)
    ]
    assert set(Counter(review.event_id for review in reviews).values()) == {1}
    assert len(reviews) == pytest.approx(BUDGET * EVENTS, rel=0.1)
    model = inspect(site.pipeline).model
    assert model is not None
    assert model.labels_learned == len(people.answered) == len(reviews)
    late = [review for review in reviews if review.model.version > 3]
    assert late
    assert all(review.model.value is not None and review.expected_loss for review in late)

    truth = fmean(abs(value - correct) for _, value, correct in rows)
    assert found is not None
    assert found.production.high is not None
    assert found.production.low <= truth <= found.production.high
    assert found.production.high - found.production.low < truth, "it says something"
    assert shown == pytest.approx(found.production.value)
    (letter,) = site.read(site.settings.topics.dead_letters)
    assert letter.header("streamal.reason") == b"unsupported_task"
