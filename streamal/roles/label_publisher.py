"""Publishes an outbox to `labels` exactly once, whatever crashes and whenever.

Each transaction carries, besides the labels, the sequence number that comes next, committed as an
offset of a group that exists for this outbox alone. Its successor asks for that offset: what lies
below it is on the log, the rest is not (docs/decisions/0011).
"""

from __future__ import annotations

import logging

from streamal.errors import StreamalError
from streamal.ports import Broker, Clock, Consumer, TopicPartition, TransactionalProducer
from streamal.roles.closing import close_all
from streamal.state.outbox import Outbox
from streamal.telemetry.metrics import Metrics

__all__ = ["ANSWER_HEADER", "LabelPublisher"]

_log = logging.getLogger(__name__)

#: Names the outbox and the sequence number that a label came from.
ANSWER_HEADER = "streamal.answer"


class LabelPublisher:
    """One outbox's way to the log; made anew whenever a call to the broker failed.

    Making one fences its predecessor and settles what that one left undecided. A process makes its
    first before it accepts messages: in a file that came back from a backup, the numbers that they
    get must not be below those that were published since.

    Args:
        broker: the log.
        topic: name of `labels`.
        outbox: what to publish.
        owner: prefix of the transactional id and the group, such as `<pipeline>-console`.
        role: which role publishes, for the counts.
        max_batch_records: most labels in one transaction.
        clock: time of day.
        metrics: counts.

    Raises:
        Retriable: no broker answers; nothing was left open.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        topic: str,
        outbox: Outbox,
        owner: str,
        role: str,
        max_batch_records: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._topic = topic
        self._outbox = outbox
        self._max_batch_records = max_batch_records
        self._clock = clock
        self._metrics = metrics
        self._role = role
        self._mark = TopicPartition(topic, 0)
        name = f"{owner}-{outbox.name}"
        # Fencing comes before asking: no transaction of a predecessor can end after this.
        self._producer: TransactionalProducer = broker.transactional_producer(name)
        try:
            self._books: Consumer = broker.consumer(group=name)
        except StreamalError:
            close_all(self._producer.close)
            raise
        try:
            self._settle(name)
        except StreamalError:
            self.close()
            raise

    def step(self) -> int:
        """Publish what is due, in one transaction; how many labels that was.

        Raises:
            Retriable: whether they were published shows when the next publisher is made.
            Fenced: another process publishes this outbox.
        """
        batch = self._outbox.claim(self._clock.now(), self._max_batch_records)
        if not batch:
            return 0
        self._producer.begin()
        for each in batch:
            origin = f"{self._outbox.name}:{each.sequence}".encode()
            self._producer.send(
                self._topic, each.value, key=each.key, headers=((ANSWER_HEADER, origin),)
            )
        following = batch[-1].sequence + 1
        self._producer.commit({self._mark: following}, self._books.group_metadata())
        self._metrics.transactions.labels(role=self._role, outcome="committed").inc()
        return self._outbox.published_before(following, self._clock.now())

    def close(self) -> None:
        """Drop an open transaction and free the connections; the outbox stays."""
        close_all(self._producer.abort, self._producer.close, self._books.close)

    def _settle(self, name: str) -> None:
        """Learn from the broker what the last publisher of this outbox got through."""
        committed = self._books.committed([self._mark])[self._mark]
        # Kafka drops the offsets of a group that was idle for its retention time.
        if committed is None:
            return
        news = self._outbox.published_before(committed, self._clock.now())
        if news:
            _log.info("%s: %d labels turned out to be published already", name, news)
