"""The model together with exactly how far into the labels it has learned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from streamal.core.learners import Model
from streamal.core.types import Advice, Selection
from streamal.events import Output, ReviewRequest
from streamal.events.base import FeatureMap
from streamal.ports import TopicPartition
from streamal.roles.intake import as_production
from streamal.state.pending import Answer
from streamal.state.snapshots import Snapshot, load

__all__ = ["Lineage"]


class Lineage:
    """One unbroken series of labels and the model that has learned a prefix of it.

    Args:
        name: identity of the series.
        version: of the last snapshot, 0 before the first.
        model: the online model.
        offsets: L per partition of `labels`; a missing partition counts from its beginning.
        chunks: records that the last snapshot took.
    """

    def __init__(
        self,
        name: str,
        version: int,
        model: Model,
        offsets: Mapping[TopicPartition, int],
        chunks: int = 0,
    ) -> None:
        self.name = name
        self.version = version
        self.model = model
        self.offsets = dict(offsets)
        self.chunks = chunks
        #: Labels learned since the last snapshot.
        self.unpublished = 0

    @classmethod
    def of(cls, snapshot: Snapshot, labels_topic: str) -> Lineage:
        """Continue where `snapshot` was taken.

        Raises:
            SnapshotRefused: its payload is not a model.
        """
        header = snapshot.header
        offsets = {
            TopicPartition(labels_topic, int(number)): offset
            for number, offset in header.label_offsets.items()
        }
        model = load(snapshot, Model)  # type: ignore[type-abstract]  # for isinstance
        return cls(header.lineage, header.version, model, offsets, header.chunks)

    @classmethod
    def new(cls, model: Model, version: int) -> Lineage:
        """Start from a model that has learned no label of the log."""
        return cls(uuid.uuid4().hex, version, model, {})

    def learn(self, answer: Answer) -> bool:
        """Learn an accepted label; whether this model did not contain it yet.

        Raises:
            Reject: the learner cannot learn it, now or on any replay; it was passed over.
        """
        record, label = answer.record, answer.label.label
        if record.offset < self.offsets.get(record.source, 0):
            return False
        self.offsets[record.source] = record.offset + 1
        features, output = _as_decided_on(answer)
        if not answer.verdict.is_accepted or label is None or features is None:
            return False
        production = as_production(output)
        if answer.review is not None:
            self.model.credit(features, production, label, _selection(answer.review))
        self.model.learn(features, production, label, event_id=answer.label.event_id)
        self.unpublished += 1
        return True

    def pass_over(self, source: TopicPartition, offset: int) -> None:
        """A record at `offset` holds nothing to learn."""
        self.offsets[source] = max(self.offsets.get(source, 0), offset + 1)

    def published(self, chunks: int) -> None:
        """The model as it is now is snapshot `version + 1`."""
        self.version += 1
        self.chunks = chunks
        self.unpublished = 0


def _as_decided_on(answer: Answer) -> tuple[FeatureMap | None, Output | None]:
    """Features and production's prediction as stored with the decision, or as the label says."""
    if answer.review is not None:
        return answer.review.features, answer.review.prediction
    return answer.label.features, answer.label.prediction


def _selection(review: ReviewRequest) -> Selection:
    """How the item came to be labelled."""
    advice = review.advice
    return Selection(
        review.propensity,
        review.threshold,
        None if advice is None else Advice(advice.followed, advice.mixture, advice.ranks),
    )
