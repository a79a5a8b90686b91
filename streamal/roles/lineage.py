"""The model together with exactly how far into the labels it has learned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from streamal.core.learners import Model
from streamal.core.types import Advice, Selection
from streamal.errors import Reject
from streamal.events import ReviewRequest
from streamal.ports import TopicPartition
from streamal.roles.items import as_production
from streamal.state.snapshots import Snapshot, load
from streamal.state.verdicts import Answer, Lesson

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

    def learn(self, answer: Answer) -> list[Reject]:
        """Learn what follows from a label record, unless this model contains it already.

        Returns:
            A reject for each lesson that the learner cannot learn, now or on any replay.
        """
        record = answer.record
        if record.offset < self.offsets.get(record.source, 0):
            return []
        rejects = []
        for lesson in answer.lessons:
            try:
                self._learn(lesson)
            except Reject as reject:
                rejects.append(reject)
        # After all of them: a record's lessons are in the model together or not at all.
        self.offsets[record.source] = record.offset + 1
        return rejects

    def _learn(self, lesson: Lesson) -> None:
        features, production = lesson.features, as_production(lesson.prediction)
        weight = 1.0
        if lesson.review is not None:
            self.model.credit(features, production, lesson.answer, _selection(lesson.review))
            weight = 1.0 / lesson.review.propensity
        self.model.learn(
            features, production, lesson.answer, event_id=lesson.event_id, weight=weight
        )
        self.unpublished += 1

    def learn_again(self, lesson: Lesson) -> bool:
        """Learn what the model contains once more; whether the learner could."""
        try:
            self._learn(lesson)
        except Reject:
            return False
        return True

    def pass_over(self, source: TopicPartition, offset: int) -> None:
        """A record at `offset` holds nothing to learn."""
        self.offsets[source] = max(self.offsets.get(source, 0), offset + 1)

    def published(self, chunks: int) -> None:
        """The model as it is now is snapshot `version + 1`."""
        self.version += 1
        self.chunks = chunks
        self.unpublished = 0


def _selection(review: ReviewRequest) -> Selection:
    """How the item came to be labelled."""
    advice = review.advice
    return Selection(
        review.propensity,
        review.threshold,
        None if advice is None else Advice(advice.followed, advice.mixture, advice.ranks),
    )
