"""Gold items: reviews whose answer is known, mixed in where nobody can tell them from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from msgspec.structs import replace

from streamal.core.chance import draw
from streamal.events import DecodedOutput, DecodedPrediction
from streamal.events.base import FeatureMap

__all__ = ["GoldItem", "GoldShare"]


@dataclass(frozen=True, slots=True)
class GoldItem:
    """One item with its known answer.

    Attributes:
        item: its id, a digest of the features: it says nothing about the answer.
        features: what reviewers see.
        answer: the known class, or the number of a regression.
        shown: what to show as production's prediction; None draws another item's answer, so that
            what is shown tells nothing.
    """

    item: str
    features: FeatureMap
    answer: str | float
    shown: str | float | None


@dataclass(frozen=True, slots=True)
class GoldShare:
    """Decides beside which requests a gold item is sent, as a hash of the event.

    Attributes:
        items: to choose from, at least one.
        share: gold items for each request, in [0, 1].
        seed: the pipeline's.
    """

    items: Sequence[GoldItem]
    share: float
    seed: int

    def beside(self, prediction: DecodedPrediction) -> tuple[str, DecodedPrediction] | None:
        """A gold item to send beside the request for `prediction`.

        Returns:
            The item's id, and the item as if production had published it: time, model, metadata and
            confidence are the neighbour's. None when there is none to send.
        """
        event_id = prediction.event_id
        if draw(self.seed, event_id, "gold") >= self.share:
            return None
        item = self._choice(event_id, "gold-item")
        shown = item.shown
        if shown is None:
            shown = self._choice(event_id, "gold-prediction").answer
        digest = blake2b(f"{self.seed}\x00{event_id}".encode(), digest_size=12, person=b"gold")
        disguised = replace(
            prediction,
            event_id=digest.hexdigest(),
            features=item.features,
            prediction=_like(prediction.prediction, shown),
            committee=None,
        )
        return item.item, disguised

    def _choice(self, event_id: str, purpose: str) -> GoldItem:
        return self.items[int(draw(self.seed, event_id, purpose) * len(self.items))]


def _like(neighbour: DecodedOutput, shown: str | float) -> DecodedOutput:
    """`shown` with the confidence that production had in its prediction for the neighbour."""
    if not isinstance(shown, str):
        return DecodedOutput(value=shown)
    if not neighbour.probabilities:
        return DecodedOutput(label=shown)
    first, *others = sorted(neighbour.probabilities.values(), reverse=True)
    rest = [name for name in sorted(neighbour.probabilities) if name != shown]
    return DecodedOutput(
        label=shown, probabilities={shown: first, **dict(zip(rest, others, strict=False))}
    )
