"""Keeping the trainer's SQLite view of `reviews` and `windows` abreast of the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from streamal.errors import Reject
from streamal.events.topics import Topics
from streamal.ports import Broker, Record, TopicPartition
from streamal.roles.follower import Follower
from streamal.state.pending import PendingView
from streamal.telemetry.metrics import Metrics

__all__ = ["ReviewView"]

_log = logging.getLogger(__name__)


class ReviewView(Follower):
    """Feeds a `PendingView` from the log; leaders and standbys run the same code.

    A label can only follow its review, so after `catch_up` a label fetched before has its review in
    the view or none at all.

    Args:
        broker: the log.
        topics: names.
        pending: the view; its own offsets say where to go on.
        max_batch_records: most records applied in one SQLite transaction.
        metrics: counts.
    """

    view: ClassVar[str] = "the pending view"

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        pending: PendingView,
        max_batch_records: int,
        metrics: Metrics,
    ) -> None:
        self._metrics = metrics
        self.pending = pending
        self._topics = topics
        super().__init__(broker, (topics.reviews, topics.windows), max_batch_records)

    def start_over(self) -> None:
        """Forget everything and read the topics again from their beginning."""
        self._forget()
        self._seek()

    def _applied(self) -> Mapping[TopicPartition, int]:
        return self.pending.offsets()

    def _forget(self) -> None:
        self.pending.reset()

    def _apply(self, records: list[Record]) -> None:
        reviews = [record for record in records if record.topic == self._topics.reviews]
        windows = [record for record in records if record.topic == self._topics.windows]
        stored, summed = self.pending.apply_reviews(reviews), self.pending.apply_windows(windows)
        self._metrics.reviews.labels(outcome="stored").inc(stored.stored)
        self._metrics.reviews.labels(outcome="repeated").inc(stored.repeated)
        self._metrics.reviews.labels(outcome="foreign").inc(stored.foreign)
        self._metrics.reviews.labels(outcome="gold").inc(stored.gold)
        self._metrics.reviews.labels(outcome="rejected").inc(len(stored.rejects))
        for record, reject in (*stored.rejects, *summed.rejects):
            _log_not_ours(record, reject)


def _log_not_ours(record: Record, reject: Reject) -> None:
    """Only a gate writes these topics; anything else on them was put there by hand."""
    _log.error(
        "%s partition %d offset %d is not a gate's record: %s",
        record.topic,
        record.partition,
        record.offset,
        reject,
    )
