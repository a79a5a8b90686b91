"""The values that the core passes around; every other module of the core builds on these.

Probabilities are plain mappings from class to probability. An *empty* mapping means "nothing is
known yet" and counts as maximum uncertainty everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

__all__ = [
    "NONE_LABELLED",
    "NOTHING",
    "Advice",
    "Candidate",
    "Conditions",
    "Context",
    "Decision",
    "DecisionWindow",
    "FeatureValue",
    "Features",
    "JsonState",
    "Labelled",
    "LabelledItem",
    "Lookahead",
    "MadeUpItem",
    "Offer",
    "Probabilities",
    "Production",
    "Reason",
    "Selection",
    "Source",
    "Task",
    "Truth",
    "top_class",
]

FeatureValue: TypeAlias = float | int | str | bool | tuple[float, ...] | None
Features: TypeAlias = Mapping[str, FeatureValue]
Probabilities: TypeAlias = Mapping[str, float]
#: What a human says is true: a class, or in a regression a number.
Truth: TypeAlias = str | float

#: State of a strategy or a policy: JSON values only, so that it can travel on a topic.
JsonState: TypeAlias = dict[str, "JsonValue"]
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

#: Probabilities of something that has not learned anything yet.
NOTHING: Probabilities = {}


class Task(StrEnum):
    """What production predicts."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Source(StrEnum):
    """Whose probabilities a strategy looks at."""

    PRODUCTION = "production"
    MODEL = "model"
    COMMITTEE = "committee"


class Reason(StrEnum):
    """Why a policy offered the propensity that it did."""

    ABOVE_THRESHOLD = "above_threshold"
    AT_THRESHOLD = "at_threshold"
    EXPLORATION = "exploration"
    MAX_PENDING = "max_pending"
    RATE_LIMITED = "rate_limited"
    STOPPED = "stopped"
    ADVANCE = "advance"


@dataclass(frozen=True, slots=True)
class Production:
    """What the production model said about one event.

    Attributes:
        label: the class it chose; None for a regression.
        probabilities: class to probability, summing to 1; empty when production publishes none.
        value: the predicted value of a regression; None for a classification.
        token_probabilities: of a sequence, the probability in [0, 1] of each chosen token; empty
            when production publishes none.
        objects: of a detection, each object's distribution over two or more classes, of which one
            may stand for "none of the others"; None when production publishes no objects.
    """

    label: str | None = None
    probabilities: Probabilities = field(default_factory=dict)
    value: float | None = None
    token_probabilities: tuple[float, ...] = ()
    objects: tuple[Probabilities, ...] | None = None


