"""The one interface that every budget policy implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, TypeAlias

from streamal.core.parameters import Range
from streamal.core.types import (
    Candidate,
    Conditions,
    DecisionWindow,
    JsonState,
    JsonValue,
    Offer,
    Reason,
)

__all__ = [
    "THROTTLED",
    "Budget",
    "BudgetPolicy",
    "Exploration",
    "mixture",
    "own_state",
    "read_number",
    "with_exploration",
]

#: Share of all items that may be routed.
Budget: TypeAlias = Annotated[float, Range(0, 1, open_low=True)]
#: Share of the budget that is spent uniformly. The rest is what a policy steers with: above 0.9 an
#: overspend could hardly be recovered, and at 1 never.
Exploration: TypeAlias = Annotated[float, Range(0, 0.9)]

#: Reasons of an offer that a limit cut down.
THROTTLED: Final = frozenset({Reason.MAX_PENDING, Reason.RATE_LIMITED, Reason.STOPPED})

#: A propensity that would be lost in the rounding of the floor that it is added to; as one on its
#: own, a label that it drew would outweigh all others.
_NEGLIGIBLE: Final = 1e-9


class BudgetPolicy(ABC):
    """Turns a stream of scores into propensities whose long-run mean is the budget.

    Previewing never changes state; `commit` is called once for every decided item with the offer
    that was made and whether the draw routed it.

    A propensity may depend on all earlier scores *and draws*: it is fixed before the item's own
    draw (predictable), which is all that inverse-propensity estimates and their martingale
    confidence sequences ask for.
    """

    #: Registered name: the snake_case term of the field.
    name: ClassVar[str]
    #: Which items get the propensity 0, and are lost to estimates, with `gate.exploration = 0`.
    zero_propensity: ClassVar[str]
    #: Share of all items that may be routed, in (0, 1].
    budget: float
    #: Exploration floor: the least propensity any item gets, in [0, budget].
    floor: float

    @property
    def guarantees_exploration(self) -> bool:
        """Whether every item can be routed; without it no estimate from the routed is unbiased."""
        return self.floor > 0.0

    @abstractmethod
    def preview(self, score: float, conditions: Conditions) -> Offer:
        """What this item would be offered now. Changes no state.

        Args:
            score: informativeness in [0, 1].
            conditions: the time and the reviews that are pending.
        """

    def decide(
        self,
        scores: Sequence[float],
        drawn: Sequence[float],
        conditions: Conditions,
        *,
        until_query: bool = False,
    ) -> tuple[list[Offer], list[bool]]:
        """Offer, draw and take note, item by item: an offer may depend on all draws before it.

        Args:
            scores: informativeness of each item, in [0, 1].
            drawn: each item's uniform draw, in [0, 1).
            conditions: the time and the reviews that are pending, for all of them.
            until_query: stop after the first item that is routed.

        Returns:
            What each item was offered, and whether it is routed.
        """
        preview, commit, explored = self.preview, self.commit, conditions.exploration
        offers: list[Offer] = []
        queries: list[bool] = []
        for score, draw in zip(scores, drawn, strict=True):
            offer = preview(score, conditions)
            if explored is not None:
                offer = with_exploration(offer, self.budget, explored)
            query = draw < offer.propensity
            commit(score, offer, query=query, conditions=conditions)
            offers.append(offer)
            queries.append(query)
            if query and until_query:
                break
        return offers, queries

    @property
    def decision_window(self) -> DecisionWindow | None:
        """What has to come together before anything is decided; None decides each item at once."""
        return None

    def offers(self, candidates: Sequence[Candidate], conditions: Conditions) -> list[Offer]:
        """What the items of a window would be offered now, before any limit. Changes no state.

        Args:
            candidates: the window's items, in order of arrival.
            conditions: the time and the reviews that are pending.
        """
        return [self.preview(candidate.score, conditions) for candidate in candidates]

    def in_force(self, conditions: Conditions) -> BudgetPolicy:  # noqa: ARG002 - limits do
        """The policy without the limits that change nothing under these conditions.

        Previews and commits of both do the same for as long as conditions stay what they are.
        """
        return self

    def limited(self, offer: Offer, conditions: Conditions) -> Offer:  # noqa: ARG002 - limits do
        """What a limit leaves of an offer at this moment. Changes no state."""
        return offer

    @abstractmethod
    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """Take note of a decided item: its score, what it was offered and what the draw said."""

    @abstractmethod
    def charge(self, conditions: Conditions) -> None:
        """Pay for a question about something else than a decided item, which is asked for sure."""

    def affords(self, conditions: Conditions) -> bool:  # noqa: ARG002 - hard limits do
        """Whether a hard limit leaves room for such a question. Changes no state."""
        return True

    @abstractmethod
    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values under the policy's name; bounded in size."""

    @abstractmethod
    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned.

        Reads only what stands under the policy's own name and adopts as much of it as fits the
        parameters of today; where nothing does, the policy starts fresh. So a changed setting or an
        added limit costs no more memory than it must, and an empty state is a fresh start.
        """


def mixture(top: float, floor: float, threshold: float, sure: float = 1.0) -> Offer:
    """An offer between exploration, at a `top` of 0, and the most there is, at a `top` of 1.

    Args:
        top: propensity that the score earned, in [0, 1].
        floor: exploration floor, in [0, 1].
        threshold: what the offer reports as its threshold.
        sure: propensity at a `top` of 1, in (floor, 1].
    """
    if top >= 1.0:
        reason = Reason.ABOVE_THRESHOLD if sure >= 1.0 else Reason.AT_THRESHOLD
        return Offer(sure, threshold, reason)
    if top <= _NEGLIGIBLE:
        return Offer(floor, threshold, Reason.EXPLORATION)
    return Offer(floor + (sure - floor) * top, threshold, Reason.AT_THRESHOLD)


def with_exploration(offer: Offer, budget: float, exploration: float | None) -> Offer:
    """The offer while more is to be explored than the policy does by itself.

    The policy books what is routed for it, so its own share shrinks: the spend stays the same. What
    a limit has cut down stays as it is.

    Args:
        offer: the policy's.
        budget: share of all items that is routed.
        exploration: share of the budget that is to be spent uniformly; None changes nothing.
    """
    floor = 0.0 if exploration is None else exploration * budget
    if offer.propensity >= floor or offer.reason in THROTTLED:
        return offer
    return Offer(floor, offer.threshold, Reason.EXPLORATION)


def own_state(state: JsonState, name: str) -> JsonState:
    """What stands under `name`; empty when nothing does."""
    own = state.get(name)
    return own if isinstance(own, dict) else {}


def read_number(state: JsonState, key: str, default: float) -> float:
    """The number under `key`, else `default`."""
    value: JsonValue = state.get(key)
    return float(value) if isinstance(value, (int, float)) else default
