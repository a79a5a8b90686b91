"""Accepted answers in the order of the label log, for a model that is to learn them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from streamal.events import ReviewRequest
from streamal.ports import TopicPartition
from streamal.state.verdicts import Lesson

__all__ = ["LearnedReview", "LearnedReviews"]


@dataclass(frozen=True, slots=True)
class LearnedReview:
    """One answered review.

    Attributes:
        lesson: what the model learned of it.
        source: partition of `labels` that the answer lies on.
        offset: its offset there.
    """

    lesson: Lesson
    source: TopicPartition
    offset: int


class LearnedReviews:
    """Reads them from the pending view.

    Args:
        connection: of the view.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def since(self, occurred_at: float) -> Iterator[LearnedReview]:
        """Those of events that occurred at `occurred_at` (epoch seconds) or later.

        The view is not to be written to while this is read.
        """
        rows = self._connection.execute(
            'SELECT payload, detail, topic, partition, "offset" FROM effects '
            "JOIN reviews USING (event_id) WHERE kind = 'lesson' AND occurred_at >= ? "
            'ORDER BY topic, partition, "offset", position',
            (occurred_at,),
        )
        for payload, detail, topic, partition, offset in rows:
            review, answer = ReviewRequest.from_bytes(payload), orjson.loads(detail)["answer"]
            lesson = Lesson(review.event_id, answer, review.features, review.prediction, review)
            yield LearnedReview(lesson, TopicPartition(topic, partition), offset)
