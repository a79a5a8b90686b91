"""Keeping the trainer's SQLite view of `reviews` and `windows` abreast of the log."""

from __future__ import annotations

import logging

from streamal.errors import Reject, StreamalError
from streamal.events.topics import Topics
from streamal.ports import Broker, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.state.pending import PendingView
from streamal.telemetry.metrics import Metrics

__all__ = ["ReviewView"]

_log = logging.getLogger(__name__)


class ReviewView:
    """Feeds a `PendingView` from the log; leaders and standbys run the same code.

    Args:
        broker: the log.
        topics: names.
        pending: the view; its own offsets say where to go on.
        max_batch_records: most records applied in one SQLite transaction.
        metrics: counts.
    """

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
        self._max_batch_records = max_batch_records
        self._consumer: Consumer = broker.consumer()
        try:
            self._sources = self._assign()
            self._seek()
        except StreamalError:
            close_all(self._consumer.close)
            raise

    def follow(self, timeout_seconds: float) -> int:
        """Apply what has come; the number of records applied."""
        records = self._consumer.poll(timeout_seconds, self._max_batch_records)
        if records:
            self._apply(records)
        return len(records)

    def catch_up(self) -> None:
        """Apply everything up to the end of the topics as it is now.

        A label can only follow its review, so after this a label fetched before has its review in
        the view or none at all.
        """
        ends = self._consumer.end_offsets(self._sources)
        while any(self._consumer.position(source) < end for source, end in ends.items()):
            self.follow(CATCH_UP_POLL_SECONDS)

    def resume(self) -> None:
        """Go back to what is applied: a poll that failed may have passed over records."""
        self._seek()

    def start_over(self) -> None:
        """Forget everything and read the topics again from their beginning."""
        self.pending.reset()
        self._seek()

    def close(self) -> None:
        """Free the connection; the file stays."""
        self._consumer.close()

    def _assign(self) -> list[TopicPartition]:
        sources = [
            TopicPartition(topic, number)
            for topic in (self._topics.reviews, self._topics.windows)
            for number in self._consumer.partitions_for(topic)
        ]
        self._consumer.assign(sources)
        return sources

    def _seek(self) -> None:
        """Go on where the view's own offsets say; begin anew when a topic was made anew."""
        applied = self.pending.offsets()
        ends = self._consumer.end_offsets(self._sources)
        if any(applied.get(source, 0) > end for source, end in ends.items()):
            _log.warning("a topic ends before what was read of it; rebuilding the pending view")
            self.pending.reset()
            applied = {}
        for source, first in self._consumer.beginning_offsets(self._sources).items():
            self._consumer.seek(source, max(applied.get(source, 0), first))

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
