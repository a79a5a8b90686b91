"""Records in, records out: order, keys, bytes, offsets."""

from __future__ import annotations

import gc
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from streamal.errors import SettingsInvalid, TopicsInvalid
from streamal.ports import Broker, Producer, Record, StartFrom, TopicPartition

if TYPE_CHECKING:
    from tests.contract.conftest import Bench


def test_order_and_offsets_are_kept_within_a_partition(bench: Bench) -> None:
    topic = bench.topic()
    bench.send(topic, *(b"%d" % number for number in range(250)))
    reader = bench.reader(topic)

    records = bench.take(reader, 250)

    assert [record.value for record in records] == [b"%d" % number for number in range(250)]
    assert [record.offset for record in records] == list(range(250))
    assert {record.source for record in records} == {TopicPartition(topic, 0)}


def test_equal_keys_share_a_partition_and_different_keys_spread(bench: Bench) -> None:
    topic = bench.topic(partitions=4)
    producer = bench.broker.producer()
    for number in range(60):
        producer.send(topic, b"%d" % number, key=b"key-%d" % (number % 20))
    producer.flush()

    records = bench.take(bench.reader(topic), 60)

    homes = {(record.key, record.partition) for record in records}
    assert len(homes) == 20
    assert len({partition for _, partition in homes}) > 1


def test_key_value_headers_and_timestamp_come_back_as_sent(bench: Bench) -> None:
    topic = bench.topic()
    headers = (("reason", b"\x00\xff"), ("reason", b"second"), ("empty", b""))
    producer = bench.broker.producer()
    producer.send(topic, b"\x00value", key=b"k\xff", headers=headers, timestamp_ms=1_234)
    producer.flush()

    (record,) = bench.take(bench.reader(topic), 1)

    assert (record.key, record.value, record.headers) == (b"k\xff", b"\x00value", headers)
    assert record.timestamp_ms == 1_234
    assert record.header("reason") == b"\x00\xff"
    assert record.header("absent") is None


def test_a_record_may_lack_a_key_or_a_value_or_have_them_empty(bench: Bench) -> None:
    topic = bench.topic()
    producer = bench.broker.producer()
    producer.send(topic, b"no key", partition=0)
    producer.send(topic, None, key=b"tombstone", partition=0)
    producer.send(topic, b"", key=b"", partition=0)
    producer.flush()

    records = bench.take(bench.reader(topic), 3)

    assert [(record.key, record.value) for record in records] == [
        (None, b"no key"),
        (b"tombstone", None),
        (b"", b""),
    ]


def test_a_record_needs_a_key_or_a_value(bench: Bench) -> None:
    with pytest.raises(ValueError, match="key or"):
        bench.broker.producer().send(bench.topic(), None)


