"""Several annotators through gate and trainer on the memory broker: what reaches the topics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamal.events import DriftEvent, ReviewRequest
from streamal.operations.annotators import annotators, rule
from streamal.operations.inspect import inspect
from streamal.roles.gate import GateRole
from streamal.roles.trainer import TrainerRole
from streamal.state import GOLD_HEADER
from streamal.telemetry import Metrics
from tests.support.town import Town

People = dict[str, Callable[[ReviewRequest], str]]


def honest(request: ReviewRequest) -> str:
    return "yes" if float(str(request.features["x"])) > 3 else "no"


def opposite(request: ReviewRequest) -> str:
    return "no" if honest(request) == "yes" else "yes"


class Office(Town):
    """A town where several people answer, through one trainer."""

    def __init__(self, changes: dict[str, Any] | None = None, budget: float = 1.0) -> None:
        gate = {"budget": budget, "strategy_parameters": {"source": "production"}}
        super().__init__({"gate": gate, "labels": changes or {}})
        self.metrics = Metrics("office")
        self.gate: GateRole = self.pipeline().gate(instance="one")
        self.trainer: TrainerRole = self.pipeline(self.metrics).trainer(":memory:")
        self.gate.start()
        self.trainer.start()

    def send(self, first: int, last: int) -> list[ReviewRequest]:
        """Production predicts; the requests that follow."""
        before = len(self.reviews())
        for number in range(first, last):
            doubt = number % 10 / 20
            self.publish(
                f"event-{number}",
                features={"x": number % 7},
                prediction={"probabilities": {"no": doubt, "yes": 1 - doubt}},
            )
        self.step()
        return self.reviews()[before:]

    def step(self, steps: int = 8) -> None:
        for _ in range(steps):
            self.gate.step()
            self.trainer.step()

    def learned(self) -> int:
        self.clock.advance(self.settings.trainer.snapshot_every_seconds)
        self.step()
        found = inspect(self.pipeline())
        return 0 if found.model is None else found.model.labels_learned

    def outcome(self, name: str) -> float:
        value = self.metrics.value("streamal_labels_total", {"outcome": name})
        return value or 0.0

    def alarms(self) -> list[DriftEvent]:
        return [DriftEvent.from_bytes(each.value) for each in self.read(self.topics.drift)]


def test_the_gate_asks_for_as_many_as_configured() -> None:
    labels = {"required": 2, "required_by_reason": {"exploration": 3}, "overlap": 0.3}
    office = Office(labels, budget=0.3)
    asked = {(each.reason == "exploration", each.required_labels) for each in office.send(0, 300)}
    assert asked == {(True, 3), (True, 4), (False, 2), (False, 3)}


def test_the_overlap_share_is_drawn_evenly_and_the_same_every_time() -> None:
    office, again = Office({"overlap": 0.2}), Office({"overlap": 0.2})
    first, second = office.send(0, 400), again.send(0, 400)
    share = sum(each.required_labels == 2 for each in first) / len(first)
    assert share == pytest.approx(0.2, abs=0.07)
    assert [each.required_labels for each in first] == [each.required_labels for each in second]


def test_items_are_learned_when_their_votes_are_there() -> None:
    office = Office({"required": 2})
    requests = office.send(0, 10)
    for request in requests:
        office.label(request.event_id, honest(request), by="ann")
    assert office.learned() == 0
    for request in requests:
        office.label(request.event_id, honest(request), by="bob")
    assert office.learned() == len(requests) > 5
    assert office.outcome("vote") == len(requests)
    assert office.metrics.value("streamal_annotator_alpha") == 1


def test_a_dispute_reaches_leads_and_their_word_is_learned() -> None:
    office = Office({"required": 2, "leads": ["lead"]})
    request, *_ = office.send(0, 5)
    office.label(request.event_id, "yes", by="ann")
    office.label(request.event_id, "no", by="bob")
    office.step()
    (second,) = [each for each in office.reviews() if each.adjudication is not None]
    assert second.event_id == request.event_id
    assert second.adjudication is not None
    assert second.adjudication.answers == {"ann": "yes", "bob": "no"}
    assert (
        second.expires_at - second.adjudication.asked_at == request.expires_at - request.decided_at
    )
    assert second.propensity == request.propensity
    office.label(request.event_id, "no", by="ann", adjudicates=True)
    office.label(request.event_id, "no", by="lead", adjudicates=True)
    assert office.learned() == 1
    assert office.reasons() == ["not_a_lead"]
    assert office.outcome("adjudicated") == 1


def test_gold_items_are_asked_and_never_learned(tmp_path: Path) -> None:
    path = tmp_path / "gold.csv"
    path.write_text("x,label\n1,no\n5,yes\n", encoding="utf-8")
    office = Office({"gold": {"path": str(path), "share": 0.5}})
    office.send(0, 60)
    records = list(office.read(office.topics.reviews))
    gold = [each for each in records if each.header(GOLD_HEADER) is not None]
    assert len(gold) > 10
    assert all(b"label" in (each.value or b"") for each in gold)
    for each in gold:
        office.label(ReviewRequest.from_bytes(each.value).event_id, "no", by="ann")
    ordinary = [each for each in records if each.header(GOLD_HEADER) is None]
    for each in ordinary:
        request = ReviewRequest.from_bytes(each.value)
        office.label(request.event_id, honest(request), by="ann")
    assert office.learned() == len(ordinary)
    assert office.outcome("gold") == len(gold)
    found = inspect(office.pipeline())
    assert found.pending == 0
    (ann,) = annotators(office.pipeline()).annotators
    assert ann.compared == len(gold)
    assert ann.gold is not None
    assert 0 < ann.gold < 1


def poisoned(changes: dict[str, Any] | None = None) -> Office:
    office = Office({"required": 3, "guard": {"min_comparisons": 5}, **(changes or {})})
    people: People = {"ann": honest, "mal": opposite, "bob": honest}
    for request in office.send(0, 40):
        for name, answer in people.items():
            office.label(request.event_id, answer(request), by=name)
    office.step()
    return office


def test_a_poisoner_is_announced_and_shown() -> None:
    office = poisoned()
    (alarm,) = office.alarms()
    assert alarm.detector == "annotator_agreement"
    assert "mal" in alarm.cause
    assert not alarm.harmful
    office.learned()
    assert office.metrics.value("streamal_annotators_quarantined") == 1
    assert (office.metrics.value("streamal_labels_held") or 0) > 0
    agreement = "streamal_annotator_agreement_ratio"
    assert office.metrics.value(agreement, {"annotator": "mal"}) == 0
    assert office.metrics.value(agreement, {"annotator": "ann"}) == 1
    assert (office.metrics.value("streamal_annotator_kappa", {"annotator": "mal"}) or 0) < 0
    assert inspect(office.pipeline()).quarantined == 1


def test_a_release_is_learned_where_it_lies_on_the_log() -> None:
    office = poisoned()
    before = office.learned()
    held = office.outcome("held")
    assert held > 0
    rule(office.pipeline(), "mal", "release", ruled_by="lead", note="a mistake of ours")
    assert office.learned() == before + held
    assert inspect(office.pipeline()).quarantined == 0
    assert office.outcome("ruling") == 1


def test_a_dismissed_annotator_gets_dead_letters() -> None:
    office = poisoned()
    before = office.learned()
    rule(office.pipeline(), "mal", "dismiss", ruled_by="lead")
    request = office.send(40, 60)[-1]
    office.label(request.event_id, "yes", by="mal")
    assert office.learned() == before
    assert office.reasons() == ["dismissed_label"]


def test_names_on_metrics_are_bounded() -> None:
    office = poisoned({"annotator_series": 2})
    office.learned()
    shown = [
        name
        for name in ("ann", "bob", "mal")
        if office.metrics.value("streamal_annotator_answers", {"annotator": name}) is not None
    ]
    assert len(shown) == 2


def test_another_leader_knows_what_the_last_one_knew(tmp_path: Path) -> None:
    office = poisoned()
    before = office.learned()
    office.trainer.close()
    office.trainer = office.pipeline(office.metrics).trainer(tmp_path / "anew.sqlite3")
    office.trainer.start()
    office.step(20)
    assert office.learned() == before
    assert len(office.alarms()) == 1
    assert office.metrics.value("streamal_annotators_quarantined") == 1
    rule(office.pipeline(), "mal", "release", ruled_by="lead")
    assert office.learned() > before


def test_strangers_are_turned_away() -> None:
    office = Office({"annotators": ["ann"]})
    request, *_ = office.send(0, 5)
    office.label(request.event_id, "yes", by="mal")
    office.label(request.event_id, "yes", by="ann")
    assert office.learned() == 1
    assert office.reasons() == ["unknown_annotator"]
