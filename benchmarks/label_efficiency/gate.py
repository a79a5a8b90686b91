"""What a gate is here, and streamal's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from benchmarks.label_efficiency.learner import BaseLearner, Block
from benchmarks.label_efficiency.streams import Stream
from streamal.core.batch import Batch
from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.strategies import build_strategy
from streamal.core.types import Conditions, Context, Production
from streamal.settings import GateSettings

__all__ = ["Choice", "Decider", "Entrant", "Task", "ours"]


class Choice(NamedTuple):
    """How far a block was decided, and whether the last of these items is asked about.

    Attributes:
        decided: items decided, from the block's first on, >= 1.
        ask: whether the last one's label is wanted.
        weight: with which it is to be learned.
    """

    decided: int
    ask: bool
    weight: float = 1.0


class Decider(Protocol):
    """Decides on items in order."""

    def first(self, block: Block) -> Choice:
        """Decide up to and including the first item that is asked about, or the block's end."""


@dataclass(frozen=True)
class Task:
    """What a decider is made for.

    Attributes:
        stream: all it may know of it is the number of classes and columns.
        budget: share of events to ask about.
        seed: of its draws.
        learner: whose predictions it gets.
    """

    stream: Stream
    budget: float
    seed: int
    learner: BaseLearner


@dataclass(frozen=True)
class Entrant:
    """One gate that is compared.

    Attributes:
        name: as the table shows it.
        library: who publishes it.
        make: a fresh one.
        draws: whether seeds make a difference.
        slow: whether it takes a millisecond per item; such a gate runs with one seed.
        alone: whether it must be asked about one item at a time.
        tuned: a knob in place of a budget, turned in hindsight until the spend is right; None for
            a gate that is told its budget.
    """

    name: str
    library: str
    make: Callable[[Task], Decider]
    draws: bool = True
    slow: bool = False
    alone: bool = False
    tuned: Callable[[Task, float], Decider] | None = None


class _Ours:
    def __init__(self, strategy: str, policy: str, task: Task) -> None:
        self._gate = Gate(
            build_strategy(strategy, {}),
            build_budget(
                policy,
                {},
                budget=task.budget,
                exploration=_DEFAULTS.exploration,
                advance_labels=_DEFAULTS.advance_labels,
            ),
            seed=task.seed,
        )

    def first(self, block: Block) -> Choice:
        known = block.classes_known > 1
        items = [
            Context(
                f"row-{block.start + number}",
                _NO_FEATURES,
                _SILENT,
                {str(label): p for label, p in enumerate(row)} if known else {},
            )
            for number, row in enumerate(block.probabilities.tolist())
        ]
        conditions = Conditions(now=0.0)
        if self._gate.remembers:
            return self._one_by_one(items, conditions)
        decisions = self._gate.decide(Batch.of(items), conditions, until_query=True)
        return Choice(len(decisions), ask=decisions.queries[-1])

    def _one_by_one(self, items: list[Context], conditions: Conditions) -> Choice:
        """What comes behind the first routed item must not be noted before its label."""
        for number, item in enumerate(items, 1):
            if self._gate.decide(Batch.of([item]), conditions).queries[0]:
                return Choice(number, ask=True)
        return Choice(len(items), ask=False)


_DEFAULTS = GateSettings()
_NO_FEATURES: Mapping[str, float] = {}
_SILENT = Production()


def ours(strategy: str, policy: str) -> Entrant:
    """A gate of streamal, with default parameters."""
    return Entrant(f"{strategy} / {policy}", "streamal", lambda task: _Ours(strategy, policy, task))
