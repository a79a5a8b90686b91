"""Consumer groups: sharing, rebalances, committed offsets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from streamal.errors import Fenced, Rebalanced
from streamal.ports import TopicPartition

if TYPE_CHECKING:
    from tests.contract.conftest import Bench


class Member:
    """A consumer that commits in `on_revoked`, as a careful role does."""

    def __init__(self, bench: Bench, group: str, topic: str, static: str | None = None) -> None:
        self.consumer = bench.broker.consumer(group=group, member=static)
        self.events: list[tuple[str, tuple[TopicPartition, ...]]] = []
        self.processed: list[tuple[int, int]] = []
        self.done: dict[TopicPartition, int] = {}
        self.threads: set[int] = set()
        self.consumer.subscribe([topic], on_assigned=self._assigned, on_revoked=self._revoked)

    def _assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(("assigned", tuple(partitions)))
        for partition, offset in self.consumer.committed(partitions).items():
            self.consumer.seek(partition, offset or 0)
            assert self.consumer.position(partition) == (offset or 0)

    def _revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(("revoked", tuple(partitions)))
        self.consumer.commit({p: self.done[p] for p in partitions if p in self.done})

    def poll(self) -> None:
        records = self.consumer.poll(0.05, 20)
        for record in records:
            self.processed.append((record.partition, record.offset))
            self.done[record.source] = record.offset + 1

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


def run(bench: Bench, members: Iterable[Member], condition: Callable[[], bool]) -> None:
    """Poll all members until the condition holds."""

    def holds() -> bool:
        for member in members:
            member.poll()
        return condition()

    bench.until(holds)


def settle(bench: Bench, shares: Mapping[Member, int]) -> None:
    """Poll until each member has its number of partitions."""
    run(
        bench,
        shares,
        lambda: all(len(m.consumer.assignment()) == share for m, share in shares.items()),
    )


def run_for_ever(bench: Bench, step: Callable[[], object]) -> None:
    """Until it raises, or it has taken too long."""
    bench.until(lambda: step() is step)


def fill(bench: Bench, topic: str, partitions: int, count: int) -> None:
    for partition in range(partitions):
        bench.send(topic, *(b"%d" % number for number in range(count)), partition=partition)


def test_a_lone_member_gets_everything_and_is_told_on_its_own_thread(bench: Bench) -> None:
    topic = bench.topic(partitions=3)
    member = Member(bench, bench.name("group"), topic)

    settle(bench, {member: 3})

    everything = tuple(TopicPartition(topic, number) for number in range(3))
    assert member.events == [("assigned", everything)]
    assert member.threads == {threading.get_ident()}


def test_two_members_share_without_overlap(bench: Bench) -> None:
    topic = bench.topic(partitions=4)
    group = bench.name("group")
    first, second = (Member(bench, group, topic) for _ in range(2))

    settle(bench, {first: 2, second: 2})

    assert not first.consumer.assignment() & second.consumer.assignment()


def test_a_member_without_a_partition_is_a_standby_that_takes_over(bench: Bench) -> None:
    topic = bench.topic(partitions=1)
    group = bench.name("group")
    leader = Member(bench, group, topic)
    settle(bench, {leader: 1})
    standby = Member(bench, group, topic)
    bench.expel([leader.consumer, standby.consumer])
    settle(bench, {leader: 1, standby: 0} if leader.consumer.assignment() else {standby: 1})
    active, idle = (leader, standby) if leader.consumer.assignment() else (standby, leader)

    active.consumer.close()

    settle(bench, {idle: 1})


def test_join_and_leave_lose_nothing_and_repeat_nothing(bench: Bench) -> None:
    topic = bench.topic(partitions=4)
    group = bench.name("group")
    fill(bench, topic, 4, 100)
    first = Member(bench, group, topic)
    run(bench, [first], lambda: len(first.processed) > 40)

    second = Member(bench, group, topic)
    settle(bench, {first: 2, second: 2})
    run(bench, [second], lambda: len(second.processed) > 20)
    second.consumer.close()
    settle(bench, {first: 4})
    run(bench, [first], lambda: len(first.processed) + len(second.processed) >= 400)

    seen = first.processed + second.processed
    assert sorted(seen) == [(p, offset) for p in range(4) for offset in range(100)]
    # A busy cluster may rebalance once more; what is assigned is revoked before anything else.
    assert second.kinds() == ["assigned", "revoked"] * (len(second.events) // 2)


def test_revocation_comes_before_the_partition_reaches_another_member(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    group = bench.name("group")
    order: list[tuple[str, str]] = []
    first = bench.broker.consumer(group=group)
    first.subscribe([topic], on_revoked=lambda _: order.append(("first", "revoked")))
    bench.settle({first: 2})
    second = bench.broker.consumer(group=group)
    second.subscribe([topic], on_assigned=lambda _: order.append(("second", "assigned")))

    bench.settle({first: 1, second: 1})

    assert order.index(("first", "revoked")) < order.index(("second", "assigned"))


def test_close_revokes_while_a_commit_is_still_possible(bench: Bench) -> None:
    topic = bench.topic()
    group = bench.name("group")
    fill(bench, topic, 1, 5)
    member = Member(bench, group, topic)
    run(bench, [member], lambda: len(member.processed) == 5)

    member.consumer.close()

    assert member.kinds() == ["assigned", "revoked"]
    partition = TopicPartition(topic, 0)
    assert bench.broker.consumer(group=group).committed([partition]) == {partition: 5}


def test_an_expelled_member_may_not_commit_and_is_told_afterwards(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    group = bench.name("group")
    fill(bench, topic, 2, 5)
    stalled, alive = (bench.broker.consumer(group=group) for _ in range(2))
    events: list[tuple[TopicPartition, ...]] = []
    stalled.subscribe([topic], on_revoked=lambda partitions: events.append(tuple(partitions)))
    alive.subscribe([topic])
    bench.settle({stalled: 1, alive: 1})
    events.clear()
    (kept,) = stalled.assignment()

    bench.expel([alive])
    bench.settle({alive: 2})

    with pytest.raises(Rebalanced):
        stalled.commit({kept: 5})
    assert alive.committed([kept]) == {kept: None}
    bench.settle({stalled: 1, alive: 1})
    assert events[0] == (kept,)


def test_a_commit_moves_nothing_but_the_groups_own_offsets(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    one, other = bench.name("group"), bench.name("group")
    partition, untouched = TopicPartition(topic, 0), TopicPartition(topic, 1)
    member = bench.broker.consumer(group=one)
    member.subscribe([topic])
    bench.settle({member: 2})

    member.commit({partition: 7})

    assert member.committed([partition, untouched]) == {partition: 7, untouched: None}
    assert bench.broker.consumer(group=other).committed([partition]) == {partition: None}


def test_two_groups_read_the_same_records_independently(bench: Bench) -> None:
    topic = bench.topic()
    fill(bench, topic, 1, 10)
    members = [bench.broker.consumer(group=bench.name("group")) for _ in range(2)]
    for member in members:
        member.subscribe([topic])

    for member in members:
        assert [record.offset for record in bench.take(member, 10)] == list(range(10))


def test_reading_goes_on_at_the_committed_offset(bench: Bench) -> None:
    topic = bench.topic()
    group = bench.name("group")
    fill(bench, topic, 1, 10)
    first = bench.broker.consumer(group=group)
    first.subscribe([topic])
    bench.take(first, 6)
    first.commit({TopicPartition(topic, 0): 4})
    first.close()

    second = bench.broker.consumer(group=group)
    second.subscribe([topic])

    assert bench.take(second, 1)[0].offset == 4


def test_without_a_committed_offset_start_from_decides(bench: Bench) -> None:
    topic = bench.topic()
    fill(bench, topic, 1, 3)
    member = bench.broker.consumer(group=bench.name("group"), start_from="latest")
    member.subscribe([topic])
    bench.settle({member: 1})
    assert member.position(TopicPartition(topic, 0)) == 3

    bench.send(topic, b"new")

    assert bench.take(member, 1)[0].value == b"new"


def test_a_reader_outside_of_the_group_commits_while_nobody_is_in_it(bench: Bench) -> None:
    topic = bench.topic()
    group = bench.name("group")
    partition = TopicPartition(topic, 0)
    reader = bench.broker.consumer(group=group)
    reader.assign([partition])

    reader.commit({partition: 2})

    assert reader.committed([partition]) == {partition: 2}
    member = bench.broker.consumer(group=group)
    member.subscribe([topic])
    bench.settle({member: 1})
    with pytest.raises(Rebalanced):
        reader.commit({partition: 1})


def test_a_static_member_returns_without_a_rebalance(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    group = bench.name("group")
    leaving, staying = Member(bench, group, topic, static="a"), Member(bench, group, topic)
    settle(bench, {leaving: 1, staying: 1})
    share = leaving.consumer.assignment()
    staying.events.clear()
    leaving.consumer.close()

    returned = Member(bench, group, topic, static="a")
    settle(bench, {returned: 1, staying: 1})

    assert returned.consumer.assignment() == share
    assert staying.events == []


def test_a_static_member_is_fenced_by_its_successor(bench: Bench) -> None:
    topic = bench.topic()
    group = bench.name("group")
    old = bench.broker.consumer(group=group, member="a")
    old.subscribe([topic])
    bench.settle({old: 1})

    new = bench.broker.consumer(group=group, member="a")
    new.subscribe([topic])
    bench.settle({new: 1})

    with pytest.raises(Fenced):
        old.commit({TopicPartition(topic, 0): 1})


def test_a_failed_on_assigned_is_raised_and_tried_again_before_anything_is_read(
    bench: Bench,
) -> None:
    topic = bench.topic()
    fill(bench, topic, 1, 5)
    attempts: list[tuple[TopicPartition, ...]] = []

    def on_assigned(partitions: Sequence[TopicPartition]) -> None:
        attempts.append(tuple(partitions))
        if len(attempts) < 3:
            raise ArithmeticError("state not loaded")

    member = bench.broker.consumer(group=bench.name("group"))
    member.subscribe([topic], on_assigned=on_assigned)
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            run_for_ever(bench, lambda: member.poll(0.1, 10))

    assert [record.offset for record in bench.take(member, 5)] == [0, 1, 2, 3, 4]
    assert attempts == [(TopicPartition(topic, 0),)] * 3


def test_a_failed_on_revoked_is_raised_and_nothing_read_is_lost(bench: Bench) -> None:
    topic = bench.topic(partitions=2)
    group = bench.name("group")
    fill(bench, topic, 2, 20)

    def on_revoked(_: Sequence[TopicPartition]) -> None:
        raise ArithmeticError("cannot finish")

    member = bench.broker.consumer(group=group)
    member.subscribe([topic], on_revoked=on_revoked)
    found = bench.settle({member: 2})
    other = bench.broker.consumer(group=group)
    other.subscribe([topic])

    def all_found() -> bool:
        found.extend(other.poll(0.05, 100))
        found.extend(member.poll(0.05, 100))
        return len({(record.partition, record.offset) for record in found}) == 40

    with pytest.raises(ArithmeticError):
        run_for_ever(bench, all_found)
    bench.until(all_found)
    bench.settle({member: 1, other: 1})  # on a busy machine it may have none by now
    with pytest.raises(ArithmeticError):
        member.close()


def test_pausing_keeps_the_membership(bench: Bench) -> None:
    topic = bench.topic()
    fill(bench, topic, 1, 3)
    member = bench.broker.consumer(group=bench.name("group"))
    member.subscribe([topic], on_assigned=member.pause)
    bench.settle({member: 1})

    bench.expel([member])

    assert member.poll(0.1, 10) == []
    assert len(member.assignment()) == 1
    member.resume(member.assignment())
    assert len(bench.take(member, 3)) == 3


def test_a_group_member_chooses_partitions_in_one_way_only(bench: Bench) -> None:
    topic = bench.topic()
    groupless = bench.broker.consumer()
    with pytest.raises(ValueError, match="group"):
        groupless.subscribe([topic])
    with pytest.raises(ValueError, match="group"):
        groupless.committed([TopicPartition(topic, 0)])
    member = bench.broker.consumer(group=bench.name("group"))
    member.subscribe([topic])
    with pytest.raises(ValueError, match="group"):
        member.assign([TopicPartition(topic, 0)])
