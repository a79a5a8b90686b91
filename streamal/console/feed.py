"""Keeps the queue abreast of `reviews` and `labels`; its offsets lie beside what it applied."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from streamal.console.items import Items
from streamal.events.topics import Topics
from streamal.ports import Broker, Record, TopicPartition
from streamal.roles.follower import Follower

__all__ = ["Feed"]

_log = logging.getLogger(__name__)


class Feed(Follower):
    """One reader of the two topics.

    Args:
        broker: the log.
        topics: names.
        items: the queue.
        max_batch_records: most records applied in one SQLite transaction.
    """

    view: ClassVar[str] = "the queue"

    def __init__(
        self, broker: Broker, topics: Topics, items: Items, max_batch_records: int
    ) -> None:
        self._topics = topics
        self._items = items
        super().__init__(broker, (topics.reviews, topics.labels), max_batch_records)

    def _applied(self) -> Mapping[TopicPartition, int]:
        return self._items.offsets()

    def _forget(self) -> None:
        self._items.start_over()

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
