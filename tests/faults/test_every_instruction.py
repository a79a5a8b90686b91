"""Gate and trainer are killed, or lose the broker, at each of their calls to it in turn.

Whatever the call, before it or after it took effect: every event is decided once, every label is
learned once, every reject is one dead letter, and the model is what the label log makes of it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamal.core.learners import OnlineModel, build_model
from streamal.core.types import Production
from streamal.events import LabelEvent, ReviewRequest, WindowStats
from streamal.operations.inspect import inspect
from streamal.ports import TopicPartition
from streamal.state.snapshots import load
from tests.support.runner import Runner, TrappedTown
from tests.support.town import SESSION_SECONDS, Town
from tests.support.trap import FAULTS, STRIDE, Fault, Trap

EVENTS = 30
#: What tells the sources of dead letters apart.
SOURCE = ("topic", "partition", "offset")


class DisturbedTown(TrappedTown):
    """A town whose roles can be trapped, with people who answer at once, often twice."""

    def __init__(self, folder: Path, **gate: object) -> None:
        super().__init__(
            {
                "pipeline": {"classes": ["no", "yes"]},
                "gate": {"max_batch_records": 7, "breaker": {"max_reject_share": 1}, **gate},
                "trainer": {"state_path": str(folder / "state.sqlite3"), "max_batch_records": 5},
            }
        )
        self._people = self.broker.consumer()
        reviews = self.topics.reviews
        self._people.assign(
            [TopicPartition(reviews, n) for n in self._people.partitions_for(reviews)]
        )
        self.answered: set[str] = set()
        self.slips = 0

    def publish_all(self) -> None:
        """All of production's events, a fifth of them unusable."""
        for number in range(EVENTS):
            self.publish(
                f"e{number}",
                features={"x": number % 5, "y": number % 3},
                prediction={"label": "yes" if number % 5 else "maybe"},
            )

    def answer(self) -> None:
        """People answer what they were asked; some answers come twice, some after a slip."""
        for record in self._people.poll(0.0, 1000):
            event_id = ReviewRequest.from_bytes(record.value).event_id
            number = int(event_id[1:])
            if number % 4 == 1:
                self.label(event_id, "maybe")
                self.slips += 1
            for _ in range(2 if number % 3 == 0 else 1):
                self.label(event_id, "yes" if number % 2 else "no")
            self.answered.add(event_id)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    decided: int
    routed: int
    reviews: Counter[str]
    window_events: int
    dead_letters: Counter[tuple[bytes | None, ...]]
    learned: int
    answered: int
    slips: int
    model: tuple[float, ...]
    relearned: tuple[float, ...]


def run(
    folder: Path, gate_trap: Trap, trainer_trap: Trap, **gate_settings: object
) -> tuple[Outcome, Runner, Runner]:
    town = DisturbedTown(folder, **gate_settings)
    town.publish_all()
    gate, trainer = Runner(town, "gate", gate_trap), Runner(town, "trainer", trainer_trap)
    for _ in range(40):
        gate.step()
        town.answer()
        trainer.step()
        town.clock.advance(0.5)
    for _ in range(40):  # until the last snapshot is due, whenever a fault came
        gate.step()
        town.answer()
        trainer.step()
        town.clock.advance(SESSION_SECONDS / 2)
    return outcome(town), gate, trainer


def outcome(town: DisturbedTown) -> Outcome:
    topics = town.settings.topics
    pipeline = town.pipeline()
    found = inspect(pipeline)
    reader = pipeline.snapshot_reader()
    reader.catch_up()
    assert reader.snapshot is not None
    model = load(reader.snapshot, OnlineModel)
    return Outcome(
        decided=sum(lane.decided for lane in found.gates),
        routed=sum(lane.routed for lane in found.gates),
        reviews=Counter(review.event_id for review in town.reviews()),
        window_events=sum(
            WindowStats.from_bytes(record.value).events for record in town.read(topics.windows)
        ),
        dead_letters=Counter(
            tuple(record.header(f"streamal.source-{part}") for part in SOURCE)
            for record in town.read(topics.dead_letters)
        ),
        learned=model.labels_learned,
        answered=len(town.answered),
        slips=town.slips,
        model=opinions(model),
        relearned=opinions(learn_again(town)),
    )


def learn_again(town: Town) -> OnlineModel:
    """What the first label of each event, in the order of the log, makes of a new model."""
    topics, learner = town.settings.topics, town.settings.learner
    reviews = {review.event_id: review for review in town.reviews()}
    model = build_model(learner.name, parameters={}, committee_size=0)
    for record in town.read(topics.labels):
        label = LabelEvent.from_bytes(record.value)
        review = reviews.get(label.event_id)
        if label.label == "maybe" or review is None or label.label is None:
            continue
        del reviews[label.event_id]
        model.learn(review.features, Production(), label.label, event_id=label.event_id)
    return model


def opinions(model: OnlineModel) -> tuple[float, ...]:
    """Enough of a model to tell it from others."""
    return tuple(
        model.outlook({"x": x, "y": y}, Production()).probabilities.get("yes", math.nan)
        for x in range(5)
        for y in range(3)
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, int, int]:
    """A run without faults, and how many calls gate and trainer made."""
    result, gate, trainer = run(tmp_path_factory.mktemp("calm"), Trap(), Trap())
    return result, gate.trap.calls, trainer.trap.calls


def check(result: Outcome) -> None:
    usable = EVENTS - math.ceil(EVENTS / 5)
    assert result.decided == result.window_events == usable
    assert set(result.reviews.values()) == {1}
    assert len(result.reviews) == result.routed == result.answered == result.learned
    assert result.model == result.relearned
    assert len(result.dead_letters) == EVENTS - usable + result.slips
    assert set(result.dead_letters.values()) == {1}


def test_an_undisturbed_run_keeps_its_books(undisturbed: tuple[Outcome, int, int]) -> None:
    result, gate_calls, trainer_calls = undisturbed
    check(result)
    assert gate_calls > 50
    assert trainer_calls > 50


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gate_disturbed_at_any_call_decides_everything_once(
    undisturbed: tuple[Outcome, int, int], tmp_path: Path, fault: Fault
) -> None:
    for at in range(FAULTS.index(fault) % STRIDE, undisturbed[1], STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, gate, _ = run(folder, Trap(at, fault), Trap())
        check(result)
        assert gate.trap.calls > at or gate.deaths == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trainer_disturbed_at_any_call_learns_everything_once(
    undisturbed: tuple[Outcome, int, int], tmp_path: Path, fault: Fault
) -> None:
    for at in range(FAULTS.index(fault) % STRIDE, undisturbed[2], STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, _, trainer = run(folder, Trap(), Trap(at, fault))
        check(result)
        assert trainer.trap.calls > at or trainer.deaths == 1


#: Decides in windows of four records of a partition, or of what came within three seconds.
WINDOWS: dict[str, object] = {
    "policy": "windowed_top_k",
    "policy_parameters": {"window": 4, "seconds": 3.0},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gate_disturbed_while_windows_are_undecided_decides_everything_once(
    tmp_path: Path, fault: Fault
) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    result, undisturbed_gate, _ = run(calm, Trap(), Trap(), **WINDOWS)
    check(result)
    for at in range(FAULTS.index(fault) % STRIDE, undisturbed_gate.trap.calls, STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, gate, _ = run(folder, Trap(at, fault), Trap(), **WINDOWS)
        check(result)
        assert gate.trap.calls > at or gate.deaths == 1
