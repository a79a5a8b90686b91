"""What people are asked about a routed event, and beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamal.core.batch import Batch
from streamal.core.types import Conditions
from streamal.events import ReviewRequest
from streamal.ports import Headers
from streamal.roles.gold import GoldShare
from streamal.roles.models_topic import ServingModel
from streamal.roles.partition import GatePartition
from streamal.roles.reviewing import Reviewing, Routed, asked_about
from streamal.roles.synthesis import Outcome, Synthesis
from streamal.state.gold import GOLD_HEADER


@dataclass(frozen=True, slots=True)
class Questions:
    """Makes review requests.

    Attributes:
        reviewing: writes review requests.
        gold: items with a known answer to mix in; None for none.
        synthesis: asks about made-up items; None for none.
    """

    reviewing: Reviewing
    gold: GoldShare | None = None
    synthesis: Synthesis | None = None

    def about(
        self,
        routed: Routed,
        segments: Mapping[str, str],
        serving: ServingModel,
        now: float,
    ) -> Iterator[tuple[ReviewRequest, Headers]]:
        """The request for an event; one whose answer is known may go out beside it, free of charge.

        Args:
            routed: the event.
            segments: key to name of the segments that it was counted in.
            serving: the online model.
            now: seconds since the epoch.
        """
        yield self.reviewing.request(routed, segments, now), ()
        gold = None if self.gold is None else self.gold.beside(routed.prediction)
        if gold is not None:
            item, prediction = gold
            disguised = asked_about(prediction, serving, routed.decision)
            request = self.reviewing.request(disguised, {}, now)
            yield request, ((GOLD_HEADER, item.encode()),)

    def made_up(
        self,
        batch: Batch,
        row: int,
        routed: Routed,
        partition: GatePartition,
        serving: ServingModel,
        conditions: Conditions,
    ) -> tuple[Outcome, ReviewRequest | None] | None:
        """A question about what no event ever was, beside one about an event, from its budget.

        Args:
            batch: with the event.
            row: its position.
            routed: the event.
            partition: where it came from; pays.
            serving: the online model.
            conditions: as they were at the decision.

        Returns:
            What became of it; None where it was nobody's turn.
        """
        if self.synthesis is None or partition.synthetic is None:
            return None
        return self.synthesis.beside(
            batch, row, routed, partition.gate, partition.synthetic, serving, conditions
        )
