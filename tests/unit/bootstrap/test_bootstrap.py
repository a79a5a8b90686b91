"""What only the parts themselves can say about settings, and the first contact with a broker."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from streamal.bootstrap import Pipeline, check_settings, connect, gate_group, trainer_group
from streamal.bootstrap.drift import watch_options
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.errors import BrokerGone, SettingsInvalid
from streamal.operations.topics import topic_specs
from streamal.ports import TopicPartition
from streamal.settings import Settings
from streamal.telemetry import Metrics

KEYS = {"snapshots": {"signing_keys": ["0123456789abcdef"]}}


def settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate({**KEYS, **sections})


def problems(**sections: dict[str, object]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        check_settings(settings(**sections))
    assert all("\n" not in line for line in caught.value.problems)
    return caught.value.problems


def test_the_defaults_and_a_key_are_enough() -> None:
    check_settings(settings())


@pytest.mark.parametrize(
    ("section", "values", "line"),
    [
        ("snapshots", {"signing_keys": []}, "snapshots.signing_keys is empty; needs at least one"),
        ("snapshots", {"signing_keys": ["short"]}, "snapshots.signing_keys: key 1 has 5 bytes"),
        ("gate", {"strategy": "nope"}, "gate.strategy: 'nope' is not a strategy; one of ban"),
        ("gate", {"policy": "nope"}, "gate.policy: 'nope' is not a budget policy; one of bal"),
        ("gate", {"strategy_parameters": {"x": 1}}, "gate.strategy_parameters.x: unknown"),
        ("gate", {"policy_parameters": {"x": 1}}, "gate.policy_parameters.x: unknown"),
        ("gate", {"max_per_hour": 3}, "gate.max_per_hour: 3"),
        ("learner", {"name": "nope"}, "learner.name: 'nope' is not a learner; one of default"),
        ("learner", {"name": "no_such.module:x"}, "learner.name: cannot import 'no_such.module:x'"),
        ("learner", {"parameters": {"x": 1}}, "learner.parameters.x: "),
        ("learner", {"warm_start": "/no/such.csv"}, "learner.warm_start = '/no/such.csv': no such"),
        ("broker", {"bootstrap_servers": ["host"]}, "broker.bootstrap_servers: 'host' is not host"),
        ("broker", {"security_protocol": "SASL_SSL"}, "broker.sasl_mechanism: SASL_SSL needs one"),
        ("broker", {"request_timeout_seconds": 0.1}, "broker.request_timeout_seconds: 0.1 is not"),
        ("drift", {"detectors": ["x"]}, "drift.detectors: 'x' is not a detector; one of adwin"),
        (
            "drift",
            {"detector_parameters": {"harmful_risk": {"tolerance": 2}}},
            "drift.detector_parameters.harmful_risk.tolerance: 2 is not allowed; a number, in",
        ),
        (
            "drift",
            {"detector_parameters": {"adwin": {}}},
            "drift.detector_parameters.adwin: not among drift.detectors (harmful_risk)",
        ),
        (
            "drift",
            {"data": {"reference_windows": 1000, "max_features": 8}},
            "drift.data.reference_windows = 1000: times estimation.window_seconds must be below",
        ),
        (
            "topics",
            {"retention_seconds": 60},
            "topics.retention_seconds = 60: must be above labels",
        ),
    ],
)
def test_a_problem_is_one_line_that_names_the_key(
    section: str, values: dict[str, object], line: str
) -> None:
    (found,) = problems(**{section: values})
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("task", "detector", "subject"),
    [
        ("regression", "calibration", "overconfidence"),
        ("classification", "harmful_error", "absolute_error"),
    ],
)
def test_a_detector_needs_something_to_follow(task: str, detector: str, subject: str) -> None:
    pipeline: dict[str, object] = {
        "task": task,
        "tolerance": 1.0 if task == "regression" else None,
    }
    (line,) = problems(
        pipeline=pipeline,
        gate={"strategy": "random"},
        drift={"detectors": [detector, "adwin"]},
    )
    assert line == (f"drift.detectors: {detector} follows {subject}, which a {task} does not have")


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("classification", {"harmful_risk"}),
        ("regression", {"harmful_risk", "harmful_error"}),
    ],
)
def test_harm_is_watched_for_without_being_asked_and_not_when_not_wanted(
    task: str, names: set[str]
) -> None:
    pipeline = {"task": task, "tolerance": 1.0 if task == "regression" else None}
    base = {"pipeline": pipeline, "gate": {"strategy": "random"}}
    assert watch_options(Settings.model_validate(base)).detectors.keys() == names
    none = Settings.model_validate({**base, "drift": {"detectors": []}})
    assert watch_options(none).detectors == {}


@pytest.mark.parametrize(
    ("gate", "learner", "why"),
    [
        ({"strategy": "margin"}, {}, "not with gate.strategy = 'margin', which makes up no items"),
        ({}, {"target": "error"}, "not with learner.target = 'error': production never sees a"),
        ({}, {"name": "best_of"}, "not with learner.name = 'best_of', which chooses by accuracy"),
    ],
)
def test_made_up_items_need_who_makes_and_who_learns_them(
    gate: dict[str, object], learner: dict[str, object], why: str
) -> None:
    asking = {"strategy": "query_synthesis", "synthetic_share": 0.2, **gate}
    (line,) = problems(gate=asking, learner=learner)
    assert line.startswith(f"gate.synthetic_share = 0.2: {why}")
    check_settings(settings(gate={**asking, "synthetic_share": 0}, learner=learner))
    parts = [{"strategy": "query_synthesis"}, {"strategy": "margin"}]
    both = {**asking, "strategy": "bandit", "strategy_parameters": {"strategies": parts}}
    check_settings(settings(gate=both))


def test_the_problems_of_all_parts_are_told_at_once() -> None:
    lines = problems(
        gate={"strategy": "nope", "policy": "nope"},
        learner={"name": "nope", "warm_start": "/no/such.csv"},
        broker={"bootstrap_servers": ["host"], "sasl_mechanism": "PLAIN"},
        snapshots={},
        topics={"retention_seconds": 60},
    )
    keys = [line.split(" ")[0].rstrip(":") for line in lines]
    assert keys == [
        "gate.strategy",
        "gate.policy",
        "learner.name",
        "snapshots.signing_keys",
        "broker.bootstrap_servers",
        "broker.sasl_mechanism",
        "learner.warm_start",
        "topics.retention_seconds",
    ]


def test_checking_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    check_settings(settings())


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections and that nobody else can take."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def first_contact(port: int, **broker: float) -> tuple[str, float]:
    """What is said, and after how many seconds."""
    servers = {"bootstrap_servers": [f"127.0.0.1:{port}"], "connect_timeout_seconds": 1.0}
    started = time.monotonic()
    with pytest.raises(BrokerGone) as caught, connect(settings(broker={**servers, **broker})):
        pass
    return str(caught.value), time.monotonic() - started


def test_no_broker_ends_within_the_connect_timeout(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    message, seconds = first_contact(closed_port)
    assert message == (
        f"no broker answered within 1 s: no broker answers: 127.0.0.1:{closed_port}: "
        "Connection refused"
    )
    assert 0.9 < seconds < 20
    assert not caplog.records
    assert logging.getLogger("kafka").level != logging.CRITICAL


def test_no_broker_is_waited_for_longer_than_one_request(closed_port: int) -> None:
    _, seconds = first_contact(
        closed_port, connect_timeout_seconds=2.5, request_timeout_seconds=0.7
    )
    assert 2.4 < seconds < 6


def test_a_port_that_does_not_speak_kafka(silent_port: int) -> None:
    message, seconds = first_contact(silent_port)
    assert "does not speak Kafka PLAINTEXT" in message
    assert seconds < 8


def test_connecting_with_settings_that_do_not_fit() -> None:
    wrong = settings(broker={"bootstrap_servers": ["host"]})
    with pytest.raises(SettingsInvalid, match=r"broker\.bootstrap_servers"), connect(wrong):
        pass


def test_groups_carry_the_pipelines_name() -> None:
    named = settings(pipeline={"name": "orders"})
    assert (gate_group(named), trainer_group(named)) == ("orders-gate", "orders-trainer")


GOOD = {
    "event_id": "e-0",
    "timestamp": 1_700_000_000,
    "features": {"x": 1.0},
    "prediction": {"probabilities": {"a": 0.5, "b": 0.5}},
}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"not json", b"malformed_json"),
        (b"", b"empty"),
        (b"x" * 2 * 1024 * 1024, b"too_large"),
        (orjson.dumps(GOOD | {"features": None}), b"missing_field"),
        (orjson.dumps(GOOD | {"features": {"x": None}}), b"missing_feature"),
        (orjson.dumps(GOOD | {"event_id": "f", "timestamp": 4e9}), b"future_timestamp"),
        (orjson.dumps(GOOD | {"prediction": {"label": "z"}}), b"unknown_class"),
        (orjson.dumps(GOOD), b"duplicate_event"),
    ],
)
def test_garbage_ends_as_a_dead_letter_and_the_stream_goes_on(value: bytes, reason: bytes) -> None:
    clock = ManualClock()
    broker = MemoryBroker(clock)
    wired = settings(
        pipeline={"classes": ["a", "b"]},
        format={"required_features": ["x"]},
        gate={"poll_timeout_seconds": 1e-4, "budget": 1.0},
        topics={"predictions_partitions": 1},
    )
    broker.admin().create_topics(topic_specs(wired))
    gate = Pipeline(wired, broker, clock, Metrics("streamal")).gate(instance="test")
    producer = broker.producer()
    for each in (orjson.dumps(GOOD), value, orjson.dumps(GOOD | {"event_id": "e-1"})):
        producer.send("predictions", each, key=b"k")
    gate.start()
    for _ in range(5):
        gate.step()
    gate.close()
    reader = broker.consumer()
    reader.assign([TopicPartition("dead-letters", 0), TopicPartition("reviews", 0)])
    records = [record for _ in range(3) for record in reader.poll(0.0, 100)]
    (letter,) = [record for record in records if record.topic == "dead-letters"]
    assert letter.header("streamal.reason") == reason
    assert (letter.key, letter.value) == (b"k", value)
    assert [record.key for record in records if record.topic == "reviews"] == [b"e-0", b"e-1"]


def repeat(step: Callable[[], None], times: int) -> None:
    for _ in range(times):
        step()


def test_a_warm_start_file_without_the_label_column(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n1,a\n", encoding="utf-8")
    clock = ManualClock()
    broker = MemoryBroker(clock)
    wired = settings(
        learner={"warm_start": path, "warm_start_label": "label"},
        trainer={"poll_timeout_seconds": 1e-4},
    )
    broker.admin().create_topics(topic_specs(wired))
    trainer = Pipeline(wired, broker, clock, Metrics("streamal")).trainer(":memory:")
    trainer.start()
    with pytest.raises(SettingsInvalid, match="has no column label"):
        repeat(trainer.step, 5)
    trainer.close()


def test_check_settings_looks_into_the_warm_start_file(tmp_path: Path) -> None:
    path = tmp_path / "past.csv"
    path.write_text("x,outcome\n1,yes\n", encoding="utf-8")
    settings = Settings.model_validate(
        {
            "learner": {"warm_start": str(path)},
            "snapshots": {"signing_keys": ["0123456789abcdef"]},
        }
    )
    with pytest.raises(SettingsInvalid, match=r"learner\.warm_start_label: .* no column label"):
        check_settings(settings)


TASK: dict[str, object] = {"task": "regression", "tolerance": 2.0}
REGRESSION: dict[str, dict[str, object]] = {"pipeline": TASK, "gate": {"strategy": "random"}}


@pytest.mark.parametrize("target", ["label", "error"])
@pytest.mark.parametrize("strategy", ["random", "variance", "expected_absolute_error"])
def test_a_regression_pipeline_is_possible(target: str, strategy: str) -> None:
    sections: dict[str, dict[str, object]] = {
        **REGRESSION,
        "gate": {"strategy": strategy},
        "learner": {"target": target},
    }
    check_settings(settings(**sections))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"pipeline": {"task": "regression"}},
            "pipeline.tolerance: missing; with pipeline.task = 'regression' say how far",
        ),
        (
            {"gate": {"strategy": "entropy"}},
            "gate.strategy = 'entropy': not for pipeline.task = 'regression'; one of coefficient_",
        ),
        (
            {"learner": {"name": "logistic_regression"}},
            "learner.name: 'logistic_regression' is not a learner for regression; one of default,",
        ),
        (
            {"pipeline": {**TASK, "classes": ["a"]}},
            "pipeline.classes: must be empty with pipeline.task = 'regression'",
        ),
        (
            {"pipeline": {**TASK, "value_range": [3, 1]}},
            "pipeline.value_range = [3, 1]: must rise",
        ),
        (
            {"pipeline": {"tolerance": 2.0}},
            "pipeline.tolerance: only with pipeline.task = 'regression'",
        ),
        (
            {"pipeline": {}, "gate": {}, "estimation": {"error_objective": 2.0}},
            "estimation.error_objective: only with pipeline.task = 'regression'",
        ),
        (
            {"pipeline": {}, "gate": {"strategy": "variance"}},
            "gate.strategy = 'variance': not for pipeline.task = 'classification'; one of ban",
        ),
    ],
)
def test_what_does_not_fit_a_task_is_one_line(
    changes: dict[str, dict[str, object]], line: str
) -> None:
    (found,) = problems(**{**REGRESSION, **changes})
    assert found.startswith(line)


@pytest.mark.parametrize(("truth", "fits"), [("3.5", True), ("high", False)])
def test_the_warm_start_of_a_regression_needs_numbers(
    tmp_path: Path, truth: str, *, fits: bool
) -> None:
    path = tmp_path / "past.csv"
    path.write_text(f"x,label\n1,{truth}\n")
    sections: dict[str, dict[str, object]] = {**REGRESSION, "learner": {"warm_start": path}}
    if fits:
        check_settings(settings(**sections))
        return
    (line,) = problems(**sections)
    assert line == f"learner.warm_start: {path}, data row 1: 'high' is no number"
