"""Snapshots travel whole, and only what we signed is ever unpickled."""

from __future__ import annotations

import dataclasses
import pickle
import random
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import river

import streamal
from streamal.errors import SettingsInvalid, SnapshotRefused
from streamal.events import Heartbeat, SnapshotHeader
from streamal.ports import Record, TopicPartition
from streamal.state import (
    Signer,
    Snapshot,
    SnapshotAssembler,
    Versions,
    dump,
    load,
    new_header,
    pack,
    pack_heartbeat,
    versions,
)
from streamal.state.snapshots import Message

KEY = b"k" * 32
OTHER = b"o" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEAT = Heartbeat(sent_at=NOW, pending=7, response_rate=0.5, label_latency_seconds=60)


def header(version: int = 1, *, lineage: str = "l1", pipeline: str = "orders") -> SnapshotHeader:
    return new_header(
        pipeline=pipeline,
        version=version,
        lineage=lineage,
        label_offsets={TopicPartition("labels", 0): 41, TopicPartition("labels", 1): 2},
        labels_learned=43,
        created_at=NOW,
        learner="default",
        settings_digest="d",
        heartbeat=BEAT,
    )


class Log:
    """The models topic."""

    def __init__(self) -> None:
        self._offsets = count()
        self.records: list[Record] = []

    def write(self, messages: Sequence[Message]) -> list[Record]:
        written = [
            Record("models", 0, next(self._offsets), 0, key, value, headers)
            for key, value, headers in messages
        ]
        self.records += written
        return written

    def compacted(self) -> list[Record]:
        """What is left when the broker has kept the last record of each key."""
        last = {each.key: each for each in self.records}
        return sorted(last.values(), key=lambda each: each.offset)


@pytest.fixture
def log() -> Log:
    return Log()


def assembler(*keys: bytes, running: Versions | None = None) -> SnapshotAssembler:
    return SnapshotAssembler("orders", Signer(*(keys or (KEY,))), running)


def fed(target: SnapshotAssembler, records: Sequence[Record]) -> list[Snapshot | Heartbeat]:
    return [found for each in records if (found := target.feed(each)) is not None]


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 5000])
def test_a_snapshot_arrives_as_it_was_sent(log: Log, size: int) -> None:
    payload = noise(size)
    written = log.write(pack(header(), payload, Signer(KEY), chunk_bytes=1000))
    (snapshot,) = fed(assembler(), written)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.payload == payload
    assert snapshot.header.size_bytes == size
    assert snapshot.header.chunks == len(written) - 1
    assert snapshot.header.label_offsets == {"0": 41, "1": 2}
    assert all(len(each.value or b"") <= 1000 for each in written[:-1])
    assert written[-1].key == b"orders/header"


def test_a_model_survives_the_way(log: Log) -> None:
    target = assembler()
    fed(target, log.write(pack(header(), dump({"weights": [1.5, 2.5]}), Signer(KEY))))
    assert target.snapshot is not None
    assert load(target.snapshot, dict) == {"weights": [1.5, 2.5]}
    with pytest.raises(SnapshotRefused, match="holds a dict, not a list"):
        load(target.snapshot, list)


def test_chunks_say_what_they_belong_to(log: Log) -> None:
    first = log.write(pack(header(7), noise(1500), Signer(KEY), chunk_bytes=1000))[0]
    assert first.key == b"orders/chunk/0"
    assert (first.header("version"), first.header("lineage")) == (b"7", b"l1")


