"""Production's quality in parts, through gate and trainer on the memory broker."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from streamal.events import Heartbeat, QualityReport
from streamal.roles.gate import GateRole
from streamal.roles.trainer import TrainerRole
from streamal.telemetry import Metrics
from tests.support.town import Town

ERRORS = {"v1": 0.05, "v2": 0.4}


class Canary:
    """Two production versions; the newer one is worse, and only for a quarter of the traffic."""

    def __init__(self, **settings: object) -> None:
        estimation = {"window_seconds": 100, "label_horizon_seconds": 50, **settings}
        self.town = Town(
            {
                "gate": {"budget": 0.6, "exploration": 0.5},
                "estimation": estimation,
                "trainer": {"heartbeat_seconds": 10},
            }
        )
        self.metrics = Metrics("town")
        self.gate: GateRole = self.town.pipeline(self.metrics).gate(instance="one")
        self.trainer: TrainerRole = self.town.pipeline(self.metrics).trainer(":memory:")
        self.gate.start()
        self.trainer.start()
        self.right: dict[str, list[bool]] = {"v1": [], "v2": []}
        self.classes: list[tuple[str, str]] = []

    def run(self, events: int) -> None:
        chance, asked = random.Random(11), set[str]()
        for number in range(events):
            self.town.clock.advance(1)
            version = "v2" if chance.random() < 0.25 else "v1"
            truth = "no" if chance.random() < 0.3 else "yes"
            wrong = chance.random() < ERRORS[version]
            said = {"yes": "no", "no": "yes"}[truth] if wrong else truth
            self.right[version].append(not wrong)
            self.classes.append((said, truth))
            self.town.publish(
                f"e{number}",
                model={"name": "fraud", "version": version},
                prediction={"probabilities": {said: 0.8, {"yes": "no", "no": "yes"}[said]: 0.2}},
                metadata={"country": "de" if number % 2 else "fr"},
            )
            self.gate.step()
            if number % 20 == 19:
                new = {review.event_id for review in self.town.reviews()} - asked
                for event_id in sorted(new):
                    if chance.random() < 0.8:
                        self.town.label(event_id, self.classes[int(event_id[1:])][1])
                asked |= new
                for _ in range(2):
                    self.trainer.step()
        self.town.clock.advance(200)
        for _ in range(3):
            self.trainer.step()

    def heartbeat(self) -> Heartbeat:
        reader = self.town.pipeline().snapshot_reader()
        reader.catch_up()
        reader.close()
        assert reader.heartbeat is not None
        return reader.heartbeat

    def report(self) -> QualityReport:
        quality = self.heartbeat().quality
        assert quality is not None
        return quality

    def names(self) -> dict[str, tuple[str, ...]]:
        return self.heartbeat().segments

    def accuracy(self, version: str) -> float:
        return sum(self.right[version]) / len(self.right[version])


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    ran = Canary(segments=["model_version", "country"])
    ran.run(1_800)
    yield ran
    ran.trainer.close()
    ran.gate.close()


def test_each_version_is_estimated_and_the_worse_one_is_told(canary: Canary) -> None:
    report = canary.report()
    found = {each.value: each.accuracy for each in report.segments if each.segment != "country"}
    assert set(found) == {"v1", "v2"}
    for version, part in found.items():
        assert part.low <= canary.accuracy(version) <= part.high
        assert part.events == len(canary.right[version])
    (difference,) = (each for each in report.differences if each.segment == "model_version")
    assert (difference.value, difference.reference) == ("v2", "v1")
    assert difference.worse
    truth = canary.accuracy("v2") - canary.accuracy("v1")
    assert difference.difference.low <= truth <= difference.difference.high < 0


def test_countries_do_not_differ(canary: Canary) -> None:
    (difference,) = (each for each in canary.report().differences if each.segment == "country")
    assert not difference.worse
    assert difference.difference.low < 0 < difference.difference.high


def test_classes_have_precision_and_recall(canary: Canary) -> None:
    for part in canary.report().classes:
        said = [truth for said, truth in canary.classes if said == part.name]
        true = [said for said, truth in canary.classes if truth == part.name]
        assert part.precision.events == len(said)
        assert part.precision.low <= said.count(part.name) / len(said) <= part.precision.high
        assert part.recall.low <= true.count(part.name) / len(true) <= part.recall.high
        assert part.recall.value is not None


def test_the_gauges_show_it(canary: Canary) -> None:
    metrics = canary.metrics
    series = {"segment": "model_version", "value": "v2", "reference": "v1", "kind": "high"}
    assert (metrics.value("streamal_segment_difference_ratio", series) or 0) < 0
    for kind in ("estimate", "low", "high"):
        for name, labels in (
            ("streamal_segment_accuracy_ratio", {"segment": "country", "value": "de"}),
            ("streamal_class_precision_ratio", {"class": "no"}),
            ("streamal_class_recall_ratio", {"class": "no"}),
            ("streamal_window_accuracy_ratio", {}),
        ):
            value = metrics.value(name, {**labels, "kind": kind})
            assert value is not None
            assert 0 <= value <= 1
    assert (metrics.value("streamal_window_labels") or 0) >= 1
    assert metrics.value("streamal_class_predicted_events", {"class": "no"}) == sum(
        said == "no" for said, _ in canary.classes
    )
    assert metrics.value("streamal_label_latency_reached_seconds", {"share": "0.5"}) is not None


def test_segments_end_with_leadership() -> None:
    canary = Canary()
    canary.run(300)
    series = {"segment": "model_version", "value": "v1", "kind": "estimate"}
    assert canary.metrics.value("streamal_segment_accuracy_ratio", series) is not None
    canary.trainer.close()
    assert canary.metrics.value("streamal_segment_accuracy_ratio", series) is None
    assert math.isnan(canary.metrics.value("streamal_window_labels") or 0)


def test_only_so_many_values_have_a_name() -> None:
    canary = Canary(segments=["country"], segment_values=1, classes=0)
    canary.run(400)
    report = canary.report()
    names = {each.value for each in report.segments}
    assert len(names) == 2
    assert "other" in names
    assert report.classes == ()
    assert report.differences == ()


def test_a_new_leader_without_a_file_comes_to_the_same_estimates_and_names() -> None:
    canary = Canary(segments=["model_version", "country"])
    canary.run(400)
    before, names = canary.report(), canary.names()
    canary.trainer.close()
    canary.trainer = canary.town.pipeline().trainer(":memory:")
    canary.trainer.start()
    canary.town.clock.advance(30)
    for _ in range(3):
        canary.trainer.step()
    assert canary.report() == before
    assert canary.names() == names
    assert {key: sorted(values) for key, values in names.items()} == {
        "country": ["de", "fr"],
        "model_version": ["v1", "v2"],
        "prediction": ["no", "yes"],
    }
