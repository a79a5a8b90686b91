"""The interfaces that query strategies implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamal.core.batch import Batch, Block, Distributions, Matrix, Rows, same_blocks
from streamal.core.features import Vector
from streamal.core.types import Advice, JsonState, MadeUpItem, Source, Task

#: Score of an item about which nothing is known. A model that knows no class, or one, is certain
#: only because it has seen nothing else: scored as certain, it would never be shown a second class.
MAXIMUM = 1.0

CLASSES_ONLY: Final = frozenset({Task.CLASSIFICATION})
VALUES_ONLY: Final = frozenset({Task.REGRESSION})
ANY_TASK: Final = frozenset(Task)


class Strategy(ABC):
    """Turns what is known about events into how informative their labels would be.

    A batch scores exactly as its items one by one. A strategy that keeps a window or counts takes
    note of each item, routed or not, after it has scored it and before it scores the next; `state`
    and `restore` take it back where a batch was not committed. Constructor parameters are kept in
    attributes of the same name (`streamal.core.parameters`).
    """

    #: Registered name: the snake_case term of the field.
    name: ClassVar[str]

    @property
    def tasks(self) -> frozenset[Task]:
        """The tasks in which it can tell items apart; in another, every item would score 1."""
        return CLASSES_ONLY

    @property
    def asks_committee(self) -> bool:
        """Whether scores depend on the committee: without one, every item would score 1."""
        return False

    @property
    def asks_boundary(self) -> bool:
        """Whether scores depend on `Batch.boundary_distance`, which costs as much as a score."""
        return False

    @property
    def asks_labelled(self) -> bool:
        """Whether scores depend on `Batch.labelled`, which the online model has to remember."""
        return False

    @property
    def asks_lookahead(self) -> bool:
        """Whether scores depend on `Batch.lookahead`: teaching copies of the online model."""
        return False

    @property
    def makes_up_items(self) -> bool:
        """Whether `made_up` has anything to offer."""
        return False

    @abstractmethod
    def score(self, batch: Batch) -> Vector:
        """Informativeness of each item in [0, 1], higher is more; 1 where nothing is known.

        Items are scored in their order, each with the memory of all before it.
        """

    def advice(self, number: int) -> Advice | None:  # noqa: ARG002 - a bandit looks at it
        """What a score of the latest batch was made of; None but for a bandit.

        Args:
            number: position of the item in the batch that was scored last.
        """
        return None

    def made_up(self, batch: Batch, number: int) -> Iterable[MadeUpItem]:  # noqa: ARG002 - few make up any
        """Items of an event's shape that people could be asked about beside it, nearest first.

        Changes no state. None where the event has anything but numbers and booleans.

        Args:
            batch: with the event.
            number: its position.
        """
        return ()

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; bounded in size."""
        return {}

    def restore(self, state: JsonState) -> None:  # noqa: B027 - most strategies keep no state
        """Return to what `state` returned; an empty state is a fresh start."""


class ProbabilityStrategy(Strategy):
    """An uncertainty measure over the class probabilities of one source.

    K, the number of classes, is the number of classes that the source names, those with probability
    0 included: the model knows such a class and rules it out. Leaving it out would make a score
    jump whenever a small probability underflows to 0.

    Args:
        source: whose probabilities are measured.
    """

    def __init__(self, source: Source = Source.MODEL) -> None:
        self.source = source

    @property
    def asks_committee(self) -> bool:
        """Whether the committee is the source."""
        return self.source is Source.COMMITTEE

    def score(self, batch: Batch) -> Vector:
        """The measure within [0, 1]; 1 for fewer than two classes."""
        scores = np.full(len(batch), MAXIMUM)
        for rows, classes, p in batch.probabilities(self.source).blocks:
            if len(classes) > 1:
                scores[rows] = within_unit(self.uncertainty(p))
        return scores

    @abstractmethod
    def uncertainty(self, p: Matrix) -> Vector:
        """The measure over two or more classes; must not depend on their order.

        Args:
            p: class probabilities, shape (m, K).
        """


class CommitteeStrategy(Strategy):
    """A measure of how much the members of the committee disagree.

    A member that knows fewer than two classes has no choice and is not heard.
    """

    @property
    def asks_committee(self) -> bool:
        """Always."""
        return True

    def score(self, batch: Batch) -> Vector:
        """The measure within [0, 1]; 1 when fewer than two members can be heard."""
        scores = np.full(len(batch), MAXIMUM)
        for rows, p in opinions(batch.committee, len(batch)):
            scores[rows] = within_unit(self.disagreement(p))
        return scores

    @abstractmethod
    def disagreement(self, p: NDArray[np.float64]) -> Vector:
        """The measure over two or more members.

        Args:
            p: shape (m, M, K): of each of m items, each member's probability of each of the K
                classes that any of them knows, in alphabetical order; 0 where it does not.
        """


class Opinions(NamedTuple):
    """What the members that can be heard say about some items.

    Attributes:
        rows: which items.
        p: shape (rows, members, classes), see `CommitteeStrategy.disagreement`.
    """

    rows: Rows
    p: NDArray[np.float64]


def opinions(committee: Sequence[Distributions], size: int) -> Iterator[Opinions]:
    """The items that two or more members can be heard about, by who knows which classes.

    Args:
        committee: each member's distributions over the same items.
        size: how many items there are.
    """
    if committee and same_blocks(committee):
        for place, (rows, classes, _) in enumerate(committee[0].blocks):
            if len(committee) > 1 and len(classes) > 1:
                yield Opinions(rows, _stacked([member.blocks[place] for member in committee]))
        return
    # For each item, which block of each member it is in; -1 for none that can be heard.
    seats = np.full((size, len(committee)), -1, dtype=np.intp)
    for seat, member in enumerate(committee):
        for place, block in enumerate(member.blocks):
            if len(block.classes) > 1:
                seats[block.rows, seat] = place
    patterns, which = np.unique(seats, axis=0, return_inverse=True)
    which = which.reshape(-1)
    for number, pattern in enumerate(patterns.tolist()):
        heard = [(seat, place) for seat, place in enumerate(pattern) if place >= 0]
        if len(heard) > 1:
            rows = np.flatnonzero(which == number)
            blocks = [_of_rows(committee[seat].blocks[place], rows) for seat, place in heard]
            yield Opinions(rows, _stacked(blocks))


def _of_rows(block: Block, rows: Rows) -> Block:
    return Block(rows, block.classes, block.p[np.searchsorted(block.rows, rows)])


def _stacked(blocks: Sequence[Block]) -> NDArray[np.float64]:
    """Of members that know something about the same items; see `CommitteeStrategy.disagreement`."""
    classes = sorted(set().union(*(block.classes for block in blocks)))
    p = np.zeros((len(blocks[0].rows), len(blocks), len(classes)))
    place_of = {label: place for place, label in enumerate(classes)}
    for member, block in enumerate(blocks):
        if block.classes == tuple(classes):
            p[:, member] = block.p
        else:
            p[:, member, [place_of[label] for label in block.classes]] = block.p
    return p


def within_unit(scores: Vector) -> Vector:
    """Scores without the rounding errors that carry them past 0 or 1; NaN counts as unknown.

    >>> within_unit(np.array([1.0000000000000002, -1e-17, np.nan])).tolist()
    [1.0, 0.0, 1.0]
    """
    # `fmin` passes over NaN; adding 0 makes 0 of -0, whose sign would depend on the processor.
    clipped: Vector = np.fmax(np.fmin(scores, MAXIMUM), 0.0)
    clipped += 0.0
    return clipped
