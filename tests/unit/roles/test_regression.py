"""A regression pipeline on the memory broker: gate, trainer, dead letters, estimates."""

from __future__ import annotations

import math

import orjson
import pytest

from streamal.operations.inspect import inspect
from streamal.roles.gate import GateRole
from streamal.roles.trainer import TrainerRole
from streamal.telemetry import Metrics
from tests.support.town import Town, merged

REGRESSION = {
    "pipeline": {"task": "regression", "tolerance": 2.0, "value_range": [0, 1000]},
    "gate": {"budget": 1.0, "strategy": "expected_absolute_error"},
    "learner": {"name": "knn_regressor"},
}


def crew(town: Town) -> tuple[GateRole, TrainerRole]:
    gate, trainer = town.pipeline().gate(instance="one"), town.pipeline().trainer(":memory:")
    gate.start()
    trainer.start()
    return gate, trainer


def settle(*roles: GateRole | TrainerRole, steps: int = 6) -> None:
    for _ in range(steps):
        for role in roles:
            role.step()


def predict(town: Town, number: int, **prediction: object) -> str:
    """Production always says 20; the truth is ten times x."""
    event_id = f"e{number}"
    town.publish(event_id, features={"x": number % 5}, prediction=prediction or {"value": 20.0})
    return event_id


@pytest.fixture
def town() -> Town:
    return Town(REGRESSION)


@pytest.mark.parametrize("target", ["label", "error"])
def test_numbers_are_asked_for_learned_and_served(target: str) -> None:
    town = Town(merged(REGRESSION, {"learner": {"target": target}}))
    gate, trainer = crew(town)
    for number in range(200):
        predict(town, number)
    settle(gate)
    first = town.reviews()
    assert {(each.task, each.tolerance, each.score) for each in first} == {("regression", 2.0, 1.0)}
    assert {(each.model.value, each.expected_loss) for each in first} == {(None, None)}
    for number in range(200):
        town.label(f"e{number}", None, value=10.0 * (number % 5))
    settle(trainer, gate)
    town.clock.advance(1)
    for number in range(200, 210):
        predict(town, number)
    settle(gate)
    later = {each.features["x"]: each for each in town.reviews() if each.model.version}
    right, wrong = later[2], later[4]
    assert right.expected_loss is not None
    assert wrong.expected_loss is not None
    assert right.expected_loss < 8.0 < 12.0 < wrong.expected_loss
    assert right.expected_correct > wrong.expected_correct
    assert right.score < wrong.score < 1.0
    if target == "label":
        assert wrong.model.value == pytest.approx(40.0, abs=6.0)
    else:
        assert wrong.model.value is None
    assert town.reasons() == []


def test_what_is_no_usable_number_is_a_dead_letter_each(town: Town) -> None:
    gate, trainer = crew(town)
    predict(town, 1)
    settle(gate)
    predict(town, 2, label="cat")
    predict(town, 3, value=1000.5)
    event = {"event_id": "e4", "timestamp": town.clock.now(), "features": {}, "prediction": {}}
    town.writer.send(town.topics.predictions, orjson.dumps(event))
    nan = orjson.dumps({**event, "prediction": {"value": 1}}).replace(b":1}", b":NaN}")
    town.writer.send(town.topics.predictions, nan)
    settle(gate)
    town.label("e1", "cat")
    town.label("e1", None, value=-1.0)
    settle(trainer)
    assert sorted(town.reasons()) == [
        "malformed_json",
        "missing_prediction",
        "unsupported_task",
        "unsupported_task",
        "value_out_of_range",
        "value_out_of_range",
    ]
    town.label("e1", None, value=10.0)
    settle(trainer)
    found = inspect(town.pipeline())
    assert found.model is not None
    assert found.model.labels_learned == 1


def test_right_is_within_the_tolerance(town: Town) -> None:
    gate, trainer = crew(town)
    for number in range(40):
        predict(town, number)
    settle(gate)
    for number in range(40):
        town.label(f"e{number}", None, value=22.0 if number % 4 else 22.5)
    settle(trainer)
    town.clock.advance(8 * 86_400)
    settle(trainer)
    assert trainer.quality is not None
    assert trainer.quality.production.overall().value == pytest.approx(0.75)


def test_events_bring_their_own_committee() -> None:
    town = Town(merged(REGRESSION, {"gate": {"strategy": "variance"}}))
    gate, _ = crew(town)
    town.publish("agrees", prediction={"value": 1.0}, committee=[5.0, 5.0])
    town.publish("alone", prediction={"value": 1.0}, committee=[5.0, {"a": 1.0}])
    settle(gate)
    assert {each.event_id: each.score for each in town.reviews()} == {"agrees": 0.0, "alone": 1.0}


