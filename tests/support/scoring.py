"""Strategies, item by item."""

from __future__ import annotations

from streamal.core.batch import Batch
from streamal.core.strategies import Strategy
from streamal.core.types import Advice, Context


def note(strategy: Strategy, *contexts: Context) -> None:
    """Let it take note of items, one after the other."""
    for context in contexts:
        strategy.score(Batch.of([context]))


def score_one(strategy: Strategy, context: Context) -> float:
    """The score of an item, of which no note is kept."""
    before = strategy.state()
    (score,) = strategy.score(Batch.of([context])).tolist()
    strategy.restore(before)
    return float(score)


def advice_on(strategy: Strategy, context: Context) -> Advice | None:
    """What the score of an item was made of; of the item, no note is kept."""
    score_one(strategy, context)
    return strategy.advice(0)