def test_a_chosen_partition_is_used_and_a_missing_one_refused(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    producer = bench.broker.producer()
    producer.send(topic, b"here", key=b"any", partition=1)
    producer.flush()

    (record,) = bench.take(bench.reader(topic), 1)

    assert record.partition == 1
    with pytest.raises(TopicsInvalid, match=topic):
        producer.send(topic, b"nowhere", partition=2)


def test_two_megabytes_pass_where_the_topic_allows_them(bench: Bench) -> None:
    topic = bench.topic(max_message_bytes="3000000")
    value = bytes(range(256)) * 8_192
    producer = bench.broker.producer()
    producer.send(topic, value, key=b"large")
    producer.flush()

    (record,) = bench.take(bench.reader(topic), 1)

    assert record.value == value


def test_a_record_that_the_topic_refuses_is_an_error_that_names_the_topic(bench: Bench) -> None:
    topic = bench.topic(max_message_bytes="100000")
    producer = bench.broker.producer()

    with pytest.raises(SettingsInvalid, match=topic):
        _send_and_flush(producer, topic, b"x" * 200_000)

    _send_and_flush(producer, topic, b"small")
    assert bench.values(topic) == [b"small"]


def _send_and_flush(producer: Producer, topic: str, value: bytes) -> None:
    producer.send(topic, value, key=b"key")
    producer.flush()


def test_a_compacted_topic_refuses_a_record_without_a_key(bench: Bench) -> None:
    topic = bench.topic(cleanup_policy="compact")

    producer = bench.broker.producer()
    with pytest.raises(TopicsInvalid, match=topic):
        _keyless(producer, topic)


def _keyless(producer: Producer, topic: str) -> None:
    producer.send(topic, b"value")
    producer.flush()


def test_a_compacted_topic_shows_at_least_the_last_value_of_each_key_in_order(bench: Bench) -> None:
    topic = bench.topic(cleanup_policy="compact")
    producer = bench.broker.producer()
    for version in range(30):
        producer.send(topic, b"%d" % version, key=b"key-%d" % (version % 3))
    producer.send(topic, None, key=b"key-0")
    producer.flush()

    reader = bench.reader(topic)
    end = reader.end_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)]
    records: list[Record] = []
    while reader.position(TopicPartition(topic, 0)) < end:
        records += reader.poll(0.1, 100)

    latest = {record.key: record.value for record in records}
    assert latest == {b"key-0": None, b"key-1": b"28", b"key-2": b"29"}
    assert [r.offset for r in records] == sorted({r.offset for r in records})


def test_max_records_is_a_limit_and_nothing_is_skipped(bench: Bench) -> None:
    topic = bench.topic(partitions=3)
    for partition in range(3):
        bench.send(topic, *(b"%d" % number for number in range(20)), partition=partition)
    reader = bench.reader(topic)
    seen: list[tuple[int, int]] = []

    while len(seen) < 60:
        records = reader.poll(1.0, 7)
        assert len(records) <= 7
        seen += [(record.partition, record.offset) for record in records]

    assert sorted(seen) == [(p, offset) for p in range(3) for offset in range(20)]
    for partition in range(3):
        offsets = [offset for p, offset in seen if p == partition]
        assert offsets == sorted(offsets)


def test_an_empty_poll_returns_after_its_timeout(bench: Bench) -> None:
    reader = bench.reader(bench.topic())
    reader.poll(0, 1)

    started = time.monotonic()
    assert reader.poll(0.3, 10) == []
    assert 0.2 < time.monotonic() - started < 30


def test_a_poll_returns_what_has_come_and_waits_for_no_more(bench: Bench) -> None:
    topic = bench.topic()
    reader = bench.reader(topic)
    reader.poll(0.1, 500)
    bench.send(topic, b"only")

    started = time.monotonic()
    assert [record.value for record in reader.poll(60.0, 500)] == [b"only"]
    assert time.monotonic() - started < 30


def test_seek_position_and_the_ends_of_a_partition(bench: Bench) -> None:
    topic = bench.topic()
    bench.send(topic, b"0", b"1", b"2", b"3")
    partition = TopicPartition(topic, 0)
    reader = bench.reader(topic)

    assert reader.assignment() == {partition}
    assert reader.beginning_offsets([partition]) == {partition: 0}
    assert reader.end_offsets([partition]) == {partition: 4}
    reader.seek(partition, 2)
    assert reader.position(partition) == 2
    assert [record.value for record in bench.take(reader, 2)] == [b"2", b"3"]
    assert reader.position(partition) == 4


