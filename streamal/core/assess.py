"""What is known about items when the gate decides: the online model's word, and the committee's.

Gate, lab and demo come through here, so that what is compared on recorded data is what runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np

from streamal.core.batch import Batch, Block, Distributions, Outlooks, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners.model import Model
from streamal.core.strategies.base import Strategy
from streamal.core.types import NONE_LABELLED, NOTHING, Lookahead, Probabilities


@dataclass(frozen=True, slots=True)
class Items:
    """Predictions of production, in columns.

    Attributes:
        event_ids: they differ.
        features: the model inputs.
        production: what production said.
        members: of each item, what the members of production's own ensemble said: probabilities,
            or in a regression numbers; empty when no item tells.
    """

    event_ids: Sequence[str]
    features: FeatureColumns
    production: Outputs
    members: Sequence[Sequence[Probabilities | float]] = ()

    def __len__(self) -> int:
        return len(self.event_ids)

    def take(self, start: int, stop: int) -> Items:
        """Those from `start` up to `stop`."""
        return Items(
            self.event_ids[start:stop],
            self.features.take(start, stop),
            self.production.take(start, stop),
            self.members[start:stop],
        )

    def pick(self, rows: Sequence[int]) -> Items:
        """Those at these positions."""
        if len(rows) == len(self):
            return self
        return Items(
            [self.event_ids[row] for row in rows],
            FeatureColumns([self.features.rows[row] for row in rows]),
            Outputs.of([self.production.item(row) for row in rows]),
            [self.members[row] for row in rows] if self.members else (),
        )

    def distributions(self) -> tuple[Distributions, ...]:
        """The class probabilities of each seat of production's own ensemble."""
        heard = [
            [each for each in said if not isinstance(each, float | int)] for said in self.members
        ]
        seats = max(map(len, heard), default=0)
        return tuple(
            Distributions.of([said[seat] if seat < len(said) else NOTHING for said in heard])
            for seat in range(seats)
        )

    def numbers(self, number: int) -> list[float]:
        """What the ensemble's members predict for one item of a regression."""
        said = self.members[number] if self.members else ()
        return [each for each in said if isinstance(each, float | int)]


@dataclass(frozen=True, slots=True)
class Seats:
    """Who sits on the committee.

    Attributes:
        learner: the members of the online model's committee.
        event: those that the event brings.
        production: production itself, where it tells probabilities.
        model: the online model itself.
    """

    learner: bool = True
    event: bool = True
    production: bool = False
    model: bool = False


#: The names of all seats.
SEATS: Final = tuple(field.name for field in fields(Seats))


@dataclass(frozen=True, slots=True)
class Assessed:
    """Items with all that the gate knows about them.

    Attributes:
        batch: what the strategy may look at, as far as the online model is trusted.
        outlooks: what the online model said; what is recorded for estimates.
    """

    batch: Batch
    outlooks: Outlooks = field(repr=False)

    def take(self, start: int, stop: int) -> Assessed:
        """Those of the items from `start` up to `stop`."""
        return Assessed(self.batch.take(start, stop), self.outlooks.take(start, stop))


def assess(
    items: Items,
    model: Model,
    strategy: Strategy,
    seats: Seats,
    *,
    trust: float = 1.0,
    outlooks: Outlooks | None = None,
) -> Assessed:
    """Ask the online model about items, as far as the strategy wants to know.

    Args:
        items: what production said.
        model: the online model.
        strategy: of the gate that will decide.
        seats: who sits on the committee.
        trust: how much the online model's opinion counts, in [0, 1].
        outlooks: what the model says about the items, where it was asked already.
    """
    features, production = items.features, items.production
    if outlooks is None:
        outlooks = model.outlook(features, production)
    counted = trusted(outlooks, trust)

    def lookahead(number: int) -> Lookahead | None:
        return model.lookahead(
            features.rows[number], production.item(number), event_id=items.event_ids[number]
        )

    distances = None
    if strategy.asks_boundary and trust > 0.0:
        distances = model.boundary_distance(features, production)
    labelled = NONE_LABELLED
    if strategy.asks_labelled:
        labelled = model.labelled(margins=strategy.asks_boundary)
    batch = Batch(
        event_ids=items.event_ids,
        features=features,
        production=production,
        model=counted.probabilities,
        committee=_members(items, counted, seats),
        expected_correct=counted.expected_correct,
        boundary_distance=distances,
        strategy_weights=model.strategy_weights,
        committee_values=_values(items, counted, seats),
        expected_loss=counted.expected_loss,
        labelled=labelled,
        lookahead=lookahead if strategy.asks_lookahead else None,
    )
    return Assessed(batch, outlooks)


def _members(items: Items, outlooks: Outlooks, seats: Seats) -> tuple[Distributions, ...]:
    members: list[Distributions] = []
    if seats.learner:
        members.extend(outlooks.committee)
    if seats.event and items.members:
        members.extend(items.distributions())
    if seats.production:
        members.append(items.production.probabilities)
    if seats.model:
        members.append(outlooks.probabilities)
    return tuple(members)


def _values(items: Items, outlooks: Outlooks, seats: Seats) -> Sequence[tuple[float, ...]]:
    """The numbers of the committee of a regression; none in a classification."""
    said, size = items.production.values, len(items)
    if np.isnan(said).all():
        return [()] * size
    return [_seated(items, outlooks, seats, number) for number in range(size)]


def _seated(items: Items, outlooks: Outlooks, seats: Seats, number: int) -> tuple[float, ...]:
    said = float(items.production.values[number])
    if np.isnan(said):
        return ()
    values: list[float] = []
    if seats.learner:
        values.extend(outlooks.committee_values[number])
    if seats.event:
        values.extend(items.numbers(number))
    if seats.production:
        values.append(said)
    if seats.model and not np.isnan(outlooks.values[number]):
        values.append(float(outlooks.values[number]))
    return tuple(values)


def trusted(outlooks: Outlooks, trust: float) -> Outlooks:
    """What counts of the online model's opinion; nothing of it at a trust of 0.

    Numbers have no even distribution to be mixed with: those of a regression count or do not. Nor
    does mixing change which item is the most doubtful of a classification, only how doubtful.
    """
    if trust >= 1.0:
        return outlooks
    size = len(outlooks)
    unknown = np.full(size, np.nan)
    counted = replace(
        outlooks,
        probabilities=less_trusted(outlooks.probabilities, trust),
        committee=tuple(less_trusted(member, trust) for member in outlooks.committee),
        expected_correct=0.5 + trust * (outlooks.expected_correct - 0.5),
    )
    if trust > 0.0:
        return counted
    return replace(
        counted, committee=(), values=unknown, committee_values=[()] * size, expected_loss=unknown
    )


def less_trusted(said: Distributions, trust: float) -> Distributions:
    """Distributions mixed with knowing nothing; at a trust of 0 nothing is known at all.

    >>> less_trusted(Distributions.of([{"cat": 1.0, "dog": 0.0}]), 0.5).item(0)
    {'cat': 0.75, 'dog': 0.25}
    """
    if trust >= 1.0:
        return said
    if trust <= 0.0:
        return Distributions(said.size)
    return Distributions(
        said.size,
        [
            Block(rows, classes, trust * p + (1.0 - trust) / len(classes))
            for rows, classes, p in said.blocks
        ],
    )
