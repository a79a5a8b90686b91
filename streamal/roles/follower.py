"""Keeping a view of topics abreast of the log, whoever's view it is."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from streamal.errors import StreamalError
from streamal.ports import Broker, Consumer, Record, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS

__all__ = ["Follower"]

_log = logging.getLogger(__name__)


class Follower(ABC):
    """Reads topics into a view that keeps its own offsets beside what it applied.

    Whoever inherits has its view before it calls this initialiser, which looks up the offsets.

    Args:
        broker: the log.
        topics: names of those that are read, all partitions.
        max_batch_records: most records applied at once, in one transaction of the view.

    Raises:
        Retriable: the broker does not answer.
    """

    #: What a warning calls the view.
    view: ClassVar[str]

    def __init__(self, broker: Broker, topics: Sequence[str], max_batch_records: int) -> None:
        self._broker = broker
        self._max_batch_records = max_batch_records
        self._scout: Consumer | None = None
        self._consumer: Consumer = broker.consumer()
        try:
            self._sources = self._assign(topics)
            self._seek()
        except StreamalError:
            close_all(self._consumer.close)
            raise

    @abstractmethod
    def _applied(self) -> Mapping[TopicPartition, int]:
        """The offsets to go on from, as the view keeps them."""

    @abstractmethod
    def _forget(self) -> None:
        """Empty the view, its offsets included."""

    @abstractmethod
    def _apply(self, records: list[Record]) -> None:
        """Take records and the offsets behind them into the view."""

    def follow(self, timeout_seconds: float) -> int:
        """Apply what has come; the number of records."""
        records = self._consumer.poll(timeout_seconds, self._max_batch_records)
        if records:
            self._apply(records)
        return len(records)

    def catch_up(self) -> None:
        """Apply everything up to the end of the topics as it is now."""
        ends = self._ends()
        while any(self._consumer.position(source) < end for source, end in ends.items()):
            self.follow(CATCH_UP_POLL_SECONDS)

    def resume(self) -> None:
        """Go back to what is applied: a poll that failed may have passed over records."""
        self._seek()

    def close(self) -> None:
        """Free the connections; the view stays."""
        scouts = () if self._scout is None else (self._scout.close,)
        close_all(self._consumer.close, *scouts)

    def _ends(self) -> Mapping[TopicPartition, int]:
        """Where the topics end now.

        Asked by a consumer that reads nothing. A broker answers one connection in order, so behind
        a fetch that waits for records this question would wait as well, up to half a second.
        """
        if self._scout is None:
            self._scout = self._broker.consumer()
        return self._scout.end_offsets(self._sources)

    def _assign(self, topics: Sequence[str]) -> list[TopicPartition]:
        sources = [
            TopicPartition(topic, number)
            for topic in topics
            for number in self._consumer.partitions_for(topic)
        ]
        self._consumer.assign(sources)
        return sources

    def _seek(self) -> None:
        """Go on where the view's own offsets say; begin anew when a topic was made anew."""
        applied = self._applied()
        ends = self._consumer.end_offsets(self._sources)
        if any(applied.get(source, 0) > end for source, end in ends.items()):
            _log.warning("a topic ends before what was read of it; rebuilding %s", self.view)
            self._forget()
            applied = {}
        for source, first in self._consumer.beginning_offsets(self._sources).items():
            self._consumer.seek(source, max(applied.get(source, 0), first))
