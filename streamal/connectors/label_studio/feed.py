"""Keeps the mirror abreast of the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.errors import StreamalError
from streamal.ports import Broker, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS

__all__ = ["Feed"]

_log = logging.getLogger(__name__)


class Feed:
    """Reads `reviews` for as long as the bridge works, and `labels` once, before it does.

    Later labels need not be read: the bridge is the only one to publish with its transactional id,
    and remembers what it published. Read again behind newer ones, they would look like the last.

    Args:
        broker: the log.
        options: settings.
        mirror: its own offsets say where to go on.

    Raises:
        Retriable: the broker does not answer.
    """

    def __init__(self, broker: Broker, options: BridgeOptions, mirror: Mirror) -> None:
        self._options = options
        self._mirror = mirror
        self._consumer: Consumer = broker.consumer()
        try:
            self._catch_up()
        except StreamalError:
            self.close()
            raise

    def follow(self) -> None:
        """Take in the reviews that have come."""
        self._apply(
            self._consumer.poll(self._options.poll_timeout_seconds, self._options.max_batch_records)
        )

    def close(self) -> None:
        """Free the connection; the file stays."""
        close_all(self._consumer.close)

    def _catch_up(self) -> None:
        topics = self._options.topics
        sources = [
            TopicPartition(topic, number)
            for topic in (topics.reviews, topics.labels)
            for number in self._consumer.partitions_for(topic)
        ]
        self._consumer.assign(sources)
        ends = self._consumer.end_offsets(sources)
        self._seek(sources, ends)
        while any(self._consumer.position(source) < end for source, end in ends.items()):
            self._apply(self._consumer.poll(CATCH_UP_POLL_SECONDS, self._options.max_batch_records))
        self._consumer.pause([source for source in sources if source.topic == topics.labels])

    def _seek(self, sources: Sequence[TopicPartition], ends: dict[TopicPartition, int]) -> None:
        """Go on where the file's own offsets say; begin anew when a topic was made anew."""
        applied = self._mirror.offsets()
        if any(applied.get(source, 0) > end for source, end in ends.items()):
            _log.warning("a topic ends before what was read of it; rebuilding the bridge's file")
            self._mirror.forget()
            applied = {}
        for source, first in self._consumer.beginning_offsets(sources).items():
            self._consumer.seek(source, max(applied.get(source, 0), first))

    def _apply(self, records: Sequence[Record]) -> None:
        topics = self._options.topics
        reviews = [record for record in records if record.topic == topics.reviews]
        labels = [record for record in records if record.topic == topics.labels]
        if labels:
            self._mirror.apply_labels(labels)
        if reviews:
            for record, reject in self._mirror.apply_reviews(reviews):
                _log.error(
                    "%s partition %d offset %d is not a gate's record: %s",
                    record.topic,
                    record.partition,
                    record.offset,
                    reject,
                )
