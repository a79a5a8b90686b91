"""The interfaces that query strategies implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import ClassVar, Final

from streamal.core.types import (
    Advice,
    Context,
    JsonState,
    MadeUpItem,
    Probabilities,
    Source,
    Task,
)

__all__ = [
    "ANY_TASK",
    "MAXIMUM",
    "VALUES_ONLY",
    "CommitteeStrategy",
    "ProbabilityStrategy",
    "Strategy",
    "within_unit",
]

#: Score of an item about which nothing is known. A model that knows no class, or one, is certain
#: only because it has seen nothing else: scored as certain, it would never be shown a second class.
MAXIMUM = 1.0

CLASSES_ONLY: Final = frozenset({Task.CLASSIFICATION})
VALUES_ONLY: Final = frozenset({Task.REGRESSION})
ANY_TASK: Final = frozenset(Task)


class Strategy(ABC):
    """Turns what is known about an event into how informative its label would be.

    Scoring never changes state; a strategy that keeps a window or counts learns about an item in
    `commit`, which is called once for every decided item, routed or not. Constructor parameters are
    kept in attributes of the same name (`streamal.core.parameters`).
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
        """Whether scores depend on `Context.boundary_distance`, which costs as much as a score."""
        return False

    @property
    def asks_labelled(self) -> bool:
        """Whether scores depend on `Context.labelled`, which the online model has to remember."""
        return False

    @property
    def asks_lookahead(self) -> bool:
        """Whether scores depend on `Context.lookahead`: teaching copies of the online model."""
        return False

    @property
    def makes_up_items(self) -> bool:
        """Whether `made_up` has anything to offer."""
        return False

    @abstractmethod
    def score(self, context: Context) -> float:
        """Informativeness in [0, 1], higher is more; 1 when nothing is known. Changes no state."""

    def advice(self, context: Context) -> Advice | None:  # noqa: ARG002 - a bandit looks at it
        """What the score was made of, for who learns from the label; None but for a bandit."""
        return None

    def made_up(self, context: Context) -> Iterable[MadeUpItem]:  # noqa: ARG002 - few make up any
        """Items of the event's shape that people could be asked about beside it, nearest first.

        Changes no state. None where the event has anything but numbers and booleans.
        """
        return ()

    def commit(self, context: Context) -> None:  # noqa: B027 - most strategies keep no state
        """Take note of a decided item."""

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; bounded in size."""
        return {}

    def restore(self, state: JsonState) -> None:  # noqa: B027 - most strategies keep no state
        """Return to what `state` returned; an empty state is a fresh start."""


class ProbabilityStrategy(Strategy):
    """An uncertainty measure over the class probabilities of one source.

    K, the number of classes, is the number of keys in the mapping, those with probability 0
    included: the model knows such a class and rules it out. Leaving it out would make a score jump
    whenever a small probability underflows to 0.

    Args:
        source: whose probabilities are measured.
    """

    def __init__(self, source: Source = Source.MODEL) -> None:
        self.source = source

    @property
    def asks_committee(self) -> bool:
        """Whether the committee is the source."""
        return self.source is Source.COMMITTEE

    def score(self, context: Context) -> float:
        """The measure within [0, 1]; 1 for fewer than two classes."""
        probabilities = context.probabilities(self.source)
        if len(probabilities) < 2:
            return MAXIMUM
        return within_unit(self.uncertainty(probabilities))

    @abstractmethod
    def uncertainty(self, probabilities: Probabilities) -> float:
        """The measure over two or more classes; must not depend on their order."""


class CommitteeStrategy(Strategy):
    """A measure of how much the members of the committee disagree.

    A member that knows fewer than two classes has no choice and is not heard.
    """

    @property
    def asks_committee(self) -> bool:
        """Always."""
        return True

    def score(self, context: Context) -> float:
        """The measure within [0, 1]; 1 when fewer than two members can be heard."""
        opinions = _aligned(context.committee)
        if opinions is None:
            members = [member for member in context.committee if len(member) > 1]
            if len(members) < 2:
                return MAXIMUM
            opinions = _filled(members)
        return within_unit(self.disagreement(opinions))

    @abstractmethod
    def disagreement(self, opinions: Sequence[Sequence[float]]) -> float:
        """The measure over two or more members.

        Args:
            opinions: for each of the K classes that any member knows, in alphabetical order, its
                probability with each of the M members; 0 where a member does not know the class.
        """


def _aligned(members: Sequence[Probabilities]) -> list[list[float]] | None:
    """The opinions of members that all know the same classes; None when they do not."""
    if len(members) < 2:
        return None
    classes = sorted(members[0])
    if len(classes) < 2 or sum(map(len, members)) != len(classes) * len(members):
        return None
    try:
        return [list(map(itemgetter(label), members)) for label in classes]
    except KeyError:
        return None


def _filled(members: Sequence[Probabilities]) -> list[list[float]]:
    """The opinions of members that know different classes."""
    classes = sorted(set().union(*members))
    return [[member.get(label, 0.0) for member in members] for label in classes]


def within_unit(score: float) -> float:
    """`score` without the rounding error that carries it past 0 or 1; NaN counts as unknown.

    >>> within_unit(1.0000000000000002), within_unit(-1e-17), within_unit(float("nan"))
    (1.0, 0.0, 1.0)
    """
    if 0.0 <= score <= 1.0:
        return score
    return 0.0 if score < 0.0 else MAXIMUM
