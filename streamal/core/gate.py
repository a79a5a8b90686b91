"""The gate: one partition's decisions, from a strategy, a budget policy and a hash of the event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streamal.core.budgets.base import BudgetPolicy, with_exploration
from streamal.core.chance import draw
from streamal.core.parameters import parameters_of
from streamal.core.strategies.base import Strategy
from streamal.core.types import (
    Candidate,
    Conditions,
    Context,
    Decision,
    JsonState,
    JsonValue,
    Offer,
)

__all__ = ["DRAW_PURPOSE", "STATE_FORMAT", "Gate"]

#: Changes when `Gate.state` can no longer be read by the previous release.
STATE_FORMAT: Final = 1

#: What the draw that routes an item is for, see `streamal.core.chance`.
DRAW_PURPOSE: Final = "query"


class Gate:
    """Decides, item by item, whether a human is asked.

    `decide` changes nothing: calling it again, or on another replica with the same state, gives the
    same decision. `commit` is called once for every decided item, in order, and before the next
    `decide`. Where the policy has a `decision_window`, `plan` comes before the first `decide` of a
    window. Used by one thread.

    Args:
        strategy: how informative an item is.
        policy: what the budget offers for that.
        seed: the pipeline's seed; fixes every draw together with the event's id.

    Examples:
        >>> from streamal.core.budgets import build_budget
        >>> from streamal.core.strategies import build_strategy
        >>> from streamal.core.types import Production
        >>> policy = build_budget("fixed_threshold", {}, budget=0.1)
        >>> gate = Gate(build_strategy("margin", {}), policy, seed=7)
        >>> context = Context("e1", {}, Production(), {"cat": 0.55, "dog": 0.45})
        >>> decision = gate.decide(context, Conditions(now=0.0))
        >>> decision.query, round(decision.score, 2), decision.reason.value
        (True, 0.9, 'above_threshold')
        >>> gate.commit(context, decision, Conditions(now=0.0))
    """

    def __init__(self, strategy: Strategy, policy: BudgetPolicy, *, seed: int) -> None:
        self.strategy = strategy
        self.policy = policy
        self.seed = seed
        self._planned: dict[str, tuple[float, Offer]] = {}
        # Parameters stay what they were constructed with; the state is asked for at every commit.
        self._identity = _identity(strategy)

    def decide(self, context: Context, conditions: Conditions) -> Decision:
        """The verdict on one item. Changes no state.

        Args:
            context: what is known about the item.
            conditions: the time and the reviews that are pending.
        """
        planned = self._planned.get(context.event_id)
        if planned is None:
            score = self.strategy.score(context)
            offer = self.policy.preview(score, conditions)
        else:
            score, offer = planned[0], self.policy.limited(planned[1], conditions)
        offer = with_exploration(offer, self.policy.budget, conditions.exploration)
        query = draw(self.seed, context.event_id, DRAW_PURPOSE) < offer.propensity
        return Decision(
            query=query,
            propensity=offer.propensity,
            score=score,
            threshold=offer.threshold,
            strategy=self.strategy.name,
            reason=offer.reason,
            advice=self.strategy.advice(context) if query else None,
        )

    def plan(self, contexts: Sequence[Context], conditions: Conditions) -> None:
        """Look at the items of a window together, before they are decided one by one.

        For a policy with a `decision_window`. What was planned for an item is forgotten when it is
        committed, or with `restore`.

        Args:
            contexts: what is known about each item, in order of arrival; event ids differ.
            conditions: the time and the reviews that are pending.
        """
        candidates = [
            Candidate(context.event_id, self.strategy.score(context), context.features)
            for context in contexts
        ]
        offers = self.policy.offers(candidates, conditions)
        self._planned = {
            candidate.event_id: (candidate.score, offer)
            for candidate, offer in zip(candidates, offers, strict=True)
        }

    def commit(self, context: Context, decision: Decision, conditions: Conditions) -> None:
        """Take note of a decided item, routed or not.

        Args:
            context: as it was given to `decide`.
            decision: what `decide` returned.
            conditions: as they were given to `decide`.
        """
        self._planned.pop(context.event_id, None)
        self.strategy.commit(context)
        self.policy.commit(
            decision.score,
            Offer(decision.propensity, decision.threshold, decision.reason),
            query=decision.query,
            conditions=conditions,
        )

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
        self._planned = {}
        if state.get("format") != STATE_FORMAT:
            state = {}
        strategy = _part(state, "strategy")
        same = all(strategy.get(key) == value for key, value in self._identity.items())
        self.strategy.restore(_part(strategy, "state") if same else {})
        self.policy.restore(_part(state, "policy"))


def _identity(strategy: Strategy) -> dict[str, JsonValue]:
    """What tells a strategy's state from that of every other."""
    return {"name": strategy.name, "parameters": parameters_of(strategy)}


def _part(state: JsonState, key: str) -> JsonState:
    part = state.get(key)
    return part if isinstance(part, dict) else {}
