"""Windows on real Kafka: offsets are held back, gates are killed, all events are decided once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from streamal.events import ReviewRequest, WindowStats
from streamal.operations.inspect import inspect
from tests.support.site import Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

EVENTS = 1200
SETTINGS = """
[gate]
budget = 0.1
policy = "windowed_top_k"
policy_parameters = { window = 40, seconds = 3.0 }
strategy_parameters = { source = "production" }
max_batch_records = 64
"""


def publish(site: Site, start: int, stop: int) -> None:
    for number in range(start, stop):
        p = 0.5 + (number * 37 % 100) / 200
        site.publish(f"e{number}", {"x": number % 7}, {"no": p, "yes": 1 - p})
    site.flush()


def test_killed_gates_leave_their_windows_to_others(new_site: Callable[[str], Site]) -> None:
    site = new_site(SETTINGS)
    gates = [site.start("gate-0", "gate"), site.start("gate-1", "gate")]
    for step, start in enumerate(range(0, EVENTS, 100)):
        publish(site, start, start + 100)
        time.sleep(0.5)
        if step % 4 == 2:
            gates[step % 2].kill()
            gates[step % 2] = site.launch(f"gate-{step % 2}", "gate")
    wait_until(
        lambda: sum(lane.decided for lane in inspect(site.pipeline).gates) == EVENTS,
        "all decisions",
        seconds=90,
    )
    for gate in gates:
        wait_until(gate.ready, "the gate is ready to be stopped")
        assert gate.stop() == 0, gate.tail()
    topics = site.settings.topics
    reviews = [ReviewRequest.from_bytes(record.value) for record in site.read(topics.reviews)]
    windows = [WindowStats.from_bytes(record.value) for record in site.read(topics.windows)]
    assert set(Counter(review.event_id for review in reviews).values()) == {1}
    assert sum(window.events for window in windows) == EVENTS
    assert sum(window.routed for window in windows) == len(reviews)
    assert len(reviews) == pytest.approx(0.1 * EVENTS, abs=20)
    assert {review.propensity for review in reviews if review.reason == "above_threshold"} == {1.0}
    assert site.read(topics.dead_letters) == []
