"""Items in columns: what strategies, learners and the gate work on.

An item on its own is a batch of one. A batch decides exactly as its items one by one, so whatever
is computed for a row must not depend, to the last bit, on the rows beside it: elementwise
operations and sums over columns in a fixed order do not, a matrix product by BLAS may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streamal.core.features import FeatureColumns, Vector
from streamal.core.types import (
    NONE_LABELLED,
    NOTHING,
    Context,
    Labelled,
    Lookahead,
    Probabilities,
    Production,
    Source,
    mean_probabilities,
)

#: Numbers, one row per item: shape (n, columns), rows contiguous.
Matrix: TypeAlias = NDArray[np.float64]
#: Positions of items in a batch, ascending.
Rows: TypeAlias = NDArray[np.intp]


class Block(NamedTuple):
    """Items that know the same classes.

    Attributes:
        rows: which items, ascending.
        classes: at least one, in the order of the columns.
        p: probability of each class, shape (rows, classes), C-contiguous.
    """

    rows: Rows
    classes: tuple[str, ...]
    p: Matrix


class Distributions:
    """Class probabilities of n items; an item in no block knows nothing.

    Args:
        size: n.
        blocks: no item is in two of them.
    """

    __slots__ = ("blocks", "size")

    def __init__(self, size: int, blocks: Sequence[Block] = ()) -> None:
        self.size = size
        self.blocks = tuple(blocks)

    @classmethod
    def of(cls, items: Sequence[Probabilities]) -> Distributions:
        """From a mapping per item; an empty one knows nothing.

        >>> Distributions.of([{"a": 0.25, "b": 0.75}, {}]).item(0)
        {'a': 0.25, 'b': 0.75}
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, item in enumerate(items):
            groups.setdefault(tuple(item), []).append(number)
        return cls(
            len(items),
            [
                Block(
                    np.array(rows, dtype=np.intp),
                    classes,
                    np.array([list(items[row].values()) for row in rows], dtype=np.float64),
                )
                for classes, rows in groups.items()
                if classes
            ],
        )

    @classmethod
    def whole(cls, classes: Sequence[str], p: Matrix) -> Distributions:
        """All items know the same classes, or none does.

        Args:
            classes: in the order of the columns; may be empty.
            p: shape (n, classes). An item whose row holds a NaN knows nothing.
        """
        size = len(p)
        if not classes:
            return cls(size)
        known = np.flatnonzero(~np.isnan(p).any(axis=1))
        if len(known) < size:
            p = p[known]
        return cls(size, [Block(known, tuple(classes), np.ascontiguousarray(p))] if len(p) else ())

    def item(self, number: int) -> Probabilities:
        """One item's, as a mapping."""
        for block in self.blocks:
            place = int(np.searchsorted(block.rows, number))
            if place < len(block.rows) and block.rows[place] == number:
                return dict(zip(block.classes, block.p[place].tolist(), strict=True))
        return NOTHING

    def items(self) -> list[Probabilities]:
        """All of them, as mappings."""
        found: list[Probabilities] = [NOTHING] * self.size
        for rows, classes, p in self.blocks:
            for row, values in zip(rows.tolist(), p.tolist(), strict=True):
                found[row] = dict(zip(classes, values, strict=True))
        return found

    def top_classes(self) -> list[str | None]:
        """The most probable class of each item, as `top_class`."""
        found: list[str | None] = [None] * self.size
        for rows, classes, p in self.blocks:
            order = sorted(range(len(classes)), key=classes.__getitem__)
            best = p[:, order].argmax(axis=1)
            for row, place in zip(rows.tolist(), best.tolist(), strict=True):
                found[row] = classes[order[place]]
        return found

    def take(self, start: int, stop: int) -> Distributions:
        """Those of the items from `start` up to `stop`."""
        blocks = []
        for rows, classes, p in self.blocks:
            low, high = np.searchsorted(rows, (start, stop))
            if low < high:
                blocks.append(Block(rows[low:high] - start, classes, p[low:high]))
        return Distributions(stop - start, blocks)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the production model said about n items; see `Production` for each.

    Attributes:
        labels: the chosen classes.
        probabilities: of the classes.
        values: the numbers of a regression, NaN where there is none.
        token_probabilities: of sequences; None when no item has any.
        objects: of detections; None when no item has any.
    """

    labels: Sequence[str | None]
    probabilities: Distributions
    values: Vector
    token_probabilities: Sequence[tuple[float, ...]] | None = None
    objects: Sequence[tuple[Probabilities, ...] | None] | None = None

    @classmethod
    def of(cls, items: Sequence[Production]) -> Outputs:
        """From one `Production` per item."""
        tokens = [item.token_probabilities for item in items]
        objects = [item.objects for item in items]
        return cls(
            labels=[item.label for item in items],
            probabilities=Distributions.of([item.probabilities for item in items]),
            values=numbers_of([item.value for item in items]),
            token_probabilities=tokens if any(tokens) else None,
            objects=objects if any(each is not None for each in objects) else None,
        )

    @classmethod
    def nothing(cls, size: int) -> Outputs:
        """Of items that production said nothing about."""
        return cls([None] * size, Distributions(size), np.full(size, np.nan))

    def __len__(self) -> int:
        return len(self.labels)

    def item(self, number: int) -> Production:
        """One item's."""
        return Production(
            label=self.labels[number],
            probabilities=self.probabilities.item(number),
            value=number_or_none(self.values, number),
            token_probabilities=()
            if self.token_probabilities is None
            else self.token_probabilities[number],
            objects=None if self.objects is None else self.objects[number],
        )

    def take(self, start: int, stop: int) -> Outputs:
        """Those of the items from `start` up to `stop`."""
        tokens, objects = self.token_probabilities, self.objects
        return Outputs(
            self.labels[start:stop],
            self.probabilities.take(start, stop),
            self.values[start:stop],
            None if tokens is None else tokens[start:stop],
            None if objects is None else objects[start:stop],
        )