class Lookahead(Protocol):
    """What the online model would predict if it learned a label of one event.

    Answers speak of the model as it was when the event was appraised, and never change it.
    """

    @property
    def inputs(self) -> Features:
        """The event as the learner sees it: with `target = error`, production's word included."""

    def now(self, items: Sequence[Features]) -> Sequence[Probabilities]:
        """What it predicts for each item as it is; empty where it knows nothing.

        Args:
            items: other events' `inputs`.
        """

    def after(self, label: str, items: Sequence[Features]) -> Sequence[Probabilities]:
        """What it would predict for each item once the event were learned.

        Args:
            label: the class that the event would have.
            items: other events' `inputs`.
        """


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """What the online model remembers of one labelled item.

    Attributes:
        event_id: identity of the event.
        features: the model inputs as decided on.
        label: the class that was learned: the true one, or with `target = error` whether production
            was right.
        margin: distance to the nearest class boundary of a linear online model as it is now, as
            `Context.boundary_distance`, below 0 where the model is wrong about the item; None
            without one, and when nobody asked.
    """

    event_id: str
    features: Features
    label: str
    margin: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The latest labelled items, as one model knows them.

    Never changes, and each model and each label brings another one: what is derived from it may be
    kept for as long as it is the same object.

    Attributes:
        items: each class's items together, oldest first.
    """

    items: tuple[LabelledItem, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeUpItem:
    """An item that no event ever was, and whose label would teach something.

    Attributes:
        key: the same for as long as it is made of the same labelled items.
        features: numbers and booleans, by the names that an event has.
    """

    key: int
    features: Features


#: Where nothing is labelled yet, and where nobody asks.
NONE_LABELLED = Labelled()


@dataclass(frozen=True, slots=True)
class Context:
    """All that a strategy may look at for one event.

    Attributes:
        event_id: identity of the event; the seed of its random draws.
        features: the model inputs as production published them.
        production: production's prediction.
        model: class probabilities of the online model; empty while it has learned nothing.
        committee: class probabilities of each member; empty when there is no committee.
        expected_correct: predicted P(production is right), in [0, 1]; None when nobody predicted.
        boundary_distance: how far the item is from the nearest class boundary of a linear online
            model, at least 0, in scaled columns; None when the model has none or nobody asked.
        strategy_weights: share of a bandit's choices that each of its strategies has earned, by
            name, summing to 1; empty before the first reward.
        committee_values: in a regression, the number that each member predicts; with
            `target = error`, production's error.
        expected_loss: in a regression, predicted |production - truth|, >= 0; None while nobody can
            tell.
        labelled: the latest labelled items; empty while there are none, and when nobody asked.
        lookahead: what the online model would predict after a label of this event; None in a
            regression or when nobody asked.
    """

    event_id: str
    features: Features
    production: Production
    model: Probabilities = field(default_factory=dict)
    committee: tuple[Probabilities, ...] = ()
    expected_correct: float | None = None
    boundary_distance: float | None = None
    strategy_weights: Mapping[str, float] = field(default_factory=dict)
    committee_values: tuple[float, ...] = ()
    expected_loss: float | None = None
    labelled: Labelled = NONE_LABELLED
    lookahead: Lookahead | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a budget policy knows about the world besides the score.

    Attributes:
        now: seconds since the Unix epoch, on the clock that `max_per_hour` is meant on.
        pending: reviews requested and not yet answered or expired; None when nobody has counted.
        budget_factor: by what the budget is raised for the time being, >= 1. What that spends more
            is saved again afterwards.
        exploration: share of the budget that is spent uniformly for the time being, where that is
            more than the policy's own; None leaves it alone.
        trust: how much the online model's opinion counts, in [0, 1].
        accuracy_low: lower confidence bound of the accuracy that the pipeline is to reach, in
            [0, 1], from what was seen since the last drift; None before the first estimate.
    """

    now: float
    pending: int | None = None
    budget_factor: float = 1.0
    exploration: float | None = None
    trust: float = 1.0
    accuracy_low: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item of a window that is decided as a whole.

    Attributes:
        event_id: identity of the event; breaks ties.
        score: informativeness in [0, 1].
        features: the model inputs, to tell how alike two items are.
    """

    event_id: str
    score: float
    features: Features


@dataclass(frozen=True, slots=True)
class DecisionWindow:
    """How many items a policy wants to see before it decides on any of them.

    Attributes:
        events: most items in a window, >= 1.
        seconds: longest time that the first item of a window waits for the others, > 0.
    """

    events: int
    seconds: float


class Offer(NamedTuple):
    """What a policy would do with an item, before any draw.

    Attributes:
        propensity: P(routed), in (0, 1]; exactly 0 only with reason `rate_limited`, when a hard
            rate limit leaves no choice (such items are counted apart, docs/decisions/0002).
        threshold: the score from which an item is routed for sure or nearly so, in [0, 1].
        reason: which rule set the propensity.
    """

    propensity: float
    threshold: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """What the strategies of a bandit had to say about one item.

    Attributes:
        followed: name of the strategy whose rank is the score.
        mixture: name to probability in (0, 1] with which a strategy was followed; sums to 1.
        ranks: name to the share in [0, 1] of recent items that the strategy ranks below this one.
    """

    followed: str
    mixture: Mapping[str, float]
    ranks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Selection:
    """How an item came to be labelled, as far as learning can make use of it.

    Attributes:
        propensity: P(routed), in (0, 1].
        threshold: the policy's at that moment, in [0, 1].
        advice: of the strategies of a bandit; None with any other strategy.
    """

    propensity: float
    threshold: float
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's verdict on one event.

    Attributes:
        query: whether a human is asked.
        propensity: probability with which `query` was going to be True, fixed before the draw.
        score: informativeness in [0, 1].
        threshold: the policy's threshold at that moment, in [0, 1].
        strategy: registered name of the strategy that scored.
        reason: which rule set the propensity.
        advice: of the strategies of a bandit, when a human is asked; else None.
    """

    query: bool
    propensity: float
    score: float
    threshold: float
    strategy: str
    reason: Reason
    advice: Advice | None = None

    @property
    def selection(self) -> Selection:
        """What learning can make use of."""
        return Selection(self.propensity, self.threshold, self.advice)


def mean_probabilities(members: tuple[Probabilities, ...]) -> Probabilities:
    """The members' mean distribution; members that know nothing are left out."""
    known = [member for member in members if member]
    if not known:
        return NOTHING
    total: dict[str, float] = {}
    for member in known:
        for label, p in member.items():
            total[label] = total.get(label, 0.0) + p
    return {label: p / len(known) for label, p in total.items()}


def top_class(probabilities: Probabilities) -> str | None:
    """The most probable class, the alphabetically first among equals; None when nothing is known.

    >>> top_class({"cat": 0.5, "bird": 0.5})
    'bird'
    """
    if not probabilities:
        return None
    best = max(probabilities.values())
    return min([label for label, p in probabilities.items() if p == best])
