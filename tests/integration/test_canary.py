"""Two versions of production on real Kafka, one of them worse: what operations are told of it.

A fifth of the reviews is never answered, and the others come late.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from streamal.events import QualityReport, Reported
from streamal.operations.inspect import inspect
from tests.support.site import Process, Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

#: Windows mature while the test waits; answers take up to three seconds, or for ever.
SETTINGS = """
[gate]
budget = 0.3
exploration = 0.7
policy = "propensity_sampling"
policy_parameters = {account_labels = 100}
strategy = "expected_error"
[learner]
name = "gaussian_nb"
committee_size = 0
[trainer]
snapshot_every_labels = 100
heartbeat_seconds = 1
[estimation]
window_seconds = 4
label_horizon_seconds = 8
segments = ["model_version", "country"]
segment_values = 3
"""
EVENTS = 6_000
ERRORS = {"1.4.0": 0.05, "1.5.0-rc1": 0.25}
COUNTRIES = ("de", "de", "de", "fr", "fr", "it", "it")
HEARTBEAT, EPOCH = timedelta(seconds=1), datetime.fromtimestamp(0, UTC)
#: Comes later, when the others have taken all names.
LATE_COUNTRY, FIRST_EVENTS = "es", 1_500


@dataclass(frozen=True)
class Said:
    """What production said of one event."""

    version: str
    label: str
    country: str


class Truth:
    """Publishes the events and remembers them."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.said: dict[str, Said] = {}

        self._chance = random.Random(3)

    def publish(self, site: Site, events: int, countries: Sequence[str]) -> None:
        chance, start = self._chance, len(self.said)
        for number in range(start, start + events):
            event_id, truth = f"e{number}", "fraud" if chance.random() < 0.3 else "fine"
            other = {"fraud": "fine", "fine": "fraud"}
            version = "1.5.0-rc1" if chance.random() < 0.25 else "1.4.0"
            said = other[truth] if chance.random() < ERRORS[version] else truth
            country = chance.choice(countries)
            self.labels[event_id] = truth
            self.said[event_id] = Said(version, said, country)
            site.publish(
                event_id,
                {"x": chance.gauss(1.0 if truth == "fraud" else 0.0, 1.0)},
                {said: 0.9, other[said]: 0.1},
                version,
                country=country,
            )
        site.flush()

    def accuracy(self, chosen: Callable[[Said], bool]) -> float:
        ids = [event_id for event_id, said in self.said.items() if chosen(said)]
        return sum(self.said[each].label == self.labels[each] for each in ids) / len(ids)

    def of_version(self, version: str) -> float:
        return self.accuracy(lambda said: said.version == version)

    def of_country(self, country: str) -> float:
        return self.accuracy(lambda said: said.country == country)

    def precision(self, name: str) -> float:
        return self.accuracy(lambda said: said.label == name)

    def recall(self, name: str) -> float:
        ids = [event_id for event_id, truth in self.labels.items() if truth == name]
        return sum(self.said[each].label == name for each in ids) / len(ids)


def covers(part: Reported, truth: float, slack: float = 0.01) -> bool:
    """One run of a dozen intervals at 95 %: a near miss is no defect."""
    return part.low - slack <= truth <= part.high + slack


def named_since(site: Site) -> datetime | None:
    """When the newest heartbeat was sent, if it has the gates count all first countries by name."""
    reader = site.pipeline.snapshot_reader()
    try:
        reader.catch_up()
    finally:
        reader.close()
    heartbeat = reader.heartbeat
    if heartbeat is None or set(heartbeat.segments.get("country", ())) != set(COUNTRIES):
        return None
    return heartbeat.sent_at


@pytest.fixture
def matured(new_site: Callable[[str], Site]) -> tuple[QualityReport, Truth, Process]:
    """A pipeline of two gates after all its windows have matured."""
    site, truth = new_site(SETTINGS), Truth()
    trainer = site.start("trainer", "trainer")
    for name in ("gate-1", "gate-2"):
        site.start(name, "gate")
    people = Reviewers(site.broker, site.settings, truth.labels, missing=0.2)
    people.start()
    truth.publish(site, FIRST_EVENTS, COUNTRIES)
    wait_until(lambda: named_since(site) is not None, "all three countries have a name")
    # Gates hear each heartbeat; two later the first has reached both.
    later = datetime.now(UTC) + 2 * HEARTBEAT
    wait_until(lambda: (named_since(site) or EPOCH) > later, "the gates know the names")
    truth.publish(site, EVENTS - FIRST_EVENTS, (*COUNTRIES, LATE_COUNTRY))

    def known() -> bool:
        found = inspect(site.pipeline).quality
        return found is not None and found.production.events == EVENTS

    wait_until(known, "all windows have matured", seconds=120)
    people.finish()
    report = inspect(site.pipeline).quality
    assert report is not None
    return report, truth, trainer


def test_a_worse_version_is_told_with_confidence(
    matured: tuple[QualityReport, Truth, Process],
) -> None:
    report, truth, trainer = matured
    assert covers(report.production, truth.accuracy(lambda _: True))
    parts = {(each.segment, each.value): each.accuracy for each in report.segments}
    good, bad = ERRORS
    for version in ERRORS:
        part = parts["model_version", version]
        assert covers(part, truth.of_version(version))
        assert part.events == sum(said.version == version for said in truth.said.values())
    (found,) = (each for each in report.differences if each.segment == "model_version")
    assert (found.value, found.reference, found.worse) == (bad, good, True)
    assert found.difference.high < 0
    assert covers(found.difference, ERRORS[good] - ERRORS[bad])
    shown = trainer.metric(
        "streamal_segment_difference_ratio", value=bad, reference=good, kind="high"
    )
    assert shown == pytest.approx(found.difference.high)

    # Of four countries three have a name; every event is counted once, and estimated as counted.
    countries = {value: part for (key, value), part in parts.items() if key == "country"}
    assert set(countries) == {*COUNTRIES, "other"}
    for value, part in countries.items():
        country = LATE_COUNTRY if value == "other" else value
        assert part.events == sum(said.country == country for said in truth.said.values())
        assert covers(part, truth.of_country(country))

    assert {each.name for each in report.classes} == {"fine", "fraud"}
    for each in report.classes:
        assert covers(each.precision, truth.precision(each.name))
        assert covers(each.recall, truth.recall(each.name))
        assert each.precision.events == sum(said.label == each.name for said in truth.said.values())
