"""Running gates: one stream, one gate, one budget, one seed at a time, in parallel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.label_efficiency.gate import Decider, Entrant, Task
from benchmarks.label_efficiency.learner import BaseLearner
from benchmarks.label_efficiency.streams import Stream

__all__ = ["Run", "all_labels", "compete"]

#: Bisections when a knob is turned until a gate spends its budget.
_TURNS: Final = 8
#: Spend, relative to the budget, at which turning stops.
_CLOSE: Final = 0.02
_KNOBS: Final = (1e-9, 1e3)


@dataclass(frozen=True)
class Run:
    """One gate over one stream.

    Attributes:
        stream: its name.
        library: who publishes the gate.
        gate: its name.
        budget: share of events that it may ask about.
        seed: of its draws.
        queries: items asked about.
        events: items in all.
        accuracy: share of items predicted right before they could be learned.
    """

    stream: str
    library: str
    gate: str
    budget: float
    seed: int
    queries: int
    events: int
    accuracy: float

    @property
    def spend(self) -> float:
        """Labels bought for each that the budget pays."""
        return self.queries / (self.budget * self.events)


def compete(stream: Stream, entrant: Entrant, budget: float, seeds: int) -> list[Run]:
    """Every seed of one gate under one budget; one where nothing is drawn, or it is slow."""
    make = entrant.make
    if entrant.tuned is not None:
        make = _turned(stream, entrant, entrant.tuned, budget)
    several = entrant.draws and not entrant.slow
    return [_run(stream, entrant, make, budget, seed) for seed in range(seeds if several else 1)]


def all_labels(stream: Stream) -> float:
    """Prequential accuracy of the base learner that learns every item."""
    learner = BaseLearner(len(stream.columns), stream.classes)
    right = 0
    for number, label in enumerate(stream.labels.tolist()):
        rows = stream.rows[number : number + 1]
        right += int(learner.block(number, rows).probabilities[0].argmax()) == label
        learner.learn(rows[0], label)
    return right / len(stream.labels)


def _run(
    stream: Stream, entrant: Entrant, make: Callable[[Task], Decider], budget: float, seed: int
) -> Run:
    learner = BaseLearner(len(stream.columns), stream.classes)
    gate = make(Task(stream, budget, seed, learner))
    # Items past the first that is asked about are predicted in vain, so blocks are short; the
    # gates decide the same whatever the length.
    length = 1 if entrant.alone else max(8, min(100, int(0.7 / budget)))
    start = queries = right = 0
    while start < len(stream.labels):
        block = learner.block(start, stream.rows[start : start + length])
        choice = gate.first(block)
        end = start + choice.decided
        guesses = block.probabilities[: choice.decided].argmax(axis=1)
        right += int(np.sum(guesses == stream.labels[start:end]))
        if choice.ask:
            queries += 1
            learner.learn(stream.rows[end - 1], int(stream.labels[end - 1]), choice.weight)
        start = end
    return Run(
        stream.name,
        entrant.library,
        entrant.name,
        budget,
        seed,
        queries,
        len(stream.labels),
        right / len(stream.labels),
    )


def _turned(
    stream: Stream, entrant: Entrant, tuned: Callable[[Task, float], Decider], budget: float
) -> Callable[[Task], Decider]:
    """The gate with the knob at which seed 0 spends the budget, found by bisection."""

    def at(exponent: float) -> Callable[[Task], Decider]:
        return lambda task: tuned(task, math.exp(exponent))

    low, high = (math.log(knob) for knob in _KNOBS)
    tried: dict[float, float] = {}
    for _ in range(_TURNS):
        middle = (low + high) / 2.0
        spend = _run(stream, entrant, at(middle), budget, 0).spend
        tried[middle] = abs(spend - 1.0)
        if tried[middle] < _CLOSE:
            break
        low, high = (middle, high) if spend < 1.0 else (low, middle)
    return at(min(tried, key=tried.__getitem__))
