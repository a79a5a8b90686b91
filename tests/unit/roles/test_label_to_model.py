"""How soon the gates use what a label taught, and what the trainer spends on it."""

from __future__ import annotations

import pytest

from streamal.ports import Record
from streamal.settings import Settings
from streamal.state.snapshots import dump
from streamal.telemetry import Metrics
from tests.support.town import Town
from tests.unit.roles.test_trainer import ask, crew, settle


@pytest.fixture
def town() -> Town:
    return Town({"gate": {"budget": 1.0}})


def served(metrics: Metrics) -> float:
    """How many labels the gate's model has learned."""
    return metrics.value("streamal_model_labels", {"role": "gate"}) or 0.0


@pytest.mark.parametrize("pause", [0.3, 5.0])
def test_a_label_is_in_the_model_in_use_within_two_seconds(pause: float) -> None:
    """With the defaults, whether labels come one by one or after a while."""
    default = Settings.model_fields["trainer"].get_default(call_default_factory=True)
    patient = {"snapshot_every_labels": default.snapshot_every_labels}
    town = Town({"gate": {"budget": 1.0}, "trainer": patient})
    metrics = Metrics("town")
    gate, trainer = town.pipeline(metrics).gate(instance="one"), town.pipeline().trainer(":memory:")
    gate.start()
    trainer.start()
    names = [f"event-{number}" for number in range(6)]
    ask(town, gate, *names)
    settle(trainer)
    for count, name in enumerate(names, 1):
        town.label(name)
        said_at = town.clock.now()
        while served(metrics) < count:
            settle(trainer, gate, steps=1)
            town.clock.advance(0.1)
            assert town.clock.now() - said_at < 2.0
        town.clock.advance(pause)


def test_making_snapshots_takes_a_tenth_of_the_time_at_most(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0.0

    def slow_dump(model: object) -> bytes:
        nonlocal spent
        spent += 2.0
        town.clock.advance(2.0)
        return dump(model)

    monkeypatch.setattr("streamal.roles.lead.dump", slow_dump)
    gate, trainer = crew(town)
    began = town.clock.now()
    names = [f"e{number}" for number in range(100)]
    ask(town, gate, *names)
    for name in names:
        town.label(name)
        settle(trainer, steps=1)
        town.clock.advance(1.0)
    assert 0.05 < spent / (town.clock.now() - began) < 0.11


def test_labels_that_wait_do_not_sit_out_the_leaders_polls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town({"gate": {"budget": 1.0}, "trainer": {"max_batch_records": 2}})
    gate, trainer = crew(town)
    settle(trainer)
    names = [f"e{number}" for number in range(9)]
    ask(town, gate, *names)
    for name in names:
        town.label(name)
    election, polls = trainer._election, 0
    assert election is not None
    poll = election.poll

    def counted(timeout_seconds: float, max_records: int) -> list[Record]:
        nonlocal polls
        polls += 1
        return poll(timeout_seconds, max_records)

    monkeypatch.setattr(election, "poll", counted)
    settle(trainer, steps=5)
    assert polls == 1
    settle(trainer, steps=1)
    assert polls == 2, "nothing waits any more"
    for name in names[:4]:
        town.label(name)
    settle(trainer, steps=1)
    town.clock.advance(1.0)
    settle(trainer, steps=1)
    assert polls == 4, "its membership needs looking after all the same"