def numbers_of(values: Sequence[float | None]) -> Vector:
    """One number per item, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def number_or_none(values: Vector, number: int) -> float | None:
    """The number of one item; None for NaN."""
    value = float(values[number])
    return None if value != value else value


@dataclass(frozen=True, slots=True)
class Batch:
    """All that a strategy may look at for n items; see `Context` for each.

    Attributes:
        event_ids: identities of the events; the seeds of their random draws. They differ.
        features: the model inputs as production published them.
        production: production's predictions.
        model: class probabilities of the online model.
        committee: class probabilities of each member; empty when there is no committee.
        expected_correct: predicted P(production is right), in [0, 1]; NaN when nobody predicted.
        boundary_distance: distance to the nearest class boundary of a linear online model, NaN
            where it has none; None when it has none at all or nobody asked.
        strategy_weights: share of a bandit's choices that each of its strategies has earned.
        committee_values: in a regression, the numbers that the members predict, per item.
        expected_loss: in a regression, predicted |production - truth|, >= 0; NaN while nobody can
            tell.
        labelled: the latest labelled items; empty while there are none, and when nobody asked.
        lookahead: by position, what the online model would predict after a label of that item;
            None in a regression or when nobody asked.
    """

    event_ids: Sequence[str]
    features: FeatureColumns
    production: Outputs
    model: Distributions
    committee: tuple[Distributions, ...]
    expected_correct: Vector
    boundary_distance: Vector | None
    strategy_weights: Mapping[str, float]
    committee_values: Sequence[tuple[float, ...]]
    expected_loss: Vector
    labelled: Labelled = NONE_LABELLED
    lookahead: Callable[[int], Lookahead | None] | None = None

    @classmethod
    def of(cls, items: Sequence[Context]) -> Batch:
        """From one `Context` per item; weights, labelled items and committee size are the first's.

        >>> Batch.of([Context("e1", {"x": 1.0}, Production("cat"), {"cat": 1.0})]).event_ids
        ['e1']
        """
        first = items[0]
        distances = numbers_of([item.boundary_distance for item in items])
        seats = max(len(item.committee) for item in items)
        return cls(
            event_ids=[item.event_id for item in items],
            features=FeatureColumns([item.features for item in items]),
            production=Outputs.of([item.production for item in items]),
            model=Distributions.of([item.model for item in items]),
            committee=tuple(
                Distributions.of(
                    [
                        item.committee[seat] if seat < len(item.committee) else NOTHING
                        for item in items
                    ]
                )
                for seat in range(seats)
            ),
            expected_correct=numbers_of([item.expected_correct for item in items]),
            boundary_distance=None if np.isnan(distances).all() else distances,
            strategy_weights=first.strategy_weights,
            committee_values=[item.committee_values for item in items],
            expected_loss=numbers_of([item.expected_loss for item in items]),
            labelled=first.labelled,
            lookahead=lambda number: items[number].lookahead,
        )

    def __len__(self) -> int:
        return len(self.event_ids)

    def probabilities(self, source: Source) -> Distributions:
        """Class probabilities of `source`; the committee speaks through its mean member."""
        if source is Source.MODEL:
            return self.model
        if source is Source.PRODUCTION:
            return self.production.probabilities
        return mean_of(self.committee, len(self))

    def item(self, number: int) -> Context:
        """One item on its own."""
        distances = self.boundary_distance
        return Context(
            event_id=self.event_ids[number],
            features=self.features.rows[number],
            production=self.production.item(number),
            model=self.model.item(number),
            committee=tuple(member.item(number) for member in self.committee),
            expected_correct=number_or_none(self.expected_correct, number),
            boundary_distance=None if distances is None else number_or_none(distances, number),
            strategy_weights=self.strategy_weights,
            committee_values=self.committee_values[number],
            expected_loss=number_or_none(self.expected_loss, number),
            labelled=self.labelled,
            lookahead=None if self.lookahead is None else self.lookahead(number),
        )

    def take(self, start: int, stop: int) -> Batch:
        """The items from `start` up to `stop`."""
        if start == 0 and stop == len(self):
            return self
        distances, ahead = self.boundary_distance, self.lookahead
        return Batch(
            event_ids=self.event_ids[start:stop],
            features=self.features.take(start, stop),
            production=self.production.take(start, stop),
            model=self.model.take(start, stop),
            committee=tuple(member.take(start, stop) for member in self.committee),
            expected_correct=self.expected_correct[start:stop],
            boundary_distance=None if distances is None else distances[start:stop],
            strategy_weights=self.strategy_weights,
            committee_values=self.committee_values[start:stop],
            expected_loss=self.expected_loss[start:stop],
            labelled=self.labelled,
            lookahead=None if ahead is None else lambda number: ahead(start + number),
        )


def mean_of(members: Sequence[Distributions], size: int) -> Distributions:
    """The members' mean distribution of each item; members that know nothing are left out."""
    if members and same_blocks(members):
        return Distributions(
            size,
            [
                Block(first.rows, first.classes, _mean([m.blocks[place].p for m in members]))
                for place, first in enumerate(members[0].blocks)
            ],
        )
    each = [member.items() for member in members]
    return Distributions.of(
        [mean_probabilities(tuple(items[number] for items in each)) for number in range(size)]
    )


