"""Drift on real Kafka: told once, answered at the gates, with processes killed in between."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import orjson
import pytest

from streamal.events import DriftEvent
from tests.support.site import Process, Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

#: Windows of seconds, so that several mature while the test waits; people answer within 3.
SETTINGS = """
[gate]
budget = 0.5
exploration = 0.6
strategy = "random"
[learner]
name = "gaussian_nb"
committee_size = 0
[trainer]
heartbeat_seconds = 1
[estimation]
window_seconds = 4
label_horizon_seconds = 6
[drift]
detectors = ["harmful_risk"]
detector_parameters = { harmful_risk = { reference_margin = 0.1 } }
[drift.data]
reference_windows = 3
grace_seconds = 2
least_events = 60
[drift.on_harmful]
budget_factor = 1.5
exploration = 0.9
duration_seconds = 600
[drift.on_data]
trust = 0.25
duration_seconds = 600
"""
TENTHS = 6  # events per tenth of a second


class World(threading.Thread):
    """Production, which never changes, in a world that may."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="world")
        self._site = site
        self._random = random.Random(3)
        self._done = threading.Event()
        self.shift, self.wrong = 0.0, 0.1
        self.truth: dict[str, str | float] = {}

    def run(self) -> None:
        while not self._done.wait(0.1):
            for _ in range(TENTHS):
                self._publish(f"e{len(self.truth)}")
            self._site.flush()

    def _publish(self, event_id: str) -> None:
        p = self._random.uniform(0.6, 0.9)
        self.truth[event_id] = "no" if self._random.random() < self.wrong else "yes"
        features = {"x": self._random.gauss(self.shift, 1), "y": self._random.gauss(0, 1)}
        self._site.publish(event_id, features, {"yes": p, "no": 1 - p})

    def change(self) -> None:
        """Events look different, and production is wrong about most of them."""
        self.shift, self.wrong = 3.0, 0.8

    def finish(self) -> None:
        """Publish no more."""
        self._done.set()
        self.join(timeout=60)


class NumberWorld(World):
    """A regression: production always says 20, and is off by an exponentially distributed error."""

    error = 5.0

    def _publish(self, event_id: str) -> None:
        sign = self._random.choice((-1.0, 1.0))
        self.truth[event_id] = 20.0 + sign * self._random.expovariate(1 / self.error)
        event = {
            "event_id": event_id,
            "timestamp": time.time(),
            "features": {"x": self._random.gauss(0, 1)},
            "prediction": {"value": 20.0},
        }
        self._site.publish_raw(orjson.dumps(event), event_id.encode())

    def change(self) -> None:
        """Production is off by four times as much."""
        self.error = 20.0


@pytest.fixture
def world(new_site: Callable[[str], Site]) -> Iterator[tuple[Site, World]]:
    site = new_site(SETTINGS)
    made = World(site)
    people = Reviewers(site.broker, site.settings, made.truth)
    made.start()
    people.start()
    yield site, made
    made.finish()
    people.finish()


@pytest.fixture
def number_world(new_site: Callable[[str, str], Site]) -> Iterator[tuple[Site, NumberWorld]]:
    settings = SETTINGS.replace('"gaussian_nb"', '"linear_regression"').replace(
        "harmful_risk = { reference_margin = 0.1 }", "harmful_error = { reference_margin = 0.3 }"
    )
    site = new_site(
        settings.replace('"harmful_risk"', '"harmful_error", "page_hinkley"'),
        'task = "regression"\ntolerance = 1e6',
    )
    made = NumberWorld(site)
    people = Reviewers(site.broker, site.settings, made.truth)
    made.start()
    people.start()
    yield site, made
    made.finish()
    people.finish()


def told(site: Site) -> list[DriftEvent]:
    return [DriftEvent.from_bytes(record.value) for record in site.read(site.settings.topics.drift)]


def leader_of(trainers: list[Process]) -> Process:
    """Whoever leads; a second one that joins may move the leadership for a moment."""
    found: list[Process] = []

    def somebody_leads() -> bool:
        found[:] = [each for each in trainers if each.metric("streamal_trainer_leader") == 1]
        return bool(found)

    wait_until(somebody_leads, "somebody leads")
    return found[0]