def test_only_assigned_partitions_have_a_position(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    reader = bench.broker.consumer()
    reader.assign([TopicPartition(topic, 0)])

    with pytest.raises(ValueError, match="assigned"):
        reader.seek(TopicPartition(topic, 1), 0)
    with pytest.raises(ValueError, match="assigned"):
        reader.position(TopicPartition(topic, 1))


def test_assign_replaces_what_was_read_before(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    bench.send(topic, b"first", partition=0)
    bench.send(topic, b"second", partition=1)
    reader = bench.broker.consumer()
    reader.assign([TopicPartition(topic, 0)])
    assert bench.take(reader, 1)[0].value == b"first"

    reader.assign([TopicPartition(topic, 1)])

    assert reader.assignment() == {TopicPartition(topic, 1)}
    assert bench.take(reader, 1)[0].value == b"second"


def test_paused_partitions_return_nothing_until_they_are_resumed(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    bench.send(topic, b"a0", b"a1", partition=0)
    bench.send(topic, b"b0", b"b1", partition=1)
    reader = bench.reader(topic)
    held = TopicPartition(topic, 0)

    reader.pause([held])
    assert [record.value for record in bench.take(reader, 2)] == [b"b0", b"b1"]
    assert reader.poll(0.3, 10) == []
    reader.resume([held])
    assert [record.value for record in bench.take(reader, 2)] == [b"a0", b"a1"]


def test_latest_starts_with_what_comes_after_the_first_poll(bench: Bench) -> None:
    topic = bench.topic()
    bench.send(topic, b"before")
    partition = TopicPartition(topic, 0)
    reader = bench.broker.consumer(start_from="latest")
    reader.assign([partition])
    assert reader.position(partition) == 1

    bench.send(topic, b"after")

    assert bench.take(reader, 1)[0].value == b"after"


@pytest.mark.parametrize(("start_from", "expected"), [("earliest", 3), ("latest", 5)])
def test_an_offset_that_retention_dropped_falls_back_to_start_from(
    bench: Bench, start_from: StartFrom, expected: int
) -> None:
    topic = bench.topic()
    bench.send(topic, b"0", b"1", b"2", b"3", b"4")
    partition = TopicPartition(topic, 0)
    bench.truncate(partition, 3)
    reader = bench.broker.consumer(start_from=start_from)
    reader.assign([partition])

    reader.seek(partition, 1)
    records = reader.poll(0.5, 1)
    bench.send(topic, b"5")
    records += bench.take(reader, 1)

    assert reader.beginning_offsets([partition]) == {partition: 3}
    assert records[0].offset == expected


def test_partitions_for_an_unknown_topic_is_empty(bench: Bench) -> None:
    topic = bench.topic(partitions=3)
    consumer = bench.broker.consumer()

    assert consumer.partitions_for(topic) == (0, 1, 2)
    assert consumer.partitions_for(bench.name("missing")) == ()


def test_everything_closes_twice(bench: Bench) -> None:
    broker: Broker = bench.broker
    topic = bench.topic()
    consumer = broker.consumer(group=bench.name("group"))
    consumer.subscribe([topic])
    consumer.poll(0.1, 1)
    transactional = broker.transactional_producer(bench.name("id"))
    for client in (consumer, broker.producer(), transactional, broker.admin(), broker):
        client.close()
        client.close()


def test_closed_clients_are_let_go(bench: Bench) -> None:
    topic = bench.topic()
    member = bench.broker.consumer(group=bench.name("group"))
    member.subscribe([topic])
    bench.settle({member: 1})
    transactional = bench.broker.transactional_producer(bench.name("id"))
    made = [weakref.ref(each) for each in (member, bench.broker.producer(), bench.broker.admin())]
    made.append(weakref.ref(transactional))

    for reference in made:
        _close(reference)
    del member, transactional
    gc.collect()

    assert [reference() for reference in made] == [None] * 4


def _close(reference: weakref.ref[Any]) -> None:
    client = reference()
    assert client is not None, "an open client is kept"
    client.close()


def test_an_interrupted_transaction_does_not_outlive_its_producers_close(bench: Bench) -> None:
    topic = bench.topic()
    producer = bench.broker.transactional_producer(bench.name("id"))
    producer.begin()
    producer.send(topic, b"unfinished", key=b"k")
    producer.close()
    bench.send(topic, b"plain")

    assert bench.values(topic) == [b"plain"]
