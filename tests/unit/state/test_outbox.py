"""The outbox: order, holding back, taking back, and the books after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamal.state.database import Identity
from streamal.state.durable import DurableFile
from streamal.state.outbox import OUTBOX_SCHEMA, Outbox

NOW = 1000.0


def file_at(path: Path) -> DurableFile:
    return DurableFile(
        path,
        setting="console.state_path",
        identity=Identity("orders", "cluster"),
        schema=OUTBOX_SCHEMA,
        version=1,
    )


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(file_at(tmp_path / "outbox"))


def added(outbox: Outbox, *values: bytes, hold_seconds: float = 0.0) -> list[int]:
    return [outbox.add(b"key", value, now=NOW, hold_seconds=hold_seconds) for value in values]


def claimed(outbox: Outbox, now: float = NOW, limit: int = 100) -> list[bytes]:
    return [each.value for each in outbox.claim(now, limit)]


def test_messages_are_claimed_in_order_until_they_are_published(outbox: Outbox) -> None:
    sequences = added(outbox, b"a", b"b", b"c")

    assert claimed(outbox, limit=2) == [b"a", b"b"]
    assert claimed(outbox, limit=2) == [b"a", b"b"]  # a crash: nobody knows whether they went out
    assert outbox.published_before(sequences[2], NOW) == 2
    assert claimed(outbox) == [b"c"]
    assert outbox.waiting() == 1


def test_a_message_is_held_back_and_holds_back_those_behind_it(outbox: Outbox) -> None:
    added(outbox, b"held", hold_seconds=5)
    added(outbox, b"behind")

    assert claimed(outbox, NOW + 4.9) == []
    assert claimed(outbox, NOW + 5) == [b"held", b"behind"]


def test_a_claimed_message_stays_claimed_when_the_clock_goes_back(outbox: Outbox) -> None:
    added(outbox, b"held", hold_seconds=5)
    claimed(outbox, NOW + 5)

    assert claimed(outbox, NOW) == [b"held"]


def test_a_message_can_be_taken_back_until_it_is_claimed(outbox: Outbox) -> None:
    first, second = added(outbox, b"a", b"b")

    assert outbox.take_back(first)
    assert not outbox.take_back(first)
    assert claimed(outbox) == [b"b"]
    assert not outbox.take_back(second)
    outbox.published_before(second + 1, NOW)
    assert not outbox.take_back(second)


def test_waiting_messages_are_counted_and_their_age_is_known(outbox: Outbox) -> None:
    assert outbox.oldest_waiting() is None
    (sequence,) = added(outbox, b"a")
    assert outbox.oldest_waiting() == NOW
    outbox.published_before(sequence + 1, NOW)
    assert outbox.oldest_waiting() is None


def test_published_messages_are_forgotten_after_a_while_and_numbers_are_never_reused(
    outbox: Outbox,
) -> None:
    (sequence,) = added(outbox, b"a")
    outbox.published_before(sequence + 1, NOW)

    assert outbox.forget(NOW) == 0
    assert outbox.forget(NOW + 1) == 1
    assert added(outbox, b"b") == [sequence + 1]


def test_an_outbox_keeps_its_name_and_no_two_have_the_same(tmp_path: Path) -> None:
    file = file_at(tmp_path / "one")
    name = Outbox(file).name
    file.close()

    assert Outbox(file_at(tmp_path / "one")).name == name
    assert Outbox(file_at(tmp_path / "two")).name != name


def test_numbers_after_a_restored_backup_are_above_what_was_published(outbox: Outbox) -> None:
    added(outbox, b"in the backup")

    assert outbox.published_before(40, NOW) == 1
    (following,) = added(outbox, b"new")

    assert following == 40
    assert claimed(outbox) == [b"new"]


def test_an_empty_file_can_come_back_from_a_backup_too(outbox: Outbox) -> None:
    outbox.published_before(40, NOW)

    assert added(outbox, b"new") == [40]


def test_a_message_is_accepted_together_with_other_changes(tmp_path: Path) -> None:
    file = file_at(tmp_path / "outbox")
    outbox = Outbox(file)

    def change_my_mind() -> None:
        with file.transaction():
            added(outbox, b"a")
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        change_my_mind()

    assert outbox.waiting() == 0
