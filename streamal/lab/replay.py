"""One run: gate, online model and reviewers over a recording, in one plain loop.

The same parts as in production, without a log between them: every label is learned before the next
item is decided, as if a snapshot followed each label at once. So a batch ends where a label is due.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from streamal.core.assess import Assessed, Items, Seats, assess
from streamal.core.batch import Distributions, Outlooks, Outputs
from streamal.core.features import FeatureColumns, Vector
from streamal.core.gate import Decisions, Gate
from streamal.core.learners import Model
from streamal.core.types import Conditions, Production, Selection, Truth
from streamal.errors import Reject
from streamal.lab.experiment import Reviewers, Setup
from streamal.lab.judging import Judge
from streamal.lab.ledger import Ledger, Seen, Trace
from streamal.lab.source import Item, Recording, Survey

#: Items between two reports of progress, and most that are decided at once.
TICK: Final = 500
#: Items that are looked at ahead where the first routed one ends the batch, times the budget: what
#: lies behind that one is predicted in vain.
_AHEAD: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Due:
    """An answer on its way."""

    at: int
    item: Item
    production: Production
    label: Truth
    selection: Selection


class Replay:
    """The parts of one run.

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
        self._judge = Judge(tolerance)
        self._gate = gate
        self._model = model
        self._reviewers = reviewers
        self._classes = classes
        self._due: deque[_Due] = deque()
        self._number = 0

    def run(self, items: Iterable[Item]) -> Iterator[Seen]:
        """Decide on items in their order, and learn the answers as they come.

        Where the policy decides windows, the last one may be short.
        """
        source = iter(items)
        window = self._gate.policy.decision_window
        size = TICK if window is None else window.events
        while chunk := list(islice(source, size)):
            start = 0
            while start < len(chunk):
                reach = len(chunk) - start if window else self._reach(len(chunk) - start)
                seen = self._decide(chunk[start : start + reach], until_query=self._stops)
                yield seen
                start += len(seen)

    @property
    def _stops(self) -> bool:
        """Whether the first routed item ends a batch, because its label is learned at once."""
        together = self._gate.policy.decision_window is not None or self._gate.remembers
        return self._reviewers.delay == 0 and not together

    def _reach(self, left: int) -> int:
        """How many items can be decided before a label may come that is learned first."""
        if self._stops:
            return min(left, 1 + int(_AHEAD / self._gate.policy.budget))
        reach = min(left, self._reviewers.delay + 1)
        return min(reach, self._due[0].at - self._number + 1) if self._due else reach

    def _decide(self, items: Sequence[Item], *, until_query: bool) -> Seen:
        """Decide on items, ask about those that the gate routes, and learn what is due."""
        assessed = self._assess(items)
        conditions = Conditions(now=float(self._number), pending=len(self._due))
        decisions = self._gate.decide(assessed.batch, conditions, until_query=until_query)
        production = assessed.batch.production
        answers: dict[int, Truth] = {}
        for row in range(len(decisions)):
            if decisions.queries[row]:
                answer = self._ask(items[row], production.item(row), decisions, row)
                if answer is not None:
                    answers[row] = answer
            self._learn()
            self._number += 1
        done = len(decisions)
        return self._seen(items[:done], assessed.take(0, done), decisions, answers)

    def _assess(self, items: Sequence[Item]) -> Assessed:
        features = FeatureColumns([item.features for item in items])
        production, outlooks = self._production(items, features)
        ids = [item.event_id for item in items]
        return assess(
            Items(ids, features, production),
            self._model,
            self._gate.strategy,
            Seats(),
            outlooks=outlooks,
        )

    def _production(
        self, items: Sequence[Item], features: FeatureColumns
    ) -> tuple[Outputs, Outlooks | None]:
        """What production said; where nobody recorded it, the online model stands in for it."""
        recorded = [item.production for item in items if item.production is not None]
        if recorded:
            return Outputs.of(recorded), None
        outlooks = self._model.outlook(features, Outputs.nothing(len(items)))
        if not isinstance(items[0].label, str):
            return _numbers(outlooks.values), None
        said = outlooks.probabilities
        confident = replace(outlooks, expected_correct=_confidence(said))
        return Outputs(said.top_classes(), said, np.full(len(items), np.nan)), confident

    def _ask(
        self, item: Item, production: Production, decisions: Decisions, row: int
    ) -> Truth | None:
        answer = self._reviewers.answer(item, self._classes, self._gate.seed)
        if answer is not None:
            at = self._number + self._reviewers.delay
            self._due.append(_Due(at, item, production, answer, decisions.item(row).selection))
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

    def _seen(
        self,
        items: Sequence[Item],
        assessed: Assessed,
        decisions: Decisions,
        answers: dict[int, Truth],
    ) -> Seen:
        judge, batch, outlooks = self._judge, assessed.batch, assessed.outlooks
        truths = [item.label for item in items]
        said = judge.said(batch.production)
        known = judge.known(outlooks)
        return Seen(
            decisions=decisions,
            expected_correct=outlooks.expected_correct,
            expected_loss=outlooks.expected_loss,
            production_right=judge.right(said, truths),
            model_right=judge.right(known, truths),
            answered_right={
                row: judge.right([said[row]], [answer])[0] for row, answer in answers.items()
            },
            production_loss=judge.losses(said, truths),
            model_loss=judge.losses(known, truths),
            answered_loss={
                row: loss
                for row, answer in answers.items()
                if (loss := judge.losses([said[row]], [answer])[0]) is not None
            },
        )


def _numbers(values: Vector) -> Outputs:
    return Outputs([None] * len(values), Distributions(len(values)), values)


def _confidence(said: Distributions) -> Vector:
    """What the model expects of itself: its confidence, once it knows two classes."""
    expected = np.full(said.size, 0.5)
    for rows, classes, p in said.blocks:
        if len(classes) > 1:
            expected[rows] = p.max(axis=1)
    return expected


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
    done = told = 0
    for seen in run.run(recording.items()):
        ledger.add(seen)
        done += len(seen)
        if done - told >= TICK:
            tick(done - told)
            told = done
    tick(done - told)
    return ledger.trace(time.perf_counter() - started)
