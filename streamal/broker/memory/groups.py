"""Consumer groups: membership, generations, rebalances, committed offsets.

The rebalance is Kafka's eager one, as `streamal.broker.kafka` uses it, run by the members' own
polls. A change of members or partitions opens a round; each member gives up all it has and joins
it; when the last one has joined, the generation rises and each member takes over its new share. So
a partition is never read by two members.

Nothing here locks; `MemoryBroker` calls it under its own lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from streamal.errors import Fenced, Rebalanced
from streamal.ports import TopicPartition

__all__ = ["NOBODY", "Group", "Identity", "Member"]

#: Generation of a reader that commits for a group without being a member of it.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Identity:
    """What a member proves itself with when it commits; the memory broker's `GroupMetadata`."""

    group: str
    member: str
    generation: int


@dataclass(eq=False, slots=True)
class Member:
    """One member of a group.

    Attributes:
        static: the static membership id; None for a dynamic member.
        joined: whether it has joined the open round.
        synced: generation whose assignment it has learned.
        assigned: its share in the current generation.
    """

    name: str
    static: str | None
    topics: tuple[str, ...]
    seen_at: float
    joined: bool = False
    synced: int = 0
    assigned: frozenset[TopicPartition] = frozenset()


class Group:
    """The coordinator of one group.

    Args:
        name: the group's id.
        session_timeout_seconds: a member that has not polled for this long is expelled.
        partitions_of: looks up the partitions of a topic.
    """

    def __init__(
        self,
        name: str,
        session_timeout_seconds: float,
        partitions_of: Callable[[str], tuple[TopicPartition, ...]],
    ) -> None:
        self.name = name
        self.offsets: dict[TopicPartition, int] = {}
        self.generation = 0
        self._timeout = session_timeout_seconds
        self._partitions_of = partitions_of
        self._members: dict[str, Member] = {}
        self._instances: dict[str, str] = {}
        self._fenced: set[str] = set()
        self._rebalancing = False
        self._divided: frozenset[TopicPartition] = frozenset()
        self._joined_ever = 0

    # Membership

    def enter(self, topics: Iterable[str], static: str | None, now: float) -> Member:
        """Add a member; one with a known static id takes over its predecessor's place.

        A take-over keeps the generation, so the others notice nothing.
        """
        self._joined_ever += 1
        name = f"{static or 'member'}-{self._joined_ever}"
        member = Member(name, static, tuple(topics), seen_at=now)
        before = self._members.pop(self._instances.get(static, ""), None) if static else None
        if static:
            self._instances[static] = name
        if before is not None:
            self._fenced.add(before.name)
        self._members[name] = member
        if before is not None and before.topics == member.topics and not self._rebalancing:
            member.assigned = before.assigned
        else:
            self._open_round()
        return member

    def leave(self, member: Member) -> None:
        """Remove a member at its own wish."""
        if self._members.pop(member.name, None) is not None:
            if member.static:
                self._instances.pop(member.static, None)
            self._open_round()

    def knows(self, member: Member) -> bool:
        """Whether the member is still in the group."""
        return member.name in self._members

    def touch(self, member: Member, now: float) -> None:
        """The member has polled; whoever has not for too long is expelled, itself included.

        Raises:
            Fenced: another process took over this static membership id.
        """
        self._check_fence(member.name)
        self.expel(now)
        member.seen_at = now

    def _check_fence(self, name: str) -> None:
        if name in self._fenced:
            raise Fenced(f"group {self.name!r}: a newer member took the place of {name!r}")

    def expel(self, now: float) -> None:
        """Remove every member that has not polled within the session timeout."""
        for member in list(self._members.values()):
            if now - member.seen_at > self._timeout:
                self.leave(member)

    # Rebalance

    def _open_round(self) -> None:
        self._rebalancing = True
        for member in self._members.values():
            member.joined = False

    def must_join(self, member: Member) -> bool:
        """Whether a round is open that the member has yet to join, giving up its share."""
        if not self._rebalancing and self._partitions() != self._divided:
            self._open_round()
        return self._rebalancing and not member.joined

    def join(self, member: Member) -> None:
        """Take part in the open round; whoever joins last closes it."""
        member.joined = True
        if all(other.joined for other in self._members.values()):
            self._close_round()

    def _close_round(self) -> None:
        self._rebalancing = False
        self.generation += 1
        self._divided = self._partitions()
        shares = _sticky(list(self._members.values()), self._divided)
        for member in self._members.values():
            member.assigned = frozenset(shares[member.name])

    def _partitions(self) -> frozenset[TopicPartition]:
        topics = {topic for member in self._members.values() for topic in member.topics}
        return frozenset(p for topic in topics for p in self._partitions_of(topic))

    def news(self, member: Member) -> bool:
        """Whether a generation has begun that the member has not heard of."""
        return not self._rebalancing and member.synced != self.generation

    def sync(self, member: Member) -> tuple[TopicPartition, ...]:
        """The member's share in the current generation."""
        member.synced = self.generation
        return tuple(sorted(member.assigned))

    # Offsets

    def identity(self, member: Member) -> Identity:
        """Proof of membership in the generation that the member works in."""
        return Identity(self.name, member.name, member.synced)

    def check(self, identity: Identity, now: float) -> None:
        """Refuse a commit from outside of the current generation.

        Raises:
            Rebalanced: the member was expelled, or the group has moved on.
            Fenced: another process took over this static membership id.
        """
        self._check_fence(identity.member)
        self.expel(now)
        if identity.generation == NOBODY and not self._members:
            return
        if identity.member not in self._members:
            raise Rebalanced(f"group {self.name!r}: {identity.member or 'a reader'} is no member")
        if identity.generation != self.generation:
            raise Rebalanced(
                f"group {self.name!r} is at generation {self.generation}, "
                f"the commit is from {identity.generation}"
            )

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store next-to-read offsets; `check` was called before."""
        self.offsets.update(offsets)


def _sticky(
    members: list[Member], partitions: Collection[TopicPartition]
) -> dict[str, set[TopicPartition]]:
    """Balanced shares that move as few partitions as possible."""
    shares = {
        m.name: {p for p in m.assigned if p in partitions and p.topic in m.topics} for m in members
    }
    taken = {partition for share in shares.values() for partition in share}
    for partition in sorted(set(partitions) - taken):
        eligible = [m.name for m in members if partition.topic in m.topics]
        shares[min(eligible, key=lambda name: len(shares[name]))].add(partition)
    while (move := _unfair(members, shares)) is not None:
        partition, giver, taker = move
        shares[giver].remove(partition)
        shares[taker].add(partition)
    return shares


def _unfair(
    members: list[Member], shares: Mapping[str, set[TopicPartition]]
) -> tuple[TopicPartition, str, str] | None:
    """A partition that would lie better elsewhere: who has it, who should."""
    by_load = sorted(members, key=lambda member: len(shares[member.name]))
    for giver in reversed(by_load):
        for taker in by_load:
            if len(shares[giver.name]) - len(shares[taker.name]) < 2:
                break
            movable = [p for p in shares[giver.name] if p.topic in taker.topics]
            if movable:
                return max(movable), giver.name, taker.name
    return None