def test_newer_versions_replace_older_ones_and_not_the_reverse(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    second = pack(header(2), b"two", signer)
    assert len(fed(target, log.write(second))) == 1
    assert fed(target, log.write(pack(header(1), b"one", signer))) == []
    assert fed(target, log.write(second)) == []
    assert target.snapshot is not None
    assert target.snapshot.payload == b"two"


def test_a_new_lineage_starts_over_at_version_one(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    fed(target, log.write(pack(header(9), b"old", signer)))
    (found,) = fed(target, log.write(pack(header(1, lineage="l2"), b"new", signer)))
    assert isinstance(found, Snapshot)
    assert found.payload == b"new"


def test_records_that_come_again_are_ignored(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    old = log.write(pack(header(9), b"old", signer))
    new = log.write(pack(header(1, lineage="l2"), b"new", signer))
    fed(target, [*old, *new])
    assert fed(target, [*old, *new]) == []
    assert target.snapshot is not None
    assert target.snapshot.payload == b"new"


def test_a_compacted_topic_still_holds_the_newest(log: Log) -> None:
    signer = Signer(KEY)
    log.write(pack(header(1), noise(5000), signer, chunk_bytes=1000))
    log.write([pack_heartbeat("orders", BEAT, signer)])
    log.write(pack(header(2), noise(2500), signer, chunk_bytes=1000, previous_chunks=6))
    target = assembler()
    snapshots = [each for each in fed(target, log.compacted()) if isinstance(each, Snapshot)]
    assert [each.header.version for each in snapshots] == [2]
    assert snapshots[0].payload == noise(2500)


def test_chunks_that_are_left_over_are_deleted() -> None:
    signer = Signer(KEY)
    before = pack(header(1), noise(5000), signer, chunk_bytes=1000)
    after = pack(header(2), noise(1500), signer, chunk_bytes=1000, previous_chunks=len(before) - 1)
    live = {each.key: each.value for each in [*before, *after]}
    assert {key for key, value in live.items() if value is not None} == {
        b"orders/chunk/0",
        b"orders/chunk/1",
        b"orders/header",
    }


def test_half_of_a_snapshot_is_ignored(log: Log) -> None:
    signer = Signer(KEY)
    written = log.write(pack(header(1), noise(3500), signer, chunk_bytes=1000))
    for missing in range(len(written) - 1):
        target = assembler()
        assert fed(target, [each for each in written if each is not written[missing]]) == []


def test_a_writer_that_died_half_way_does_not_spoil_the_next(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    fed(target, log.write(pack(header(1), noise(3500), signer, chunk_bytes=1000)[:2]))
    (found,) = fed(target, log.write(pack(header(2), noise(2500), signer, chunk_bytes=1000)))
    assert isinstance(found, Snapshot)
    assert found.header.version == 2


def test_two_writers_at_once_give_no_mixture(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    ours = pack(header(1), noise(2500), signer, chunk_bytes=1000)
    theirs = pack(header(1, lineage="l2"), noise(2600), signer, chunk_bytes=1000)
    mixed = [message for pair in zip(ours, theirs, strict=True) for message in pair]
    assert fed(target, log.write(mixed)) == []


def tampered(messages: list[Message], which: int, **changes: object) -> list[Message]:
    changed = list(messages)
    changed[which] = changed[which]._replace(**changes)  # type: ignore[arg-type]  # any field
    return changed


def test_a_forged_snapshot_is_refused_and_never_replaces_a_good_one(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    fed(target, log.write(pack(header(1), b"good", signer)))
    good = target.snapshot
    fine = pack(header(2), b"fine", signer)
    learned_more = (fine[1].value or b"").replace(b'"labels_learned":43', b'"labels_learned":44')
    forgeries = [
        pack(header(2), b"evil", Signer(OTHER)),
        tampered(fine, 0, value=zlib.compress(b"evil", 1)),
        tampered(fine, 1, headers=fine[1].headers[:-1]),
        tampered(fine, 1, value=learned_more),
    ]
    for forgery in forgeries:
        with pytest.raises(SnapshotRefused, match="not signed with any of our keys"):
            fed(target, log.write(forgery))
        assert target.snapshot is good
    (found,) = fed(target, log.write(pack(header(2), b"next", signer)))
    assert isinstance(found, Snapshot)


class _Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self._trace,))


def test_a_forged_pickle_is_never_run(log: Log, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with pytest.raises(SnapshotRefused):
        fed(assembler(), log.write(pack(header(), dump(_Trap(trace)), Signer(OTHER))))
    with pytest.raises(TypeError):
        load(pickle.dumps(_Trap(trace)), object)  # type: ignore[arg-type]  # what must not pass
    assert not trace.exists()


def test_a_snapshot_cannot_be_made_without_verification(log: Log) -> None:
    with pytest.raises(TypeError):
        Snapshot(header(), b"evil", object())
    (good,) = fed(assembler(), log.write(pack(header(), b"good", Signer(KEY))))
    assert isinstance(good, Snapshot)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(good, payload=b"evil")  # type: ignore[call-arg]  # what must not pass


@pytest.mark.parametrize(
    "running",
    [
        versions()._replace(river="0.1.0"),
        versions()._replace(river=versions().river.replace("0.", "1.", 1)),
        versions()._replace(python="3.2"),
    ],
)
def test_other_versions_are_refused_with_both_named(log: Log, running: Versions) -> None:
    with pytest.raises(SnapshotRefused, match="same image everywhere") as refused:
        fed(assembler(running=running), log.write(pack(header(), b"x", Signer(KEY))))
    assert versions().river in str(refused.value)
    assert running.python in str(refused.value)


def test_a_patch_release_of_river_is_no_other_version(log: Log) -> None:
    patched = versions()._replace(river=".".join([*versions().river.split(".")[:2], "99"]))
    written = log.write(pack(header(), b"x", Signer(KEY)))
    assert len(fed(assembler(running=patched), written)) == 1


def test_other_pipelines_on_the_topic_are_ignored(log: Log) -> None:
    written = log.write(
        [
            *pack(header(pipeline="orders2"), b"x", Signer(OTHER)),
            pack_heartbeat("orders2", BEAT, Signer(OTHER)),
        ]
    )
    assert fed(assembler(), written) == []


def test_a_snapshot_of_another_pipeline_under_our_keys_is_refused(log: Log) -> None:
    moved = [
        each._replace(key=each.key.replace(b"invoices", b"orders"))
        for each in pack(header(pipeline="invoices"), b"x", Signer(KEY))
    ]
    with pytest.raises(SnapshotRefused, match="pipeline orders"):
        fed(assembler(), log.write(moved))


@pytest.mark.parametrize("value", [b"", b"{", b"{}", b'{"schema_version": 2}'])
def test_a_header_that_cannot_be_read_is_refused(log: Log, value: bytes) -> None:
    with pytest.raises(SnapshotRefused, match="cannot be read"):
        fed(assembler(), log.write([Message(b"orders/header", value)]))


def test_records_without_meaning_to_us_are_ignored(log: Log) -> None:
    strange = [Message(b"orders/else", b"x"), Message(b"orders/header", None)]
    assert fed(assembler(), log.write(strange)) == []


def test_a_pickle_that_does_not_load_here_is_refused_with_the_reason(log: Log) -> None:
    target = assembler()
    fed(target, log.write(pack(header(), b"cno_such_module\nThing\n.", Signer(KEY))))
    assert target.snapshot is not None
    with pytest.raises(SnapshotRefused, match="no_such_module"):
        load(target.snapshot, object)


def test_a_payload_that_is_not_what_the_header_says_is_refused(log: Log) -> None:
    """Only who has the key can make one: a broken writer of ours."""
    signer = Signer(KEY)
    chunk, head = pack(header(), b"x" * 100, signer)
    for packed in (zlib.compress(b"y" * 10_000_000), b"not zlib", b""):
        value = head.value or b""
        signature = signer.sign(b"streamal/snapshot/v1", value, packed)
        forged = [
            chunk._replace(value=packed),
            head._replace(headers=(("signature", signature),)),
        ]
        with pytest.raises(SnapshotRefused, match="does not decompress"):
            fed(assembler(), log.write(forged))


def test_heartbeats_come_alone_and_with_snapshots(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    fed(target, log.write(pack(header(), b"x", signer)))
    assert target.heartbeat == BEAT
    later = BEAT.model_copy(update={"pending": 9})
    assert fed(target, log.write([pack_heartbeat("orders", later, signer)])) == [later]
    assert target.heartbeat == later


def test_a_forged_heartbeat_is_refused(log: Log) -> None:
    signer, target = Signer(KEY), assembler()
    good = pack_heartbeat("orders", BEAT, signer)
    elsewhere = pack_heartbeat("invoices", BEAT, signer)
    for forged in (
        good._replace(headers=()),
        good._replace(value=(good.value or b"").replace(b"7", b"8")),
        elsewhere._replace(key=good.key),
    ):
        with pytest.raises(SnapshotRefused, match="heartbeat"):
            fed(target, log.write([forged]))
    assert target.heartbeat is None


def test_keys_are_rotated_without_a_gap(log: Log) -> None:
    old, both, new = Signer(KEY), Signer(OTHER, KEY), Signer(OTHER)
    by_old = log.write(pack(header(1), b"1", old))
    by_both = log.write(pack(header(2), b"2", both))
    assert len(fed(assembler(OTHER, KEY), [*by_old, *by_both])) == 2
    assert len(fed(SnapshotAssembler("orders", new), by_both)) == 1
    with pytest.raises(SnapshotRefused):
        fed(assembler(OTHER), by_old)


def test_a_signature_is_good_for_one_purpose_and_one_cut() -> None:
    signer = Signer(KEY)
    signature = signer.sign(b"domain", b"ab", b"c")
    assert signer.verify(signature, b"domain", b"ab", b"c")
    assert not signer.verify(signature, b"domain", b"a", b"bc")
    assert not signer.verify(signature, b"domain", b"abc")
    assert not signer.verify(signature, b"domai", b"nab", b"c")
    assert not signer.verify(signature[:-1], b"domain", b"ab", b"c")


@pytest.mark.parametrize("keys", [(), (b"",), (b"x" * 15,), (KEY, b"short")])
def test_weak_keys_are_a_setting_to_mend(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(SettingsInvalid, match=r"snapshots\.signing_keys") as refused:
        Signer(*keys)
    assert "short" not in str(refused.value)


def test_keys_do_not_show_in_a_log_line() -> None:
    assert "kkkk" not in f"{Signer(KEY)!r} {vars(Signer)}"


def test_versions_are_those_that_run() -> None:
    assert versions().river == river.__version__
    assert versions().streamal == streamal.__version__
