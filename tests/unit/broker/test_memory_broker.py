"""What only the memory broker has: faults at will, compaction on demand, a clock of its own."""

from __future__ import annotations

import math
import threading
import time

import pytest

from streamal.broker.memory import Killed, MemoryBroker
from streamal.broker.memory.consumer import MemoryConsumer
from streamal.broker.memory.log import COMPACT_AFTER_RECORDS
from streamal.clock import ManualClock
from streamal.errors import BrokerUnavailable, Rebalanced, TopicsInvalid
from streamal.ports import TopicPartition, TopicSpec

PARTITION = TopicPartition("topic", 0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def broker(clock: ManualClock) -> MemoryBroker:
    made = MemoryBroker(clock, session_timeout_seconds=10, transaction_timeout_seconds=60)
    compact = {"cleanup.policy": "compact"}
    made.admin().create_topics(
        [TopicSpec("topic", partitions=2), TopicSpec("compacted", partitions=1, config=compact)]
    )
    return made


def reader(broker: MemoryBroker, topic: str = "topic") -> MemoryConsumer:
    consumer = broker.consumer()
    consumer.assign([TopicPartition(topic, 0)])
    return consumer


def member(broker: MemoryBroker, group: str = "group") -> MemoryConsumer:
    consumer = broker.consumer(group=group)
    consumer.subscribe(["topic"])
    return consumer


def put(broker: MemoryBroker, value: bytes | None, key: bytes = b"k", topic: str = "topic") -> None:
    broker.producer().send(topic, value, key=key, partition=0)


def kept(broker: MemoryBroker) -> list[tuple[int, bytes | None, bytes | None]]:
    records = reader(broker, "compacted").poll(0, 10_000)
    return [(record.offset, record.key, record.value) for record in records]


def test_timestamps_come_from_the_brokers_clock(broker: MemoryBroker, clock: ManualClock) -> None:
    put(broker, b"early")
    clock.advance(1.5)
    put(broker, b"late")

    early, late = reader(broker).poll(0, 10)

    assert late.timestamp_ms - early.timestamp_ms == 1_500
    assert early.timestamp_ms == 1_700_000_000_000


def test_a_waiting_poll_wakes_when_a_record_arrives(broker: MemoryBroker) -> None:
    consumer = reader(broker)
    writer = threading.Timer(0.1, put, (broker, b"value"))
    writer.start()

    started = time.monotonic()
    records = consumer.poll(10, 10)

    assert [record.value for record in records] == [b"value"]
    assert time.monotonic() - started < 30
    writer.join()


def test_an_outage_fails_every_call_and_ends(broker: MemoryBroker) -> None:
    consumer, producer = member(broker), broker.transactional_producer("id")
    producer.begin()

    with broker.outage():
        for call in (
            lambda: consumer.poll(0, 1),
            lambda: consumer.commit({PARTITION: 1}),
            lambda: producer.send("topic", b"value", key=b"k"),
            producer.commit,
            producer.abort,
            broker.producer().flush,
            lambda: broker.admin().describe_topics(["topic"]),
            lambda: broker.transactional_producer("other"),
        ):
            with pytest.raises(BrokerUnavailable):
                call()

    producer.abort()
    assert consumer.poll(0, 1) == []


def test_an_outage_reaches_a_poll_that_is_waiting(broker: MemoryBroker) -> None:
    consumer = reader(broker)
    breaker = threading.Timer(0.1, setattr, (broker, "available", False))
    breaker.start()

    with pytest.raises(BrokerUnavailable):
        consumer.poll(10, 1)
    breaker.join()


def test_a_member_that_closes_in_an_outage_stays_until_its_session_ends(
    broker: MemoryBroker, clock: ManualClock
) -> None:
    leaving, staying = member(broker), member(broker)
    for _ in range(4):
        leaving.poll(0, 1)
        staying.poll(0, 1)
    with broker.outage():
        leaving.close()

    staying.poll(0, 1)
    assert len(staying.assignment()) == 1
    for _ in range(3):
        clock.advance(4)
        staying.poll(0, 1)
    assert len(staying.assignment()) == 2


def test_a_killed_consumer_raises_through_except_exception_and_keeps_its_place(
    broker: MemoryBroker, clock: ManualClock
) -> None:
    dead = member(broker)
    dead.poll(0, 1)
    broker.kill(dead)

    with pytest.raises(Killed):
        dead.poll(0, 1)
    assert not isinstance(Killed(), Exception)
    dead.close()
    heir = member(broker)
    heir.poll(0, 1)
    assert heir.assignment() == frozenset()
    for _ in range(3):
        clock.advance(4)
        heir.poll(0, 1)
    assert len(heir.assignment()) == 2


def test_a_killed_producers_transaction_blocks_readers_until_it_times_out(
    broker: MemoryBroker, clock: ManualClock
) -> None:
    dead = broker.transactional_producer("id")
    dead.begin()
    dead.send("topic", b"never", key=b"k", partition=0)
    broker.kill(dead)
    put(broker, b"after")
    consumer = reader(broker)

    assert consumer.poll(0, 10) == []
    clock.advance(61)
    assert [record.value for record in consumer.poll(0, 10)] == [b"after"]


def test_infinite_timeouts_let_the_clock_jump(clock: ManualClock) -> None:
    broker = MemoryBroker(
        clock, session_timeout_seconds=math.inf, transaction_timeout_seconds=math.inf
    )
    broker.admin().create_topics([TopicSpec("topic", partitions=2)])
    consumer, producer = member(broker), broker.transactional_producer("id")
    consumer.poll(0, 1)
    producer.begin()

    clock.advance(1e9)

    producer.commit({PARTITION: 1}, consumer.group_metadata())
    assert consumer.committed([PARTITION]) == {PARTITION: 1}


def test_a_lost_commit_response_hides_a_commit_that_happened(broker: MemoryBroker) -> None:
    consumer, producer = member(broker), broker.transactional_producer("id")
    consumer.poll(0, 1)
    producer.begin()
    producer.send("topic", b"stored", key=b"k", partition=0)
    broker.lose_next_commit_response()

    with pytest.raises(BrokerUnavailable):
        producer.commit({PARTITION: 5}, consumer.group_metadata())

    producer.abort()
    assert [record.value for record in reader(broker).poll(0, 10)] == [b"stored"]
    assert consumer.committed([PARTITION]) == {PARTITION: 5}


def test_a_refused_commit_leaves_no_transaction_open(
    broker: MemoryBroker, clock: ManualClock
) -> None:
    consumer, producer = member(broker), broker.transactional_producer("id")
    consumer.poll(0, 1)
    past = consumer.group_metadata()
    clock.advance(11)
    producer.begin()

    with pytest.raises(Rebalanced):
        producer.commit({PARTITION: 1}, past)

    producer.begin()
    producer.commit()


def test_compaction_keeps_the_last_value_per_key_at_its_offset(broker: MemoryBroker) -> None:
    for number in range(6):
        put(broker, b"%d" % number, b"key-%d" % (number % 2), "compacted")
    put(broker, None, b"key-0", "compacted")

    broker.compact("compacted")

    assert kept(broker) == [(5, b"key-1", b"5")]
    put(broker, b"next", b"key-2", "compacted")
    assert kept(broker)[-1][0] == 7


def test_compaction_ignores_aborted_and_spares_open_transactions(broker: MemoryBroker) -> None:
    put(broker, b"good", b"k", "compacted")
    producer = broker.transactional_producer("id")
    producer.begin()
    producer.send("compacted", b"aborted", key=b"k")
    producer.abort()
    producer.begin()
    producer.send("compacted", b"open", key=b"k")

    broker.compact("compacted")
    assert kept(broker) == [(0, b"k", b"good")]
    producer.commit()

    assert [value for _, _, value in kept(broker)] == [b"good", b"open"]


def test_a_compacted_topic_does_not_grow_without_end_and_keeps_tombstones(
    broker: MemoryBroker,
) -> None:
    for number in range(3 * COMPACT_AFTER_RECORDS):
        put(broker, b"%d" % number, b"key-%d" % (number % 5), "compacted")
        if number == 0:
            put(broker, None, b"gone", "compacted")

    records = kept(broker)

    assert len(records) <= COMPACT_AFTER_RECORDS + 6
    assert (1, b"gone", None) in records
    assert {key: value for _, key, value in records}[b"key-4"] == b"%d" % (
        3 * COMPACT_AFTER_RECORDS - 1
    )


def test_truncation_stops_at_an_open_transaction(broker: MemoryBroker) -> None:
    put(broker, b"0")
    producer = broker.transactional_producer("id")
    producer.begin()
    producer.send("topic", b"1", key=b"k", partition=0)

    broker.truncate(PARTITION, 2)

    assert reader(broker).beginning_offsets([PARTITION]) == {PARTITION: 1}


def test_unequal_subscriptions_share_what_both_read_and_keep_what_one_reads(
    broker: MemoryBroker,
) -> None:
    one, two = broker.consumer(group="g"), broker.consumer(group="g")
    one.subscribe(["topic", "compacted"])
    two.subscribe(["topic"])
    for _ in range(4):
        one.poll(0, 1)
        two.poll(0, 1)

    assert TopicPartition("compacted", 0) in one.assignment()
    assert len(one.assignment()) + len(two.assignment()) == 3
    assert all(partition.topic == "topic" for partition in two.assignment())
    assert len(two.assignment()) >= 1


def test_a_topic_created_later_reaches_its_subscribers(broker: MemoryBroker) -> None:
    consumer = broker.consumer(group="g")
    consumer.subscribe(["later"])
    assert consumer.poll(0, 1) == []

    broker.admin().create_topics([TopicSpec("later", partitions=1)])
    put(broker, b"value", topic="later")

    assert [record.value for record in consumer.poll(0, 1)] == [b"value"]


def test_unknown_topics_are_named(broker: MemoryBroker) -> None:
    with pytest.raises(TopicsInvalid, match="'missing'"):
        put(broker, b"value", topic="missing")


def test_a_closed_client_says_so(broker: MemoryBroker) -> None:
    producer = broker.producer()
    producer.close()
    with pytest.raises(RuntimeError, match="closed"):
        producer.send("topic", b"value")


def test_members_on_threads_see_every_record_once(broker: MemoryBroker) -> None:
    seen: list[tuple[int, int]] = []
    total = 2_000
    stop = threading.Event()

    def work() -> None:
        consumer = member(broker)
        while not stop.is_set():
            records = consumer.poll(0.01, 50)
            if records:
                seen.extend((record.partition, record.offset) for record in records)
                consumer.commit({record.source: record.offset + 1 for record in records})
        consumer.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    producer = broker.producer()
    for number in range(total):
        producer.send("topic", b"value", key=b"%d" % number)
    deadline = time.monotonic() + 20
    while len(seen) < total and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()

    assert len(seen) == total
    assert len(set(seen)) == total
