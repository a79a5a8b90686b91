"""The trainer on the memory broker: leadership, labels, snapshots, standbys."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from streamal.core.types import top_class
from streamal.events import DriftEvent, Output, ReviewRequest
from streamal.operations.inspect import inspect
from streamal.ports import TopicPartition
from streamal.roles.gate import GateRole
from streamal.roles.trainer import TrainerRole
from streamal.settings import Settings
from streamal.telemetry import Metrics
from tests.support.town import SESSION_SECONDS, Town


def crew(town: Town, metrics: Metrics | None = None) -> tuple[GateRole, TrainerRole]:
    gate = town.pipeline().gate(instance="one")
    trainer = town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    return gate, trainer


def settle(*roles: GateRole | TrainerRole, steps: int = 6) -> None:
    for _ in range(steps):
        for role in roles:
            role.step()


def ask(town: Town, gate: GateRole, *event_ids: str) -> None:
    """Have these events routed; the town's budget must be 1."""
    for event_id in event_ids:
        town.publish(event_id)
    settle(gate)


@pytest.fixture
def town() -> Town:
    return Town({"gate": {"budget": 1.0}, "pipeline": {"classes": ["no", "yes"]}})


def test_a_label_is_learned_with_what_was_decided_on_and_served(town: Town) -> None:
    gate, trainer = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id, "no")
    settle(trainer, gate)
    town.clock.advance(1)
    town.publish("e")
    settle(gate)
    (review,) = [each for each in town.reviews() if each.event_id == "e"]
    assert review.model.version == 1
    assert review.model.label == "no"


def test_duplicates_and_late_and_unknown_labels_are_told_apart(town: Town) -> None:
    metrics = Metrics("town")
    gate, trainer = crew(town, metrics)
    ask(town, gate, "a", "b")
    town.label("a")
    town.label("a")
    town.label("never-routed")
    town.label("b", skip=True)
    town.label("b", unsure=True)
    town.label("b", "purple")
    town.clock.advance(town.settings.labels.ttl_seconds + 1)
    town.label("b")
    settle(trainer, steps=12)
    counted = {
        outcome: metrics.value("streamal_labels_total", {"outcome": outcome})
        for outcome in ("learned", "duplicate", "unknown", "skip", "unsure", "late", "rejected")
    }
    assert counted == dict.fromkeys(counted, 1)
    assert sorted(town.reasons()) == ["late_label", "unknown_class", "unknown_label"]


def test_unsolicited_feedback_is_learned(town: Town) -> None:
    gate, trainer = crew(town)
    for number in range(4):
        town.label(f"own-{number}", "no", features={"x": 1.0})
    settle(trainer, gate)
    found = inspect(town.pipeline())
    assert found.model is not None
    assert found.model.labels_learned == 4
    assert town.reasons() == []


def test_learning_errors_needs_the_prediction_of_unsolicited_feedback() -> None:
    town = Town({"learner": {"target": "error"}})
    _, trainer = crew(town)
    for number in range(4):
        town.label(f"n{number}", features={"x": 1.0}, prediction=Output(label="yes"))
    town.label("without", features={"x": 1.0})
    settle(trainer)
    found = inspect(town.pipeline())
    assert found.model is not None
    assert found.model.labels_learned == 4
    assert town.reasons() == ["missing_prediction"]


def test_a_standby_takes_over_where_the_leader_stopped(town: Town) -> None:
    gate, leader = crew(town)
    standby = town.pipeline().trainer(":memory:")
    settle(leader)
    standby.start()
    settle(leader, standby)
    ask(town, gate, "a", "b", "c", "d", "e")
    for event_id in "abcde":
        town.label(event_id)
    settle(leader, standby)
    leader.close()
    for event_id in "abcde":
        town.label(event_id)
    town.clock.advance(SESSION_SECONDS + 1)
    settle(standby, steps=8)
    town.clock.advance(1000)
    settle(standby, steps=4)
    found = inspect(town.pipeline())
    assert found.model is not None
    assert found.model.labels_learned == 5
    assert found.labels_lag == 0


def test_a_lost_file_is_rebuilt_from_the_log(town: Town, tmp_path: Path) -> None:
    gate, first = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id)
    settle(first)
    first.close()
    second = town.pipeline().trainer(tmp_path / "new.sqlite3")
    second.start()
    ask(town, gate, "e")
    for event_id in "abcde":
        town.label(event_id)
    settle(second)
    second.close()
    found = inspect(town.pipeline())
    assert found.model is not None
    assert found.model.labels_learned == 5
    assert town.reasons() == []


