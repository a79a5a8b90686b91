"""Made-up items: questions about what no event ever was, beside those about events.

They teach the online model and speak for no event, so nothing of them is counted in windows, and no
estimate sees them (docs/decisions/0018). Each is charged to the budget like any other question.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Literal

from msgspec import structs

from streamal.core.batch import Batch, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.gate import Gate
from streamal.core.strategies import is_numeric
from streamal.core.types import Conditions, JsonState, MadeUpItem, Production, Reason
from streamal.events import DecodedModel, DecodedOutput, ReviewRequest
from streamal.roles.models_topic import ServingModel
from streamal.roles.reviewing import Reviewing, Routed, asked_about

__all__ = ["Outcome", "Synthesis", "SyntheticAccount"]

#: What became of a chance to ask about a made-up item.
Outcome = Literal["asked", "not_numeric", "none"]

#: What routes an item for its score; the other rules draw at random or hold questions back.
_STEERED: Final = frozenset({Reason.ABOVE_THRESHOLD, Reason.AT_THRESHOLD})
#: Latest made-up items that are not asked about again: the most that one model makes up.
_REMEMBERED: Final = 50


class SyntheticAccount:
    """How many made-up items a partition may ask about, and which it has asked about lately.

    A part of the partition's state, so that it goes back with it when a transaction fails.

    Args:
        share: of the questions that the strategy steers, how many are about made-up items, in
            (0, 0.5].
        number: the partition.
        partitions: how many there are. Each made-up item belongs to one of them, or all would ask
            about the same ones.
    """

    def __init__(self, share: float, number: int, partitions: int) -> None:
        #: Asked about, since the state began.
        self.asked = 0
        self._rate = share / (1.0 - share)
        self._number = number
        self._partitions = partitions
        #: Questions that may be asked; never more than one, so that none come in a flood.
        self._credit = 0.0
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)

    def grant(self) -> bool:
        """An event was routed for its score; whether a made-up item may be asked about now."""
        self._credit = min(1.0, self._credit + self._rate)
        return self._credit >= 1.0

    def admits(self, item: MadeUpItem) -> bool:
        """Whether the item is this partition's, and was not asked about lately."""
        return item.key % self._partitions == self._number and item.key not in self._recent

    def charge(self, item: MadeUpItem) -> None:
        """The item is asked about."""
        self.asked += 1
        self._credit -= 1.0
        self._recent.append(item.key)

    def state(self) -> JsonState:
        """All that `restore` needs."""
        return {"asked": self.asked, "credit": self._credit, "recent": list(self._recent)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        self.asked = state.get("asked", 0)
        self._credit = min(1.0, state.get("credit", 0.0))
        self._recent = deque(state.get("recent", ()), maxlen=_REMEMBERED)


@dataclass(frozen=True, slots=True)
class Synthesis:
    """Asks about made-up items.

    Attributes:
        share: of the questions that the strategy steers, in (0, 0.5].
        seed: the pipeline's.
        reviewing: writes review requests.
    """

    share: float
    seed: int
    reviewing: Reviewing

    def account(self, number: int, partitions: int) -> SyntheticAccount:
        """A fresh account of one of `partitions` partitions."""
        return SyntheticAccount(self.share, number, partitions)

    def beside(
        self,
        batch: Batch,
        row: int,
        routed: Routed,
        gate: Gate,
        account: SyntheticAccount,
        serving: ServingModel,
        conditions: Conditions,
    ) -> tuple[Outcome, ReviewRequest | None] | None:
        """A question about a made-up item beside one about an event, charged when there is one.

        Args:
            batch: with the event.
            row: its position.
            routed: the event.
            gate: of the event's partition; its policy pays.
            account: of the same partition.
            serving: the online model.
            conditions: as they were at the decision.

        Returns:
            What became of it; None where it was nobody's turn.
        """
        if routed.decision.reason not in _STEERED or not account.grant():
            return None
        if not gate.policy.affords(conditions):
            return None
        if not is_numeric(routed.prediction.features):
            return "not_numeric", None
        for item in gate.strategy.made_up(batch, row):
            if account.admits(item):
                request = self._request(item, routed, serving, conditions.now)
                if request is not None:
                    account.charge(item)
                    gate.policy.charge(conditions)
                    return "asked", request
        return "none", None

    def _request(
        self, item: MadeUpItem, neighbour: Routed, serving: ServingModel, now: float
    ) -> ReviewRequest | None:
        """The request; None while the online model, which stands in for production, is silent."""
        outlooks = serving.model.outlook(
            FeatureColumns([item.features]), Outputs.of([Production()])
        )
        label = outlooks.probabilities.top_classes()[0]
        if label is None:
            return None
        made_up = structs.replace(
            neighbour.prediction,
            event_id=self._event_id(neighbour.prediction.event_id),
            features=dict(item.features),
            prediction=DecodedOutput(label=label),
            model=DecodedModel("streamal", str(serving.version)),
            committee=None,
            metadata={},
        )
        decision = replace(neighbour.decision, propensity=1.0, advice=None)
        request = self.reviewing.request(asked_about(made_up, serving, decision), {}, now)
        # One answer is enough: people who disagree about what does not exist are not at fault.
        return request.model_copy(update={"synthetic": True, "required_labels": 1})

    def _event_id(self, neighbour: str) -> str:
        digest = blake2b(
            f"{self.seed}\x00{neighbour}".encode(), digest_size=12, person=b"synthetic"
        )
        return f"synthetic:{digest.hexdigest()}"
