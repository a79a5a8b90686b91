"""Keeps the queue abreast of `reviews` and `labels`; its offsets lie beside what it applied."""

from __future__ import annotations

import logging

from streamal.console.items import Items
from streamal.errors import StreamalError
from streamal.events.topics import Topics
from streamal.ports import Broker, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS

__all__ = ["Feed"]

_log = logging.getLogger(__name__)


class Feed:
    """One reader of the two topics.

    Args:
        broker: the log.
        topics: names.
        items: the queue.
        max_batch_records: most records applied in one SQLite transaction.
    """

    def __init__(
        self, broker: Broker, topics: Topics, items: Items, max_batch_records: int
    ) -> None:
        self._topics = topics
        self._items = items
        self._max_batch_records = max_batch_records
        self._consumer: Consumer = broker.consumer()
        try:
            self._sources = self._assign()
            self._seek()
        except StreamalError:
            close_all(self._consumer.close)
            raise

    def follow(self, timeout_seconds: float) -> int:
        """Apply what has come; the number of records."""
        records = self._consumer.poll(timeout_seconds, self._max_batch_records)
        if records:
            self._apply(records)
        return len(records)

    def catch_up(self) -> None:
        """Apply everything up to the end of the topics as it is now."""
        ends = self._consumer.end_offsets(self._sources)
        while any(self._consumer.position(source) < end for source, end in ends.items()):
            self.follow(CATCH_UP_POLL_SECONDS)

    def resume(self) -> None:
        """Go back to what is applied: a poll that failed may have passed over records."""
        self._seek()

    def close(self) -> None:
        """Free the connection."""
        self._consumer.close()

    def _assign(self) -> list[TopicPartition]:
        sources = [
            TopicPartition(topic, number)
            for topic in (self._topics.reviews, self._topics.labels)
            for number in self._consumer.partitions_for(topic)
        ]
        self._consumer.assign(sources)
        return sources

    def _seek(self) -> None:
        applied = self._items.offsets()
        ends = self._consumer.end_offsets(self._sources)
        if any(applied.get(source, 0) > end for source, end in ends.items()):
            _log.warning("a topic ends before what was read of it; building the queue anew")
            self._items.start_over()
            applied = {}
        for source, first in self._consumer.beginning_offsets(self._sources).items():
            self._consumer.seek(source, max(applied.get(source, 0), first))

    def _apply(self, records: list[Record]) -> None:
        following = {record.source: record.offset + 1 for record in records}
        rejects = self._items.apply(
            [record for record in records if record.topic == self._topics.reviews],
            [record for record in records if record.topic == self._topics.labels],
            following,
        )
        for record, reject in rejects:
            # The trainer makes them dead letters.
            _log.debug("%s offset %d: %s", record.topic, record.offset, reject)
