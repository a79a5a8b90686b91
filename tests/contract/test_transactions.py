"""Transactions: together or not at all, and never from the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import pytest

from streamal.errors import Fenced, Rebalanced, SettingsInvalid
from streamal.ports import Record, TopicPartition, TransactionalProducer

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

#: Source topic, target topic, group.
Line: TypeAlias = tuple[str, str, str]


def transactional(bench: Bench) -> TransactionalProducer:
    return bench.broker.transactional_producer(bench.name("id"))


def test_records_appear_with_the_commit_in_all_topics_at_once(bench: Bench) -> None:
    one, two = bench.topic(), bench.topic()
    producer = transactional(bench)
    producer.begin()
    producer.send(one, b"1", key=b"k")
    producer.send(two, b"2", key=b"k")
    producer.flush()
    assert bench.values(one) == bench.values(two) == []

    producer.commit()

    assert bench.values(one) == [b"1"]
    assert bench.values(two) == [b"2"]


def test_aborted_records_are_never_seen_and_the_next_transaction_works(bench: Bench) -> None:
    topic = bench.topic()
    producer = transactional(bench)
    producer.begin()
    producer.send(topic, b"discarded", key=b"k")
    producer.flush()
    producer.abort()
    producer.begin()
    producer.send(topic, b"kept", key=b"k")
    producer.commit()

    assert bench.values(topic) == [b"kept"]


def test_read_uncommitted_sees_open_and_aborted_records(bench: Bench) -> None:
    topic = bench.topic()
    producer = transactional(bench)
    producer.begin()
    producer.send(topic, b"open", key=b"k")
    producer.flush()

    assert bench.values(topic, read_committed=False) == [b"open"]
    producer.abort()
    assert bench.values(topic, read_committed=False) == [b"open"]


def test_an_open_transaction_holds_back_what_came_after_it(bench: Bench) -> None:
    topic = bench.topic()
    partition = TopicPartition(topic, 0)
    bench.send(topic, b"before")
    producer = transactional(bench)
    producer.begin()
    producer.send(topic, b"open", key=b"k", partition=0)
    producer.flush()
    bench.send(topic, b"after")
    reader = bench.reader(topic)
    uncommitted = bench.reader(topic, read_committed=False)

    assert reader.end_offsets([partition]) == {partition: 1}
    assert uncommitted.end_offsets([partition]) == {partition: 3}
    assert [record.value for record in bench.take(reader, 1)] == [b"before"]
    assert reader.poll(0.3, 10) == []

    producer.commit()

    assert [record.value for record in bench.take(reader, 2)] == [b"open", b"after"]


def test_control_records_leave_gaps_and_the_position_passes_them(bench: Bench) -> None:
    topic = bench.topic()
    partition = TopicPartition(topic, 0)
    producer = transactional(bench)
    for value in (b"a", b"b"):
        producer.begin()
        producer.send(topic, value, key=b"k")
        producer.commit()
    reader = bench.reader(topic)
    bench.until(lambda: reader.end_offsets([partition]) == {partition: 4})

    assert [record.offset for record in bench.take(reader, 2)] == [0, 2]
    assert reader.poll(0.3, 10) == []
    assert reader.position(partition) == 4


def test_an_empty_transaction_commits_and_aborts(bench: Bench) -> None:
    producer = transactional(bench)
    producer.begin()
    producer.commit()
    producer.begin()
    producer.abort()
    producer.abort()


def test_calls_out_of_order_are_refused(bench: Bench) -> None:
    topic = bench.topic()
    producer = transactional(bench)
    with pytest.raises(RuntimeError):
        producer.send(topic, b"value", key=b"k")
    with pytest.raises(RuntimeError):
        producer.commit()
    producer.begin()
    with pytest.raises(RuntimeError):
        producer.begin()
    with pytest.raises(TypeError):
        producer.commit({TopicPartition(topic, 0): 1}, "not a group's metadata")
    producer.abort()


class Stage:
    """A member of a group with a transactional producer, as a gate has them."""

    def __init__(self, bench: Bench, source: str, target: str, group: str) -> None:
        self.target = target
        self.consumer = bench.broker.consumer(group=group)
        self.consumer.subscribe([source])
        self.producer = transactional(bench)

    def copy(self, records: Sequence[Record]) -> dict[TopicPartition, int]:
        """Send the records on, without committing; the offsets to commit."""
        self.producer.begin()
        for record in records:
            self.producer.send(self.target, record.value, key=record.key)
        self.producer.flush()
        return {record.source: record.offset + 1 for record in records}


@pytest.fixture
def line(bench: Bench) -> Line:
    """A source with ten records, an empty target, a group name."""
    source, target = bench.topic(), bench.topic()
    bench.send(source, *(b"%d" % number for number in range(10)))
    return source, target, bench.name("group")


def test_offsets_are_committed_with_the_records(bench: Bench, line: Line) -> None:
    source, target, _ = line
    stage = Stage(bench, *line)
    offsets = stage.copy(bench.take(stage.consumer, 4))

    stage.producer.commit(offsets, stage.consumer.group_metadata())

    assert bench.values(target) == [b"0", b"1", b"2", b"3"]
    partition = TopicPartition(source, 0)
    assert stage.consumer.committed([partition]) == {partition: 4}
    assert [record.offset for record in bench.take(stage.consumer, 1)] == [4]


def test_an_abort_discards_records_and_offsets_together(bench: Bench, line: Line) -> None:
    source, target, _ = line
    stage = Stage(bench, *line)
    stage.copy(bench.take(stage.consumer, 4))

    stage.producer.abort()

    partition = TopicPartition(source, 0)
    assert bench.values(target) == []
    assert stage.consumer.committed([partition]) == {partition: None}
    stage.consumer.seek(partition, 0)
    offsets = stage.copy(bench.take(stage.consumer, 10))
    stage.producer.commit(offsets, stage.consumer.group_metadata())
    assert bench.values(target) == [b"%d" % number for number in range(10)]


def test_offsets_of_a_reader_without_membership_are_committed_too(bench: Bench, line: Line) -> None:
    source, _, group = line
    partition = TopicPartition(source, 0)
    reader = bench.broker.consumer(group=group)
    reader.assign([partition])
    producer = transactional(bench)

    producer.begin()
    producer.commit({partition: 3}, reader.group_metadata())

    assert reader.committed([partition]) == {partition: 3}


def test_a_newer_producer_fences_the_older_and_voids_what_it_left_open(bench: Bench) -> None:
    topic = bench.topic()
    shared = bench.name("id")
    zombie = bench.broker.transactional_producer(shared)
    zombie.begin()
    zombie.send(topic, b"zombie", key=b"k")
    zombie.flush()

    successor = bench.broker.transactional_producer(shared)

    assert bench.values(topic) == []
    with pytest.raises(Fenced):
        zombie.commit()
    with pytest.raises(Fenced):
        zombie.abort()
    successor.begin()
    successor.send(topic, b"successor", key=b"k")
    successor.commit()
    assert bench.values(topic) == [b"successor"]


def test_a_fenced_producer_cannot_begin_again(bench: Bench) -> None:
    topic = bench.topic()
    shared = bench.name("id")
    zombie = bench.broker.transactional_producer(shared)
    zombie.begin()
    zombie.send(topic, b"1", key=b"k")
    zombie.commit()
    bench.broker.transactional_producer(shared)

    with pytest.raises(Fenced):
        _whole_transaction(zombie, topic)
    assert bench.values(topic) == [b"1"]


def _whole_transaction(producer: TransactionalProducer, topic: str) -> None:
    producer.begin()
    producer.send(topic, b"2", key=b"k")
    producer.commit()


def test_a_zombie_of_an_older_generation_leaves_nothing(bench: Bench, line: Line) -> None:
    source, target, _ = line
    zombie = Stage(bench, *line)
    offsets = zombie.copy(bench.take(zombie.consumer, 10))
    past = zombie.consumer.group_metadata()
    successor = Stage(bench, *line)
    bench.expel([successor.consumer])
    bench.settle({successor.consumer: 1})
    successor.consumer.seek(TopicPartition(source, 0), 0)
    moved = successor.copy(bench.take(successor.consumer, 10))
    successor.producer.commit(moved, successor.consumer.group_metadata())

    with pytest.raises(Rebalanced):
        zombie.producer.commit(offsets, past)

    assert bench.values(target) == [b"%d" % number for number in range(10)]
    partition = TopicPartition(source, 0)
    assert successor.consumer.committed([partition]) == {partition: 10}
    zombie.producer.abort()


def test_an_expelled_member_cannot_pass_for_no_member(bench: Bench, line: Line) -> None:
    """Also once its client has noticed and forgotten its identity."""
    target = line[1]
    zombie = Stage(bench, *line)
    records = bench.take(zombie.consumer, 10)
    bench.expel([])
    successor = Stage(bench, *line)
    bench.settle({successor.consumer: 1})

    offsets = zombie.copy(records)
    with pytest.raises(Rebalanced):
        zombie.producer.commit(offsets, zombie.consumer.group_metadata())

    assert bench.values(target) == []


def test_offsets_that_were_refused_do_not_come_back_with_the_next_transaction(bench: Bench) -> None:
    source, target, group = bench.topic(partitions=2), bench.topic(), bench.name("group")
    stage = Stage(bench, source, target, group)
    bench.settle({stage.consumer: 2})
    both = {TopicPartition(source, number): 5 for number in range(2)}
    past = stage.consumer.group_metadata()
    other = Stage(bench, source, target, group)
    bench.settle({stage.consumer: 1, other.consumer: 1})
    stage.producer.begin()
    with pytest.raises(Rebalanced):
        stage.producer.commit(both, past)

    (mine,), (theirs,) = stage.consumer.assignment(), other.consumer.assignment()
    stage.producer.begin()
    stage.producer.commit({mine: 1}, stage.consumer.group_metadata())

    assert stage.consumer.committed([mine, theirs]) == {mine: 1, theirs: None}


def test_a_refused_record_fails_the_commit_and_spares_the_next_transaction(bench: Bench) -> None:
    topic = bench.topic(max_message_bytes="100000")
    producer = transactional(bench)
    producer.begin()
    with pytest.raises(SettingsInvalid, match=topic):
        _commit_large(producer, topic)
    producer.abort()

    _whole_transaction(producer, topic)

    assert bench.values(topic) == [b"2"]


def _commit_large(producer: TransactionalProducer, topic: str) -> None:
    producer.send(topic, b"x" * 200_000, key=b"k")
    producer.commit()


def test_a_compacted_topic_shows_the_last_committed_value(bench: Bench) -> None:
    topic = bench.topic(cleanup_policy="compact")
    producer = transactional(bench)
    producer.begin()
    producer.send(topic, b"committed", key=b"k")
    producer.commit()
    producer.begin()
    producer.send(topic, b"aborted", key=b"k")
    producer.flush()
    producer.abort()

    assert bench.values(topic)[-1] == b"committed"


def test_a_transaction_that_takes_too_long_is_void_and_ends_its_producer(hasty: Bench) -> None:
    topic = hasty.topic()
    shared = hasty.name("id")
    slow = hasty.broker.transactional_producer(shared)
    slow.begin()
    slow.send(topic, b"late", key=b"k")
    slow.flush()
    hasty.send(topic, b"behind it")

    hasty.outlive_transaction()

    assert hasty.values(topic) == [b"behind it"]
    for call in (slow.commit, slow.abort, slow.begin):
        with pytest.raises(Fenced):
            call()
    _whole_transaction(hasty.broker.transactional_producer(shared), topic)
    assert hasty.values(topic) == [b"behind it", b"2"]