def standing(gate: Process) -> dict[str, float | None]:
    return {
        action: gate.metric("streamal_drift_response_ratio", action=action)
        for action in ("budget", "exploration", "trust")
    }


def test_drift_is_told_once_and_answered_whoever_dies(world: tuple[Site, World]) -> None:
    site, around = world
    gate = site.start("gate-1", "gate")
    trainers = [site.start(name, "trainer") for name in ("trainer-1", "trainer-2")]

    # A reference for both: a calm stream in which nothing is found.
    def compared() -> bool:
        seen = [
            each.metric("streamal_data_stability_ratio", variable="feature.x") for each in trainers
        ]
        return any(index is not None for index in seen)

    def matured() -> bool:
        return any((each.metric("streamal_window_labels") or 0) > 30 for each in trainers)

    wait_until(compared, "a window was compared", 90)
    wait_until(matured, "windows matured", 60)
    assert told(site) == []
    assert standing(gate) == {"budget": 1.0, "exploration": 0.6, "trust": 1.0}

    first = leader_of(trainers)
    first.kill()
    trainers.remove(first)
    second = leader_of(trainers)
    around.change()
    wait_until(lambda: "data_drift" in {each.detector for each in told(site)}, "data drift", 90)
    second.kill()
    trainers[:] = [site.start("trainer-3", "trainer")]
    gate.kill()
    gate = site.start("gate-2", "gate")
    wait_until(lambda: any(each.harmful for each in told(site)), "harm", 120)
    answered = {"budget": 1.5, "exploration": 0.9, "trust": 0.25}
    wait_until(lambda: standing(gate) == answered, "the gate follows the responses", 60)

    events = told(site)
    drifts = [each for each in events if each.kind == "drift"]
    responses = {each.response.cause: each for each in events if each.response is not None}
    named = set().union(*(each.variables for each in drifts))
    assert "feature.x" in named
    assert "feature.y" not in named
    assert Counter(each.kind for each in events)["response"] == len(responses) == 2
    assert responses.keys() == {"data", "harmful"}
    harm = next(each for each in drifts if each.harmful)
    assert responses["harmful"].window_start == harm.window_start
    assert responses["harmful"].statistic == harm.statistic
    windows = Counter((each.detector, each.kind, each.window_start) for each in events)
    assert set(windows.values()) == {1}


def test_a_regression_whose_errors_grow_is_told_and_answered_whoever_dies(
    number_world: tuple[Site, NumberWorld],
) -> None:
    site, around = number_world
    gate, trainer = site.start("gate", "gate"), site.start("trainer-1", "trainer")

    def known() -> bool:
        """A reference and more: the running mean speaks for some windows."""
        shown = trainer.metric("streamal_production_absolute_error", kind="high")
        return shown is not None and shown < 8.0

    wait_until(known, "production's error is known", 120)
    assert told(site) == []
    trainer.kill()
    around.change()
    trainer = site.start("trainer-2", "trainer")

    def alarmed() -> bool:
        return any(each.detector == "harmful_error" for each in told(site))

    wait_until(alarmed, "harm", 120)
    answered = {"budget": 1.5, "exploration": 0.9, "trust": 1.0}
    wait_until(lambda: standing(gate) == answered, "the gate follows the response", 60)

    events = told(site)
    harm = next(each for each in events if each.detector == "harmful_error")
    assert (harm.harmful, harm.subject, harm.kind) == (True, "absolute_error", "drift")
    assert harm.threshold is not None
    assert harm.statistic > harm.threshold > 4.0
    assert harm.cause.startswith("production's mean absolute error went from ")
    assert {each.subject for each in events} == {"absolute_error"}, "the tolerance is never passed"
    (response,) = [each for each in events if each.response is not None]
    assert response.response is not None
    assert response.response.cause == "harmful"
    told_once = Counter((each.detector, each.kind, each.window_start) for each in events)
    assert set(told_once.values()) == {1}
