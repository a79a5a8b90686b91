"""The gate: one partition's decisions, from a strategy, a budget policy and a hash of the event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamal.core.batch import Batch
from streamal.core.budgets.base import BudgetPolicy, with_exploration
from streamal.core.chance import draws
from streamal.core.features import Vector
from streamal.core.parameters import parameters_of
from streamal.core.strategies.base import Strategy
from streamal.core.types import (
    Advice,
    Candidate,
    Conditions,
    Decision,
    JsonState,
    JsonValue,
    Offer,
)

__all__ = ["DRAW_PURPOSE", "STATE_FORMAT", "Decisions", "Gate"]

#: Changes when `Gate.state` can no longer be read by the previous release.
STATE_FORMAT: Final = 1

#: What the draw that routes an item is for, see `streamal.core.chance`.
DRAW_PURPOSE: Final = "query"


@dataclass(frozen=True, slots=True)
class Decisions:
    """The gate's verdicts on the items of a batch, in their order; see `Decision` for each.

    Attributes:
        scores: informativeness, in [0, 1].
        offers: propensity, threshold and reason, as they were fixed before the draws.
        queries: whether a human is asked.
        strategy: registered name of the strategy that scored.
        advice: of the strategies of a bandit, by position; only until the next batch is decided.
    """

    scores: Vector
    offers: Sequence[Offer]
    queries: Sequence[bool]
    strategy: str
    advice: Callable[[int], Advice | None]

    def __len__(self) -> int:
        return len(self.queries)

    def __iter__(self) -> Iterator[Decision]:
        return map(self.item, range(len(self)))

    @property
    def routed(self) -> list[int]:
        """Positions of the items about which a human is asked."""
        return [number for number, query in enumerate(self.queries) if query]

    @property
    def propensities(self) -> Vector:
        """Probability with which each item was going to be routed, shape (n,)."""
        return np.array([offer.propensity for offer in self.offers], dtype=np.float64)

    def item(self, number: int) -> Decision:
        """The verdict on one item."""
        offer, query = self.offers[number], self.queries[number]
        return Decision(
            query=query,
            propensity=offer.propensity,
            score=float(self.scores[number]),
            threshold=offer.threshold,
            strategy=self.strategy,
            reason=offer.reason,
            advice=self.advice(number) if query else None,
        )


class Gate:
    """Decides, item by item, whether a human is asked.

    A batch is decided exactly as its items one by one. Deciding moves the gate's memory past the
    batch, and whoever decides either keeps that together with what follows from the decisions or
    takes the gate back with `restore`: then the same items are decided the same, here or on
    another replica. Where the policy has a `decision_window`, a batch is one window. Used by one
    thread.

    Args:
        strategy: how informative an item is.
        policy: what the budget offers for that.
        seed: the pipeline's seed; fixes every draw together with the event's id.

    Examples:
        >>> from streamal.core.budgets import build_budget
        >>> from streamal.core.strategies import build_strategy
        >>> from streamal.core.types import Context, Production
        >>> policy = build_budget("fixed_threshold", {}, budget=0.1)
        >>> gate = Gate(build_strategy("margin", {}), policy, seed=7)
        >>> item = Context("e1", {}, Production(), {"cat": 0.55, "dog": 0.45})
        >>> (decision,) = gate.decide(Batch.of([item]), Conditions(now=0.0))
        >>> decision.query, round(decision.score, 2), decision.reason.value
        (True, 0.9, 'above_threshold')
    """

    def __init__(self, strategy: Strategy, policy: BudgetPolicy, *, seed: int) -> None:
        self.strategy = strategy
        self.policy = policy
        self.seed = seed
        self._identity: dict[str, JsonValue] = {
            "name": strategy.name,
            "parameters": parameters_of(strategy),
        }

    @property
    def remembers(self) -> bool:
        """Whether scores may depend on the items scored before."""
        return type(self.strategy).state is not Strategy.state

    def decide(
        self, batch: Batch, conditions: Conditions, *, until_query: bool = False
    ) -> Decisions:
        """The verdicts on the items of a batch, in their order.

        Args:
            batch: what is known about the items; a window where the policy decides windows.
            conditions: the time and the reviews that are pending, for the whole batch.
            until_query: stop after the first item that is routed, for who learns its label before
                going on; only for a strategy without a memory and a policy without windows.
        """
        scores = self.strategy.score(batch)
        drawn = draws(self.seed, batch.event_ids, DRAW_PURPOSE)
        if self.policy.decision_window is None:
            policy = self.policy.in_force(conditions)
            offers, queries = policy.decide(
                scores.tolist(), drawn, conditions, until_query=until_query
            )
        else:
            offers, queries = self._decided_together(batch, scores, drawn, conditions)
        return Decisions(
            scores[: len(queries)], offers, queries, self.strategy.name, self.strategy.advice
        )

    def _decided_together(
        self, batch: Batch, scores: Vector, drawn: Sequence[float], conditions: Conditions
    ) -> tuple[list[Offer], list[bool]]:
        """A window: the policy sees all items before it offers anything; limits see one by one."""
        policy, offers, queries = self.policy, [], []
        rows = zip(batch.event_ids, scores.tolist(), batch.features.rows, strict=True)
        candidates = [Candidate(event_id, score, features) for event_id, score, features in rows]
        made = policy.offers(candidates, conditions)
        for candidate, offered, draw in zip(candidates, made, drawn, strict=True):
            offer = policy.limited(offered, conditions)
            offer = with_exploration(offer, policy.budget, conditions.exploration)
            query = draw < offer.propensity
            policy.commit(candidate.score, offer, query=query, conditions=conditions)
            offers.append(offer)
            queries.append(query)
        return offers, queries

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; bounded in size.

        The strategy stands with its name and parameters, each policy and limit under its name.
        """
        return {
            "format": STATE_FORMAT,
            "strategy": {**self._identity, "state": self.strategy.state()},
            "policy": self.policy.state(),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start.

        Settings may have changed in between, so each part takes back what still applies. A
        strategy of another name or with other parameters starts fresh. Policies keep their account
        and their window wherever the policy itself is still there (`BudgetPolicy.restore`), even
        under another strategy: the debt stays owed, and the window turns over by itself. A state of
        another format starts everything fresh.
        """
        if state.get("format") != STATE_FORMAT:
            state = {}
        strategy = _part(state, "strategy")
        same = all(strategy.get(key) == value for key, value in self._identity.items())
        self.strategy.restore(_part(strategy, "state") if same else {})
        self.policy.restore(_part(state, "policy"))


def _part(state: JsonState, key: str) -> JsonState:
    part = state.get(key)
    return part if isinstance(part, dict) else {}