def test_other_learner_settings_start_a_new_lineage_from_all_labels(town: Town) -> None:
    gate, first = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id)
    settle(first)
    first.close()
    before = inspect(town.pipeline()).model
    learner = town.settings.learner.model_copy(update={"name": "gaussian_nb"})
    town.settings = town.settings.model_copy(update={"learner": learner})
    second = town.pipeline().trainer(":memory:")
    second.start()
    settle(second)
    second.close()
    after = inspect(town.pipeline()).model
    assert before is not None
    assert after is not None
    assert (after.version, after.labels_learned) == (before.version + 1, 4)
    assert after.lineage != before.lineage
    assert after.learner == "gaussian_nb"


def scores(town: Town) -> dict[str, float]:
    return {review.event_id: review.score for review in town.reviews()}


def test_labelled_items_reach_the_strategy_that_asks_for_them() -> None:
    """Whoever asks later gets what is labelled from then on, with the same model."""
    changes = {"topics": {"predictions_partitions": 1}, "trainer": {"snapshot_every_labels": 2}}
    town = Town({"gate": {"budget": 1.0}, **changes})
    gate, first = crew(town)
    ask(town, gate, "a", "bb", "ccc", "dddd")
    for event_id, label in (("a", "no"), ("bb", "no"), ("ccc", "yes"), ("dddd", "yes")):
        town.label(event_id, label)
    settle(first)
    gate.close()
    first.close()
    before = inspect(town.pipeline()).model

    town.settings = with_strategy(town, "query_synthesis")
    gate, second = crew(town)
    ask(town, gate, "e" * 2, "f" * 4)
    assert scores(town)["ee"] == scores(town)["ffff"] == 1.0  # nothing was remembered before
    for event_id, label in (("ee", "no"), ("ffff", "yes")):
        town.label(event_id, label)
    settle(second)
    town.clock.advance(1)
    ask(town, gate, "ggg", "hhhhhhhhh", "iii")
    found = scores(town)
    assert (found["ggg"], found["hhhhhhhhh"], found["iii"]) == (1.0, 0.5, 1.0)
    after = inspect(town.pipeline()).model
    assert before is not None
    assert after is not None
    assert (after.lineage, after.labels_learned) == (before.lineage, 6)
    second.close()


def with_strategy(town: Town, name: str) -> Settings:
    gate = town.settings.gate.model_copy(update={"strategy": name})
    return town.settings.model_copy(update={"gate": gate})


def test_a_snapshot_signed_by_another_key_is_refused_by_the_gate(town: Town) -> None:
    gate, trainer = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id)
    settle(trainer)
    trainer.close()
    stranger = Town()
    town.settings = town.settings.model_copy(update={"snapshots": stranger.settings.snapshots})
    keys = {"signing_keys": ("another key of some length",)}
    snapshots = type(town.settings.snapshots).model_validate(keys)
    town.settings = town.settings.model_copy(update={"snapshots": snapshots})
    found = inspect(town.pipeline())
    assert found.model is None
    assert found.refused is not None
    assert "not signed with any of our keys" in found.refused


def test_a_warm_start_is_served_before_the_first_label(tmp_path: Path) -> None:
    rows = tmp_path / "past.csv"
    rows.write_text("x,label\n" + "".join(f"{n},{'yes' if n > 5 else 'no'}\n" for n in range(11)))
    town = Town({"learner": {"warm_start": str(rows)}, "gate": {"budget": 1.0}})
    gate, trainer = crew(town)
    settle(trainer)
    town.clock.advance(1)
    ask(town, gate, "a" * 10)
    (review,) = town.reviews()
    assert review.model.version == 1
    assert top_class(review.model.probabilities) == "yes"


def test_matured_windows_are_estimated_and_a_fall_of_accuracy_is_told_once(
    tmp_path: Path,
) -> None:
    town = Town(
        {
            "gate": {"budget": 1.0},
            "estimation": {"window_seconds": 100, "label_horizon_seconds": 50},
            "trainer": {"heartbeat_seconds": 10},
            "drift": {"detectors": []},
        }
    )
    metrics = Metrics("town")
    gate = town.pipeline().gate(instance="one")
    trainer = town.pipeline(metrics).trainer(tmp_path / "state.sqlite3")
    gate.start()
    trainer.start()
    # Production always says yes: right on 9 of 10 until 600 events have passed, then on 1 of 10.
    for number in range(1000):
        town.clock.advance(1)
        town.publish(f"e{number}")
        right = number % 10 != 0 if number < 600 else number % 10 == 0
        settle(gate, steps=1)
        town.label(f"e{number}", "yes" if right else "no")
        settle(trainer, steps=1)
    town.clock.advance(200)
    settle(trainer, steps=3)
    value = metrics.value("streamal_production_accuracy_ratio", {"kind": "estimate"})
    assert value == pytest.approx(0.58, abs=0.05)
    events = [DriftEvent.from_bytes(record.value) for record in town.read(town.topics.drift)]
    assert [event.harmful for event in events] == [True]
    assert timedelta() < events[0].detected_at - events[0].window_start < timedelta(seconds=300)
    trainer.close()

    again = town.pipeline().trainer(tmp_path / "state.sqlite3")
    again.start()
    settle(again)
    again.close()
    assert len(list(town.read(town.topics.drift))) == 1


