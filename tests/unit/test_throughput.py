"""The benchmark of throughput: its events are what it says, and its peers do the whole job."""

from __future__ import annotations

import orjson
import pytest

from benchmarks.throughput.bench import Spread
from benchmarks.throughput.events import CLASSES, Shape, events
from benchmarks.throughput.peers.job import Chooser, Job
from benchmarks.throughput.reviews import answered, requested
from streamal.events import LabelEvent, ProbabilityRules, ReviewRequest
from streamal.events.formats import Envelope, FieldMapping, FlatFormat


@pytest.mark.parametrize("shape", [Shape(), Shape(10, 4096), Shape(100, 4096)], ids=str)
def test_events_have_the_size_and_the_features_that_their_shape_says(shape: Shape) -> None:
    for event in events(shape, 50):
        assert len(event.value) == shape.size_bytes
        assert len(orjson.loads(event.value)["features"]) == shape.features


def test_events_are_in_the_shape_that_needs_no_configuration() -> None:
    adapter = FlatFormat(FieldMapping(), ProbabilityRules(), ())
    for event in events(Shape(), 50):
        (prediction,) = adapter.read(Envelope(event.value, event.key, 0, {}))
        assert prediction.event_id.encode() == event.key
        assert len(prediction.features) == 10
        assert prediction.prediction is not None
        assert set(prediction.prediction.probabilities or {}) == set(CLASSES)


def test_the_same_events_come_again_whatever_their_number() -> None:
    assert list(events(Shape(), 3_000))[:10] == list(events(Shape(), 10))
    assert list(events(Shape(), 10, seed=2)) != list(events(Shape(), 10))


def test_the_minimum_by_hand_asks_about_the_share_that_it_may() -> None:
    job = Job("", "", "", "", warm_up=0, total=0, budget=0.1, features=10)
    chooser = Chooser(job)
    asked = [chooser.question(orjson.loads(event.value)) for event in events(Shape(), 2_000)]
    assert 0.05 < sum(each is not None for each in asked) / len(asked) < 0.2


def test_a_job_survives_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("broker:1", "in", "out", "group", warm_up=1, total=2, budget=0.1, features=3)
    monkeypatch.setattr("sys.argv", ["module", "mode", job.to_argument()])
    assert Job.given() == job


def test_made_up_reviews_and_labels_keep_the_contract() -> None:
    reviews = list(requested("orders", Shape(), 5))
    for review, label in zip(reviews, answered(reviews), strict=True):
        request = ReviewRequest.from_bytes(review.value)
        answer = LabelEvent.from_bytes(label.value)
        assert request.event_id == answer.event_id == review.key.decode()
        assert answer.label == review.truth
        assert request.pipeline == "orders"


def test_a_spread_is_the_median_between_least_and_largest() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)
    assert str(Spread.of([3.0, 1.0, 10.0])) == "3.0 (1.0 to 10.0)"
    assert str(Spread.of([3.0])) == "3.0"
