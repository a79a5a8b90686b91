"""Reading back the `gate-state` topic: the last committed state of each partition."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import orjson

from streamal.ports import Broker, Clock, Consumer, Record, TopicPartition
from streamal.roles.loop import CATCH_UP_POLL_SECONDS

__all__ = ["GateStateReader", "state_key"]

_log = logging.getLogger(__name__)

#: Commit markers reach the partitions of a transaction one after another. A partition's offsets can
#: therefore be readable some milliseconds before its state is; the broker repeats a lost marker
#: within seconds. After this long the state is taken to be older on purpose (offsets were moved by
#: hand).
_MARKER_WAIT_SECONDS = 10.0
_RETRY_SECONDS = 0.05
#: Records read first from the end of a partition before all of it is read: nearly always enough,
#: since each transaction writes one record and one marker.
_TAIL_RECORDS = 64
_BATCH_RECORDS = 1000


def state_key(partition: int) -> bytes:
    """Key of a partition's records on the `gate-state` topic."""
    return str(partition).encode()


class GateStateReader:
    """Finds the state that belongs to a partition's committed offset.

    Args:
        broker: the log.
        topic: the `gate-state` topic.
        clock: for waiting on commit markers.
    """

    def __init__(self, broker: Broker, topic: str, clock: Clock) -> None:
        self._broker = broker
        self._topic = topic
        self._clock = clock

    def read(self, resume: Mapping[int, int]) -> dict[int, bytes]:
        """The last state of each partition that has one.

        Args:
            resume: partition of `predictions` to the group's next offset.
        """
        consumer = self._broker.consumer()
        try:
            return {
                partition: state
                for partition, offset in resume.items()
                if (state := self._read_one(consumer, partition, offset)) is not None
            }
        finally:
            consumer.close()

    def _read_one(self, consumer: Consumer, partition: int, resume_offset: int) -> bytes | None:
        count = len(consumer.partitions_for(self._topic))
        source = TopicPartition(self._topic, partition % max(count, 1))
        deadline = self._clock.now() + _MARKER_WAIT_SECONDS
        while True:
            state = _last_value(consumer, source, state_key(partition))
            if state is None or orjson.loads(state)["next_offset"] >= resume_offset:
                return state
            if self._clock.now() >= deadline:
                _log.warning(
                    "partition %d: its state is older than its offset %d; offsets were moved",
                    partition,
                    resume_offset,
                )
                return state
            self._clock.sleep(_RETRY_SECONDS)


def _last_value(consumer: Consumer, source: TopicPartition, key: bytes) -> bytes | None:
    consumer.assign([source])
    begin = consumer.beginning_offsets([source])[source]
    end = consumer.end_offsets([source])[source]
    tail = max(begin, end - _TAIL_RECORDS)
    found = _last_between(consumer, source, key, tail, end)
    if found is None and tail > begin:
        found = _last_between(consumer, source, key, begin, end)
    return found.value if found else None


def _last_between(
    consumer: Consumer, source: TopicPartition, key: bytes, start: int, end: int
) -> Record | None:
    consumer.seek(source, start)
    found: Record | None = None
    while consumer.position(source) < end:
        for record in consumer.poll(CATCH_UP_POLL_SECONDS, _BATCH_RECORDS):
            if record.key == key:
                found = record
    return found
