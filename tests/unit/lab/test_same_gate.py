"""The lab decides as production does: the same items go through the roles on the memory broker."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import orjson
import pytest

from streamal.bootstrap import Pipeline, check_settings
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.core.types import Decision
from streamal.events import LabelEvent, ReviewRequest
from streamal.lab.experiment import COMMITTEE_SIZE, Experiment, Reviewers, Setup
from streamal.lab.replay import Replay
from streamal.lab.source import Item
from streamal.operations.topics import topic_specs
from streamal.roles.gate_batch import Decided
from streamal.settings import Settings
from streamal.telemetry import Metrics

ITEMS = 250
CLASSES = ("no", "yes")


def settings(strategy: str, source: str | None) -> Settings:
    """One partition, and a snapshot after every label: nothing is between gate and trainer."""
    return Settings.model_validate(
        {
            "pipeline": {"name": "lab", "seed": 5},
            "topics": {"predictions_partitions": 1},
            "gate": {
                "strategy": strategy,
                "strategy_parameters": {"source": source} if source else {},
                "policy": "quantile",
                "budget": 0.15,
                "poll_timeout_seconds": 0.001,
            },
            "learner": {"name": "logistic_regression", "committee_size": COMMITTEE_SIZE},
            "trainer": {"snapshot_every_labels": 1, "poll_timeout_seconds": 0.001},
            "snapshots": {"signing_keys": ["a key for this test"]},
        }
    )


def through_the_roles(items: list[Item], chosen: Settings) -> list[tuple[Decision, float]]:
    check_settings(chosen)
    clock = ManualClock()
    broker = MemoryBroker(clock, session_timeout_seconds=inf, transaction_timeout_seconds=inf)
    broker.admin().create_topics(topic_specs(chosen))
    pipeline = Pipeline(chosen, broker, clock, Metrics("lab"))
    decided: list[tuple[Decision, float]] = []

    def observe(each: Decided) -> None:
        decided.extend(
            zip(each.decisions, each.assessed.outlooks.expected_correct.tolist(), strict=True)
        )

    gate, trainer = (
        pipeline.gate(instance="lab", observer=observe),
        pipeline.trainer(":memory:"),
    )
    people = broker.consumer(group="people")
    people.subscribe([chosen.topics.reviews])
    producer = broker.producer()
    truth = {item.event_id: item.label for item in items}
    gate.start()
    trainer.start()
    for item in items:
        clock.advance(1.0)
        assert item.production is not None
        event = {
            "event_id": item.event_id,
            "timestamp": clock.now(),
            "features": item.features,
            "prediction": {"probabilities": item.production.probabilities},
        }
        producer.send(chosen.topics.predictions, orjson.dumps(event))
        gate.step()
        for record in people.poll(0.0, 10):
            event_id = ReviewRequest.from_bytes(record.value).event_id
            label = LabelEvent(
                event_id=event_id,
                label=truth[event_id],
                annotator="person",
                labelled_at=datetime.fromtimestamp(clock.now(), UTC),
            )
            producer.send(chosen.topics.labels, label.to_bytes(), key=event_id.encode())
        trainer.step()
    gate.close()
    trainer.close()
    return decided


def through_the_lab(
    items: list[Item], strategy: str, policy: str = "quantile"
) -> list[tuple[Decision, float]]:
    setup = Setup(strategy, policy, "logistic_regression", 0.15, 5)
    run = Replay(setup.gate(), setup.model(), Reviewers(), CLASSES)
    return [
        pair
        for seen in run.run(items)
        for pair in zip(seen.decisions, seen.expected_correct.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("strategy", "source"),
    [
        ("margin", None),
        ("margin", "production"),
        ("margin", "committee"),
        ("vote_entropy", None),
        ("expected_error", None),
        ("closest_support_vector", None),
        ("query_synthesis", None),
        ("expected_error_reduction", None),
    ],
)
def test_the_lab_decides_as_the_roles_do(
    experiment: Experiment, strategy: str, source: str | None
) -> None:
    items = list(experiment.recording.items())[:ITEMS]
    name = f"{strategy},source={source}" if source else strategy
    lab, roles = through_the_lab(items, name), through_the_roles(items, settings(strategy, source))
    assert [decision for decision, _ in lab] == [decision for decision, _ in roles]
    assert [expected for _, expected in lab] == [expected for _, expected in roles]
    assert 20 < sum(decision.query for decision, _ in lab) < 60
    assert len({decision.propensity for decision, _ in lab}) > 2


@pytest.mark.parametrize("strategy", ["margin", "expected_error_reduction"])
def test_the_lab_decides_windows_as_the_roles_do(experiment: Experiment, strategy: str) -> None:
    items = list(experiment.recording.items())[:ITEMS]
    chosen = settings(strategy, None)
    gate = chosen.gate.model_copy(
        update={"policy": "windowed_top_k", "policy_parameters": {"window": 10, "seconds": 1e4}}
    )
    roles = through_the_roles(items, chosen.model_copy(update={"gate": gate}))
    lab = through_the_lab(items, strategy, "windowed_top_k,window=10")
    assert [decision for decision, _ in lab] == [decision for decision, _ in roles]
    assert 20 < sum(decision.query for decision, _ in lab) < 60


def test_the_lab_leaves_no_window_undecided(experiment: Experiment) -> None:
    items = list(experiment.recording.items())[:25]
    setup = Setup("margin", "windowed_top_k,window=10", "logistic_regression", 0.5, 5)
    run = Replay(setup.gate(), setup.model(), Reviewers(), CLASSES)
    assert [len(seen) for seen in run.run(items)] == [10, 10, 5]
