"""Gate and trainer are killed, or lose the broker, at each of their calls to it in turn.

Whatever the call, before it or after it took effect: every event is decided once, every label is
learned once, every reject is one dead letter, and the model is what the label log makes of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from streamal.bootstrap.parts import blank_model
from streamal.core.learners import Model
from streamal.core.types import Production
from streamal.events import LabelEvent, LossQuality, ReviewRequest, WindowStats
from streamal.operations.inspect import inspect
from streamal.operations.replay import replayed_view
from streamal.ports import TopicPartition
from streamal.roles.quality import Quality
from streamal.state.snapshots import load
from streamal.telemetry import Metrics
from tests.support.runner import Runner, TrappedTown
from tests.support.single import Outlook, outlook_of
from tests.support.town import SESSION_SECONDS, merged
from tests.support.trap import EVERY_CALL, FAULTS, STRIDE, Fault, Trap

#: Striking at every call takes longer than any other test may.
pytestmark = pytest.mark.timeout(7200 if EVERY_CALL else 300)

EVENTS = 30
#: What tells the sources of dead letters apart.
SOURCE = ("topic", "partition", "offset")


class Kind:
    """What production predicts, and what people say: a class."""

    settings: Mapping[str, object] = MappingProxyType({"pipeline": {"classes": ["no", "yes"]}})
    #: Of the calls that would be struck, one in so many is.
    sparing = 1
    #: What a model is asked about, besides features.
    asked = Production()

    def prediction(self, number: int) -> dict[str, object]:
        """A fifth of them is unusable."""
        return {"label": "yes" if number % 5 else "maybe"}

    def answer(self, number: int) -> dict[str, Any]:
        """What people say, as fields of a label."""
        return {"label": "yes" if number % 2 else "no"}

    def slip(self) -> dict[str, Any]:
        """What nobody can learn."""
        return {"label": "maybe"}

    def learned(self, label: LabelEvent) -> str | float | None:
        """What a label says; None for a slip."""
        return None if label.label == "maybe" else label.label

    def opinion(self, outlook: Outlook) -> tuple[float, ...]:
        """Enough of what a model says of an item to tell it from others."""
        return (outlook.probabilities.get("yes", math.nan),)


class Numbers(Kind):
    """A number. Windows mature while the run lasts, and the errors in them are estimated."""

    settings = MappingProxyType(
        {
            "pipeline": {"task": "regression", "tolerance": 1.0, "value_range": [0, 100]},
            "learner": {"name": "linear_regression", "committee_size": 2},
            "gate": {"strategy": "variance"},
            "estimation": {"window_seconds": 10, "label_horizon_seconds": 60},
        }
    )
    #: What differs from a classification is few calls; CI has to end.
    sparing = 1 if EVERY_CALL else 3
    asked = Production(value=5.0)

    def prediction(self, number: int) -> dict[str, object]:
        """A fifth of them is unusable."""
        return {"value": 5.0 + number if number % 5 else 1000.0}

    def answer(self, number: int) -> dict[str, Any]:
        """What people say, as fields of a label."""
        return {"label": None, "value": 3.0 + number % 7}

    def slip(self) -> dict[str, Any]:
        """What nobody can learn."""
        return {"label": None, "value": -1.0}

    def learned(self, label: LabelEvent) -> str | float | None:
        """What a label says; None for a slip."""
        return None if label.value == -1.0 else label.value

    def opinion(self, outlook: Outlook) -> tuple[float, ...]:
        """Enough of what a model says of an item to tell it from others."""
        known = (outlook.value, outlook.expected_loss, *outlook.committee_values)
        return tuple(math.nan if number is None else number for number in known)


KINDS = {"classification": Kind(), "regression": Numbers()}


class DisturbedTown(TrappedTown):
    """A town whose roles can be trapped, with people who answer at once, often twice."""

    def __init__(self, folder: Path, kind: Kind, **gate: object) -> None:
        common = {
            "gate": {"max_batch_records": 7, "breaker": {"max_reject_share": 1}, **gate},
            "trainer": {"state_path": str(folder / "state.sqlite3"), "max_batch_records": 5},
        }
        super().__init__(merged(common, kind.settings))
        self.kind = kind
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
                prediction=self.kind.prediction(number),
            )

    def answer(self) -> None:
        """People answer what they were asked; some answers come twice, some after a slip."""
        for record in self._people.poll(0.0, 1000):
            event_id = ReviewRequest.from_bytes(record.value).event_id
            if event_id.startswith("synthetic:"):
                self.label(event_id, "yes")
                self.answered.add(event_id)
                continue
            number = int(event_id[1:])
            if number % 4 == 1:
                self.label(event_id, **self.kind.slip())
                self.slips += 1
            for _ in range(2 if number % 3 == 0 else 1):
                self.label(event_id, **self.kind.answer(number))
            self.answered.add(event_id)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    decided: int
    routed: int
    synthetic: int
    reviews: Counter[str]
    window_events: int
    dead_letters: Counter[tuple[bytes | None, ...]]
    learned: int
    answered: int
    slips: int
    model: tuple[float, ...]
    relearned: tuple[float, ...]
    loss: LossQuality | None
    loss_again: LossQuality | None


def run(
    folder: Path, kind: Kind, gate_trap: Trap, trainer_trap: Trap, **gate_settings: object
) -> tuple[Outcome, Runner, Runner]:
    town = DisturbedTown(folder, kind, **gate_settings)
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
    model = load(reader.snapshot, Model)  # type: ignore[type-abstract]  # for isinstance
    return Outcome(
        decided=sum(lane.decided for lane in found.gates),
        routed=sum(lane.routed for lane in found.gates),
        synthetic=sum(lane.synthetic for lane in found.gates),
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
        model=opinions(town.kind, model),
        relearned=opinions(town.kind, learn_again(town)),
        loss=found.quality.loss if found.quality else None,
        loss_again=estimate_again(town),
    )


def learn_again(town: DisturbedTown) -> Model:
    """What the first label of each event, in the order of the log, makes of a new model."""
    reviews = {review.event_id: review for review in town.reviews()}
    model = blank_model(town.settings)
    for record in town.read(town.topics.labels):
        label = LabelEvent.from_bytes(record.value)
        review = reviews.get(label.event_id)
        answer = town.kind.learned(label)
        if answer is None or review is None:
            continue
        del reviews[label.event_id]
        model.learn(
            review.features,
            Production(review.prediction.label, value=review.prediction.value),
            answer,
            event_id=label.event_id,
            weight=1 / review.propensity,
        )
    return model


def estimate_again(town: DisturbedTown) -> LossQuality | None:
    """What somebody finds who reads the topics now and closes every window that has matured."""
    pipeline = town.pipeline()
    with replayed_view(pipeline, ":memory:") as view:
        quality = Quality(
            pipeline.quality_options(), view.measures, view.segments, Metrics("again")
        )
        quality.advance(town.clock.now())
        return quality.report.loss if quality.report else None


def opinions(kind: Kind, model: Model) -> tuple[float, ...]:
    """Enough of a model to tell it from others."""
    return tuple(
        number
        for x in range(5)
        for y in range(3)
        for number in kind.opinion(outlook_of(model, {"x": x, "y": y}, kind.asked))
    )


@dataclass(frozen=True)
class Calm:
    """A run without faults.

    Attributes:
        kind: what production predicts.
        result: what the run left behind.
        gate_calls: how many calls the gate made.
        trainer_calls: how many the trainer made.
    """

    kind: Kind
    result: Outcome
    gate_calls: int
    trainer_calls: int

    def struck(self, calls: int, fault: Fault) -> range:
        """The calls at which the fault strikes; other faults strike at others."""
        step = STRIDE * self.kind.sparing
        return range(FAULTS.index(fault) * self.kind.sparing % step, calls, step)


@pytest.fixture(scope="module", params=KINDS)
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """A run without faults."""
    kind = KINDS[request.param]
    result, gate, trainer = run(tmp_path_factory.mktemp("calm"), kind, Trap(), Trap())
    return Calm(kind, result, gate.trap.calls, trainer.trap.calls)


def check(result: Outcome) -> None:
    usable = EVENTS - math.ceil(EVENTS / 5)
    assert result.decided == result.window_events == usable
    assert set(result.reviews.values()) == {1}
    asked = result.routed + result.synthetic
    assert len(result.reviews) == asked == result.answered == result.learned
    made_up = sum(event_id.startswith("synthetic:") for event_id in result.reviews)
    assert made_up == result.synthetic
    assert result.model == result.relearned
    assert result.loss == result.loss_again
    assert len(result.dead_letters) == EVENTS - usable + result.slips
    assert set(result.dead_letters.values()) == {1}


def test_an_undisturbed_run_keeps_its_books(undisturbed: Calm) -> None:
    check(undisturbed.result)
    assert undisturbed.gate_calls > 50
    assert undisturbed.trainer_calls > 50
    loss = undisturbed.result.loss
    if undisturbed.kind is KINDS["regression"]:
        assert loss is not None
        assert loss.production.events == undisturbed.result.decided
        assert loss.production.labelled == undisturbed.result.learned


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gate_disturbed_at_any_call_decides_everything_once(
    undisturbed: Calm, tmp_path: Path, fault: Fault
) -> None:
    for at in undisturbed.struck(undisturbed.gate_calls, fault):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, gate, _ = run(folder, undisturbed.kind, Trap(at, fault), Trap())
        check(result)
        assert gate.trap.calls > at or gate.deaths == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trainer_disturbed_at_any_call_learns_everything_once(
    undisturbed: Calm, tmp_path: Path, fault: Fault
) -> None:
    for at in undisturbed.struck(undisturbed.trainer_calls, fault):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, _, trainer = run(folder, undisturbed.kind, Trap(), Trap(at, fault))
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
    kind = KINDS["classification"]
    result, undisturbed_gate, _ = run(calm, kind, Trap(), Trap(), **WINDOWS)
    check(result)
    for at in range(FAULTS.index(fault) % STRIDE, undisturbed_gate.trap.calls, STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, gate, _ = run(folder, kind, Trap(at, fault), Trap(), **WINDOWS)
        check(result)
        assert gate.trap.calls > at or gate.deaths == 1


#: Beside each event that is routed for its score, a made-up item.
SYNTHETIC: dict[str, object] = {
    "strategy": "query_synthesis",
    "synthetic_share": 0.5,
    "budget": 0.9,
    "max_batch_records": 2,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gate_disturbed_at_any_call_asks_about_made_up_items_once(
    tmp_path: Path, fault: Fault
) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    kind = KINDS["classification"]
    result, undisturbed_gate, _ = run(calm, kind, Trap(), Trap(), **SYNTHETIC)
    check(result)
    assert result.synthetic > 1
    sparing = STRIDE if EVERY_CALL else 3 * STRIDE
    for at in range(3 * FAULTS.index(fault) % STRIDE, undisturbed_gate.trap.calls, sparing):
        folder = tmp_path / str(at)
        folder.mkdir()
        result, gate, _ = run(folder, kind, Trap(at, fault), Trap(), **SYNTHETIC)
        check(result)
        assert gate.trap.calls > at or gate.deaths == 1