def same_blocks(members: Sequence[Distributions]) -> bool:
    """Whether all know the same classes about the same items, as members nearly always do."""
    first = members[0]
    return all(
        len(member.blocks) == len(first.blocks)
        and all(
            mine.classes == theirs.classes and _same_rows(mine.rows, theirs.rows, first.size)
            for mine, theirs in zip(first.blocks, member.blocks, strict=True)
        )
        for member in members[1:]
    )


def _same_rows(one: Rows, other: Rows, size: int) -> bool:
    if one is other:
        return True
    # As many as there are items are all of them.
    return len(one) == len(other) and (len(one) == size or bool((one == other).all()))


def _mean(tables: Sequence[Matrix]) -> Matrix:
    """Added up in the order of the members, so that no row depends on the others."""
    total = tables[0].copy()
    for table in tables[1:]:
        total += table
    total /= len(tables)
    return total


class Outlook(NamedTuple):
    """What the online model expects of one item; see `Outlooks`."""

    probabilities: Probabilities
    expected_correct: float
    value: float | None
    expected_loss: float | None


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What the online model expects of n items, from the past only.

    Attributes:
        probabilities: of the classes, or of "right" and "wrong" with `target = error`; nobody knows
            anything while nothing was learned, and in a regression.
        committee: the same from each member; empty without a committee.
        expected_correct: predicted P(production is right), in [0, 1]. In a regression, right is
            within the tolerance of the truth.
        values: in a regression, the predicted numbers; NaN while nothing was learned, with
            `target = error`, and in a classification.
        committee_values: in a regression, what each member that has learned something predicts, per
            item: the number, or with `target = error` production's error.
        expected_loss: in a regression, predicted |production - truth|, >= 0; NaN while nothing was
            learned, and in a classification.
    """

    probabilities: Distributions
    committee: tuple[Distributions, ...]
    expected_correct: Vector
    values: Vector
    committee_values: Sequence[tuple[float, ...]]
    expected_loss: Vector

    def __len__(self) -> int:
        return len(self.expected_correct)

    def item(self, number: int) -> Outlook:
        """One item's, the committee left out."""
        return Outlook(
            self.probabilities.item(number),
            float(self.expected_correct[number]),
            number_or_none(self.values, number),
            number_or_none(self.expected_loss, number),
        )

    def take(self, start: int, stop: int) -> Outlooks:
        """Those of the items from `start` up to `stop`."""
        if start == 0 and stop == len(self):
            return self
        return Outlooks(
            self.probabilities.take(start, stop),
            tuple(member.take(start, stop) for member in self.committee),
            self.expected_correct[start:stop],
            self.values[start:stop],
            self.committee_values[start:stop],
            self.expected_loss[start:stop],
        )