def test_the_mean_absolute_error_is_estimated_and_shown(town: Town) -> None:
    metrics = Metrics("town")
    gate, trainer = town.pipeline().gate(instance="one"), town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    for number in range(40):
        predict(town, number)
    settle(gate)
    for number in range(40):
        town.label(f"e{number}", None, value=26.0 if number % 4 else 20.0)
    settle(trainer, gate)
    town.clock.advance(1)
    for number in range(40, 60):
        predict(town, number)
    settle(gate)
    for number in range(40, 60):
        town.label(f"e{number}", None, value=26.0)
    settle(trainer)
    town.clock.advance(8 * 86_400)
    settle(trainer)

    def shown(name: str, kind: str = "estimate") -> float:
        return metrics.value(f"streamal_{name}_absolute_error", {"kind": kind}) or 0.0

    assert shown("production") == pytest.approx((30 * 6.0 + 20 * 6.0) / 60)
    assert shown("production", "low") <= 5.0 <= shown("production", "high")
    assert 0.0 < shown("model") < shown("production"), "it learned where the truth is"
    report = inspect(town.pipeline()).quality
    assert report is not None
    assert report.loss is not None
    assert report.loss.production.value == pytest.approx(5.0)
    assert report.loss.production.naive == pytest.approx(5.0)
    assert report.loss.model.labelled == 20


def test_the_objective_is_shown_by_whoever_leads() -> None:
    for objective in (3.0, None):
        town = Town(merged(REGRESSION, {"estimation": {"error_objective": objective}}))
        metrics = Metrics("town")
        trainer = town.pipeline(metrics).trainer(":memory:")
        name = "streamal_objective_absolute_error"
        assert math.isnan(metrics.value(name) or 0.0)
        trainer.start()
        settle(trainer)
        shown = metrics.value(name)
        assert shown is not None
        assert shown == objective or (objective is None and math.isnan(shown))
        trainer.close()
        assert math.isnan(metrics.value(name) or 0.0)


def test_a_canary_that_is_further_off_shows_by_its_errors_alone() -> None:
    """Both versions pass the tolerance as often, but the newer one by far more."""
    changes = {"estimation": {"window_seconds": 100, "label_horizon_seconds": 50}}
    town, metrics = Town(merged(REGRESSION, changes)), Metrics("town")
    gate, trainer = town.pipeline().gate(instance="one"), town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    for number in range(800):
        town.clock.advance(1)
        version = "v2" if number % 4 == 0 else "v1"
        town.publish(
            f"e{number}",
            features={"x": number % 5},
            prediction={"value": 20.0},
            model={"name": "eta", "version": version},
        )
        settle(gate, steps=1)
        off = 0.0 if number % 3 else (40.0 if version == "v2" else 4.0)
        town.label(f"e{number}", None, value=20.0 + off)
        if number % 50 == 49:
            settle(gate, trainer)
    town.clock.advance(200)
    settle(trainer)
    report = inspect(town.pipeline()).quality
    assert report is not None
    errors = {each.value: each.loss for each in report.segments if each.loss is not None}
    assert errors.keys() == {"v1", "v2"}
    assert errors["v1"].value == pytest.approx(4 / 3, abs=0.3)
    assert errors["v2"].value == pytest.approx(40 / 3, abs=3.0)
    (compared,) = report.differences
    assert (compared.value, compared.reference, compared.worse) == ("v2", "v1", False)
    assert compared.loss is not None
    assert compared.loss.worse
    assert compared.loss.low is not None
    assert 0.0 < compared.loss.low < 12.0 < (compared.loss.high or 0.0)
    labels = {"segment": "model_version", "value": "v2", "reference": "v1", "kind": "low"}
    assert metrics.value("streamal_segment_absolute_error_difference", labels) == pytest.approx(
        compared.loss.low
    )
    del labels["reference"]
    shown = metrics.value("streamal_segment_absolute_error", {**labels, "kind": "estimate"})
    assert shown == pytest.approx(errors["v2"].value)


def test_a_classification_has_no_error_to_show() -> None:
    town, metrics = Town({"gate": {"budget": 1.0}}), Metrics("town")
    gate, trainer = town.pipeline().gate(instance="one"), town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    town.publish("a")
    settle(gate)
    town.label("a")
    settle(trainer)
    town.clock.advance(8 * 86_400)
    settle(trainer)
    assert metrics.value("streamal_production_absolute_error", {"kind": "estimate"}) is None
    report = inspect(town.pipeline()).quality
    assert report is not None
    assert report.loss is None
