"""A head start from labelled items of the past; the file they come from is read elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streamal.core.learners.model import Model
from streamal.core.types import Features, Production, Truth
from streamal.errors import Reject

__all__ = ["LabelledRow", "WarmStart", "warm_start"]

#: Rejects told in full; one bad column makes every row one.
_TOLD = 10


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One labelled item of the past.

    Attributes:
        event_id: identity; a row number will do. It seeds resampling.
        features: the model inputs.
        truth: the true class, or in a regression the true number.
        production: what production said; needed with `target = error`.
        weight: importance, > 0; 1 counts once.
    """

    event_id: str
    features: Features
    truth: Truth
    production: Production = field(default_factory=Production)
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class WarmStart:
    """How a warm start went.

    Attributes:
        learned: rows that were learned.
        rejected: rows that could not be.
        details: one line for each of the first few rejected rows.
    """

    learned: int
    rejected: int
    details: tuple[str, ...]


def warm_start(model: Model, rows: Iterable[LabelledRow]) -> WarmStart:
    """Teach the model every row, in the order given.

    A row that cannot be learned is counted and passed over. The result depends on the rows and
    their order only.
    """
    learned = rejected = 0
    details: list[str] = []
    for row in rows:
        try:
            model.learn(
                row.features,
                row.production,
                row.truth,
                event_id=row.event_id,
                weight=row.weight,
            )
            learned += 1
        except Reject as reject:
            rejected += 1
            if len(details) < _TOLD:
                details.append(f"{row.event_id}: {reject}")
    return WarmStart(learned, rejected, tuple(details))
