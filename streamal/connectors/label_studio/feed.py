"""Keeps the mirror abreast of the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.options import BridgeOptions
from streamal.errors import StreamalError
from streamal.ports import Broker, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.follower import Follower

__all__ = ["Feed"]

_log = logging.getLogger(__name__)


class Feed(Follower):
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

    view: ClassVar[str] = "the bridge's file"

    def __init__(self, broker: Broker, options: BridgeOptions, mirror: Mirror) -> None:
        self._topics = topics = options.topics
        self._mirror = mirror
        super().__init__(broker, (topics.reviews, topics.labels), options.max_batch_records)
        try:
            self.catch_up()
            self._consumer.pause([each for each in self._sources if each.topic == topics.labels])
        except StreamalError:
            self.close()
            raise

    def close(self) -> None:
        """Free the connection, even when the broker is away; the file stays."""
        close_all(self._consumer.close)

    def _applied(self) -> Mapping[TopicPartition, int]:
        return self._mirror.offsets()

    def _forget(self) -> None:
        self._mirror.forget()

    def _apply(self, records: list[Record]) -> None:
        topics = self._topics
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
