"""One run: gate, online model and reviewers over a recording, in one plain loop.

The same parts as in production, without a log between them: every label is learned before the next
item is decided, as if a snapshot followed each label at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from streamal.core.gate import Gate
from streamal.core.learners import Model, Outlook
from streamal.core.types import (
    NONE_LABELLED,
    Conditions,
    Context,
    Decision,
    Production,
    Selection,
    Truth,
    top_class,
)
from streamal.errors import Reject
from streamal.lab.experiment import Reviewers, Setup
from streamal.lab.judging import is_right, loss_of, said_by
from streamal.lab.ledger import Ledger, Observation, Trace
from streamal.lab.source import Item, Recording, Survey

__all__ = ["TICK", "Replay", "replay"]

#: Items between two reports of progress.
TICK: Final = 500


@dataclass(frozen=True, slots=True)
class _Due:
    """An answer on its way."""

    at: int
    item: Item
    production: Production
    label: Truth
    selection: Selection


@dataclass(frozen=True, slots=True)
class _Appraised:
    """What is known about an item."""

    context: Context
    expected_correct: float
    model_value: float | None


class Replay:
    """The parts of one run, item by item.

    Args:
        gate: a fresh gate.
        model: a model that has learned nothing.
        reviewers: how people answer.
        classes: all true classes, sorted; none in a regression.
        tolerance: in a regression, how far from the truth is still right.
    """

    def __init__(
        self,
        gate: Gate,
        model: Model,
        reviewers: Reviewers,
        classes: tuple[str, ...],
        tolerance: float | None = None,
    ) -> None:
        self._is_right = partial(is_right, tolerance=tolerance)
        self._gate = gate
        self._model = model
        self._reviewers = reviewers
        self._classes = classes
        self._due: deque[_Due] = deque()
        self._waiting: list[Item] = []
        self._number = 0

    def step(self, item: Item) -> list[Observation]:
        """Take in the next item, and decide on what can be decided with it.

        That is the item itself, or the window that it completes, or nothing yet.
        """
        self._waiting.append(item)
        window = self._gate.policy.decision_window
        full = window is None or len(self._waiting) >= window.events
        return self.finish() if full else []

    def finish(self) -> list[Observation]:
        """Decide on what waits for its window."""
        items, self._waiting = self._waiting, []
        appraised = [self._appraise(item) for item in items]
        if self._gate.policy.decision_window is not None:
            self._gate.plan([each.context for each in appraised], self._conditions())
        return [self._decide(item, each) for item, each in zip(items, appraised, strict=True)]

    def _decide(self, item: Item, appraised: _Appraised) -> Observation:
        """Decide on one item, ask about it if the gate says so, and learn the answers now due."""
        context, conditions = appraised.context, self._conditions()
        decision = self._gate.decide(context, conditions)
        self._gate.commit(context, decision, conditions)
        answer = self._ask(item, context.production, decision)
        self._learn()
        self._number += 1
        said, value = said_by(context.production), appraised.model_value
        known = top_class(context.model) if value is None else value
        return Observation(
            decision=decision,
            expected_correct=appraised.expected_correct,
            production_right=self._is_right(said, item.label),
            model_right=self._is_right(known, item.label),
            answered_right=None if answer is None else self._is_right(said, answer),
            production_loss=loss_of(said, item.label),
            model_loss=loss_of(value, item.label),
            answered_loss=loss_of(said, answer),
            expected_loss=context.expected_loss,
        )

    def _conditions(self) -> Conditions:
        return Conditions(now=float(self._number), pending=len(self._due))

    def _appraise(self, item: Item) -> _Appraised:
        outlook, production, expected = self._outlook(item)
        strategy = self._gate.strategy
        context = Context(
            event_id=item.event_id,
            features=item.features,
            production=production,
            model=outlook.probabilities,
            committee=outlook.committee,
            expected_correct=expected,
            boundary_distance=self._model.boundary_distance(item.features, production)
            if strategy.asks_boundary
            else None,
            strategy_weights=self._model.strategy_weights,
            committee_values=outlook.committee_values,
            expected_loss=outlook.expected_loss,
            labelled=self._model.labelled(margins=strategy.asks_boundary)
            if strategy.asks_labelled
            else NONE_LABELLED,
            lookahead=self._model.lookahead(item.features, production, event_id=item.event_id)
            if strategy.asks_lookahead
            else None,
        )
        return _Appraised(context, expected, outlook.value)

    def _outlook(self, item: Item) -> tuple[Outlook, Production, float]:
        if item.production is not None:
            outlook = self._model.outlook(item.features, item.production)
            return outlook, item.production, outlook.expected_correct
        # Nobody recorded production: the online model's own prediction stands in for it, and what
        # it expects of itself is its confidence, once it knows two classes.
        outlook = self._model.outlook(item.features, Production())
        if not isinstance(item.label, str):
            own = Production(value=outlook.value)
            outlook = self._model.outlook(item.features, own)
            return outlook, own, outlook.expected_correct
        known = outlook.probabilities
        label = top_class(known)
        expected = known[label] if label is not None and len(known) > 1 else 0.5
        return outlook, Production(label, known), expected

    def _ask(self, item: Item, production: Production, decision: Decision) -> Truth | None:
        if not decision.query:
            return None
        answer = self._reviewers.answer(item, self._classes, self._gate.seed)
        if answer is not None:
            at = self._number + self._reviewers.delay
            self._due.append(_Due(at, item, production, answer, decision.selection))
        return answer

    def _learn(self) -> None:
        while self._due and self._due[0].at <= self._number:
            due = self._due.popleft()
            with suppress(Reject):  # the trainer passes such a label over, too
                features = due.item.features
                self._model.credit(features, due.production, due.label, due.selection)
                self._model.learn(
                    features,
                    due.production,
                    due.label,
                    event_id=due.item.event_id,
                    weight=1.0 / due.selection.propensity,
                )


def replay(
    recording: Recording,
    found: Survey,
    reviewers: Reviewers,
    setup: Setup,
    tick: Callable[[int], None],
) -> Trace:
    """Run one combination over the recording, reading it row by row.

    Args:
        recording: the data.
        found: what a first pass over it found.
        reviewers: how people answer.
        setup: the combination.
        tick: called with the number of items done since the last call.
    """
    started = time.perf_counter()
    gate = setup.gate()
    tolerance = recording.tolerance
    run = Replay(gate, setup.model(tolerance), reviewers, found.classes, tolerance)
    ledger = Ledger(found.events, gate.policy.floor)
    for number, item in enumerate(recording.items(), 1):
        for seen in run.step(item):
            ledger.add(seen)
        if number % TICK == 0:
            tick(TICK)
    for seen in run.finish():
        ledger.add(seen)
    tick(found.events % TICK)
    return ledger.trace(time.perf_counter() - started)
