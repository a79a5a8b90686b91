"""A pending view to which tests say, label by label, what people answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamal.core.annotation import CollapseDetector
from streamal.ports import Record
from streamal.state import (
    Answer,
    Dispute,
    Guard,
    JudgeRules,
    PendingView,
    Quarantine,
    ReviewOutcome,
    Standing,
)

if TYPE_CHECKING:
    from tests.unit.state.conftest import Records

RULES = JudgeRules(
    guard=Guard(CollapseDetector(threshold=0.6, false_alarm=0.01), least_comparisons=3),
    gold={"item-1": "good"},
    adjudication_seconds=50,
)


class Log:
    """Appends labels; offsets count up."""

    def __init__(self, view: PendingView, make: Records) -> None:
        self.view = view
        self.make = make
        self.records: list[Record] = []
        self._reviews = 0

    def ask(self, event_id: str, required: int = 1, gold: str | None = None) -> None:
        self.view.apply_reviews(
            [self.make.review(self._reviews, event_id, required=required, gold=gold)]
        )
        self._reviews += 1

    def say(self, annotator: str, event_id: str, label: str | None, **more: object) -> Answer:
        return self._add(
            self.make.label(len(self.records), event_id, label, annotator=annotator, **more)  # type: ignore[arg-type]  # any field
        )

    def rule(self, annotator: str, ruling: str, arrived: float = 10) -> Answer:
        return self._add(
            self.make.ruling(len(self.records), annotator, ruling, arrived=arrived)  # type: ignore[arg-type]  # one of three
        )

    def _add(self, record: Record) -> Answer:
        self.records.append(record)
        (answer,) = self.view.register_labels([record]).answers
        return answer

    def outcome(self, event_id: str, horizon_seconds: float = 1e9) -> ReviewOutcome:
        outcomes = self.view.measures.outcomes(0, 1e12, horizon_seconds=horizon_seconds)
        return next(each for each in outcomes if each.event_id == event_id)

    def final(self, event_id: str) -> str | None:
        return self.outcome(event_id).label

    def standing(self, annotator: str) -> Standing:
        return self.view.annotators.get(annotator).standing


def taught(answers: Sequence[Answer]) -> list[tuple[str, str | float]]:
    return [(lesson.event_id, lesson.answer) for answer in answers for lesson in answer.lessons]


def disputes(answer: Answer) -> list[Dispute]:
    return [effect for effect in answer.effects if isinstance(effect, Dispute)]


def quarantined(answer: Answer) -> list[str]:
    return [effect.annotator for effect in answer.effects if isinstance(effect, Quarantine)]


def poison(log: Log, items: int, *, poisoner: str = "mal") -> list[Answer]:
    """Two honest annotators, and one who always says the opposite."""
    answers = []
    for number in range(items):
        log.ask(f"p{number}", required=3)
        for name, label in (("ann", "good"), (poisoner, "bad"), ("bob", "good")):
            answers.append(log.say(name, f"p{number}", label))
    return answers
