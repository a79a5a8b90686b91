"""A trainer is killed, or loses the broker, while several people answer, dispute and poison.

Whatever the call: the model is what one straight pass over the label log makes of it, every dispute
reaches leads once, every quarantine is announced once, every dead letter is written once.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamal.bootstrap.labels import judge_rules, label_rules
from streamal.core.learners import OnlineModel, build_model
from streamal.core.types import Production
from streamal.events import AnnotatorRuling, DriftEvent, ReviewRequest
from streamal.ports import TopicPartition
from streamal.state import Answer, Dispute, PendingView, Quarantine
from streamal.state.snapshots import load
from tests.support.runner import Runner, TrappedTown
from tests.support.single import outlook_of
from tests.support.town import SESSION_SECONDS
from tests.support.trap import FAULTS, STRIDE, Fault, Trap

EVENTS = 18


class Crowd(TrappedTown):
    """Three annotators, one of them a poisoner, and a lead; they answer what they are asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            {
                "pipeline": {"classes": ["no", "yes"]},
                "gate": {"budget": 1.0},
                "labels": {
                    "required": 3,
                    "consensus": "weighted",
                    "annotators": ["ann", "bob", "mal"],
                    "leads": ["lead"],
                    "guard": {"min_comparisons": 4, "min_agreement": 0.7, "false_alarm": 0.05},
                },
                "trainer": {"state_path": str(folder / "state.sqlite3"), "max_batch_records": 12},
            }
        )
        self._people = self.broker.consumer()
        reviews = self.topics.reviews
        self._people.assign(
            [TopicPartition(reviews, n) for n in self._people.partitions_for(reviews)]
        )
        self._answered = 0

    def publish_all(self) -> None:
        """All of production's events."""
        for number in range(EVENTS):
            self.publish(f"e{number}", features={"x": number % 5, "y": number % 3})

    def answer(self) -> None:
        """People answer what they were asked, leads what is disputed."""
        for record in self._people.poll(0.0, 1000):
            request = ReviewRequest.from_bytes(record.value)
            number = int(request.event_id[1:])
            right, wrong = ("yes", "no") if number % 2 else ("no", "yes")
            if request.adjudication is not None:
                self.label(request.event_id, right, by="lead", adjudicates=True)
                continue
            # One item in four is hard: everybody guesses, and the third vote is taken back.
            says = {"ann": right, "mal": wrong, "bob": wrong if number % 4 == 3 else right}
            for name, answer in says.items():
                self.label(request.event_id, answer, by=name)
            if number % 6 == 0:
                self.label(request.event_id, wrong, by="ann")
            if number % 5 == 0:
                self.label(request.event_id, wrong, by="bob", withdrawn=True)
            if number % 7 == 0:
                self.label(request.event_id, right, by="stranger")
            self._answered += 1

    def release(self) -> None:
        """The lead trusts the poisoner again."""
        ruling = AnnotatorRuling(
            annotator="mal",
            ruling="release",
            ruled_by="lead",
            ruled_at=datetime.fromtimestamp(self.clock.now(), UTC),
        )
        self.writer.send(self.topics.labels, ruling.to_bytes(), key=b"mal")


@dataclass(frozen=True)
class Books:
    """What a run left behind, and what a straight pass over its label log says."""

    learned: int
    lessons: int
    model: tuple[float, ...]
    relearned: tuple[float, ...]
    requests: Counter[str]
    disputes: Counter[str]
    alarms: int
    quarantines: int
    released: int
    dead_letters: Counter[bytes | None]
    strangers: int


def run(folder: Path, trap: Trap) -> tuple[Books, Runner]:
    town = Crowd(folder)
    town.publish_all()
    gate, trainer = Runner(town, "gate", Trap()), Runner(town, "trainer", trap)
    for step in range(12):
        gate.step()
        town.answer()
        trainer.step()
        town.clock.advance(0.5)
        if step == 8:
            town.release()
    for _ in range(6):  # until the last snapshot is due, whenever a fault came
        trainer.step()
        town.answer()
        town.clock.advance(SESSION_SECONDS)
    return books(town), trainer


def books(town: Crowd) -> Books:
    pipeline = town.pipeline()
    reader = pipeline.snapshot_reader()
    reader.catch_up()
    assert reader.snapshot is not None
    model = load(reader.snapshot, OnlineModel)
    answers = straight(town)
    effects = [effect for answer in answers for effect in answer.effects]
    lessons = [lesson for answer in answers for lesson in answer.lessons]
    learner = town.settings.learner
    again = build_model(learner.name, parameters={}, committee_size=0)
    for lesson in lessons:
        again.learn(lesson.features, Production(), lesson.answer, event_id=lesson.event_id)
    adjudications = (each for each in town.reviews() if each.adjudication is not None)
    drifts = [DriftEvent.from_bytes(each.value) for each in town.read(town.topics.drift)]
    return Books(
        learned=model.labels_learned,
        lessons=len(lessons),
        model=opinions(model),
        relearned=opinions(again),
        requests=Counter(request.event_id for request in adjudications),
        disputes=Counter(each.review.event_id for each in effects if isinstance(each, Dispute)),
        alarms=sum(drift.detector == "annotator_agreement" for drift in drifts),
        quarantines=sum(isinstance(each, Quarantine) for each in effects),
        released=sum(len(each.lessons) for each in answers if each.verdict == "ruling"),
        dead_letters=Counter(
            each.header("streamal.source-offset") for each in town.read(town.topics.dead_letters)
        ),
        strangers=math.ceil(EVENTS / 7),
    )


def straight(town: Crowd) -> list[Answer]:
    """Every label of the log, judged in one pass by a view that saw nothing else."""
    rules, check = judge_rules(town.settings), label_rules(town.settings).check
    view = PendingView(":memory:", pipeline="streamal", rules=rules, check=check)
    view.apply_reviews(list(town.read(town.topics.reviews)))
    answers = view.register_labels(list(town.read(town.topics.labels))).answers
    view.close()
    return list(answers)


def opinions(model: OnlineModel) -> tuple[float, ...]:
    """Enough of a model to tell it from others."""
    return tuple(
        outlook_of(model, {"x": x, "y": y}, Production()).probabilities.get("yes", math.nan)
        for x in range(5)
        for y in range(3)
    )


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Books, int]:
    """A run without faults, and how many calls the trainer made."""
    found, trainer = run(tmp_path_factory.mktemp("calm"), Trap())
    return found, trainer.trap.calls


def check(found: Books) -> None:
    assert found.learned == found.lessons
    assert found.model == found.relearned
    assert found.requests == found.disputes
    assert found.alarms == found.quarantines
    assert set(found.dead_letters.values()) == {1}
    assert len(found.dead_letters) == found.strangers


def test_an_undisturbed_run_keeps_its_books(calm: tuple[Books, int]) -> None:
    found, calls = calm
    check(found)
    assert set(found.requests.values()) == {1}
    assert (found.quarantines, found.lessons > EVENTS / 2, calls > 50) == (1, True, True)
    assert found.released > 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trainer_disturbed_at_any_call_learns_loses_and_asks_nothing_twice(
    calm: tuple[Books, int], tmp_path: Path, fault: Fault
) -> None:
    for at in range(FAULTS.index(fault) % STRIDE, calm[1], STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        found, trainer = run(folder, Trap(at, fault))
        check(found)
        assert trainer.trap.calls > at or trainer.deaths == 1