def test_what_only_a_leader_knows_ends_with_its_term(town: Town) -> None:
    metrics = Metrics("town")
    gate, trainer = crew(town, metrics)
    ask(town, gate, "a", "b")
    town.clock.advance(20)
    settle(trainer)
    assert metrics.value("streamal_trainer_leader") == 1
    assert metrics.value("streamal_pending_reviews") == 2
    trainer.close()
    assert metrics.value("streamal_trainer_leader") == 0
    assert math.isnan(metrics.value("streamal_pending_reviews") or 0)


def test_a_new_leader_shows_the_model_that_it_took_up(town: Town) -> None:
    gate, first = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id)
    settle(first)
    first.close()
    metrics = Metrics("town")
    second = town.pipeline(metrics).trainer(":memory:")
    second.start()
    settle(second)
    assert metrics.value("streamal_model_version", {"role": "trainer"}) == 1
    assert metrics.value("streamal_model_labels", {"role": "trainer"}) == 4


def test_a_leader_that_learns_anew_does_not_show_the_model_it_left(town: Town) -> None:
    gate, first = crew(town)
    ask(town, gate, "a", "b", "c", "d")
    for event_id in "abcd":
        town.label(event_id)
    settle(first)
    first.close()
    learner = town.settings.learner.model_copy(update={"name": "gaussian_nb"})
    patient = town.settings.trainer.model_copy(update={"snapshot_every_labels": 100})
    town.settings = town.settings.model_copy(update={"learner": learner, "trainer": patient})
    metrics = Metrics("town")
    second = town.pipeline(metrics).trainer(":memory:")
    second.start()
    settle(second)
    assert metrics.value("streamal_trainer_leader") == 1
    assert metrics.value("streamal_model_version", {"role": "trainer"}) is None


def test_what_labels_taught_reaches_the_bandit_in_the_gate() -> None:
    parts = [{"strategy": "margin"}, {"strategy": "random"}]
    gate = {"strategy": "bandit", "strategy_parameters": {"strategies": parts}}
    town = Town({"gate": gate, "pipeline": {"classes": ["no", "yes"]}})
    deciding, trainer = crew(town)
    answered: set[str] = set()
    for number in range(60):
        town.publish(f"event-{number:03}", features={"x": number % 7 - 3})
        settle(deciding, steps=1)
        for review in town.reviews():
            if review.event_id not in answered:
                town.label(review.event_id, "no" if review.features["x"] else "yes")
                answered.add(review.event_id)
        town.clock.advance(1)
        settle(trainer, deciding, steps=1)
    reviews = sorted(town.reviews(), key=lambda review: review.event_id)
    first, last = reviews[0].advice, reviews[-1].advice
    assert first is not None
    assert last is not None
    assert first.mixture == {"margin": 0.5, "random": 0.5}
    assert last.mixture != first.mixture
    assert sum(last.mixture.values()) == pytest.approx(1.0)
    assert reviews[-1].model.version > 0


def test_the_spend_falls_once_production_is_good_enough_and_rises_when_that_is_lost(
    tmp_path: Path,
) -> None:
    town = Town(
        {
            "gate": {
                "budget": 0.8,
                "exploration": 0.5,
                "stop_at_accuracy": 0.8,
                "stop_on": "production",
            },
            "estimation": {"window_seconds": 100, "label_horizon_seconds": 50},
            "trainer": {"heartbeat_seconds": 10},
        }
    )
    gate = town.pipeline().gate(instance="one")
    trainer = town.pipeline().trainer(tmp_path / "state.sqlite3")
    gate.start()
    trainer.start()
    people = town.broker.consumer()
    people.assign([TopicPartition(town.topics.reviews, number) for number in range(2)])
    # Production always says yes: right on 19 of 20 until 1,200 events have passed, then on none.
    for number in range(1800):
        town.clock.advance(1)
        town.publish(f"e{number}")
        settle(gate, steps=1)
        for record in people.poll(0.0, 100):
            asked = int(ReviewRequest.from_bytes(record.value).event_id[1:])
            town.label(f"e{asked}", "no" if asked % 20 == 0 or asked >= 1200 else "yes")
        settle(trainer, steps=1)
    trainer.close()
    reasons: dict[int, Counter[str]] = {}
    for review in town.reviews():
        reasons.setdefault(int(review.event_id[1:]) // 300, Counter())[review.reason] += 1
    assert reasons[0]["stopped"] == 0, "nothing is sure yet"
    assert set(reasons[3]) == {"stopped"}
    assert reasons[3].total() == pytest.approx(120, abs=30)
    assert reasons[5]["stopped"] == 0, "the drift was noticed by the floor's labels"
    assert reasons[5].total() > 180
