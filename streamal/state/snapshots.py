"""Model snapshots on the `models` topic: signed, cut into chunks, verified before they are read.

A model is a pickle, and reading a pickle runs code, so nothing is unpickled that does not carry our
signature (docs/decisions/0005). The topic is compacted and has one partition; it holds::

    {pipeline}/chunk/{i}    part i of the compressed payload; record headers: version, lineage
    {pipeline}/header       SnapshotHeader as JSON, written last; record header: signature
    {pipeline}/heartbeat    Heartbeat as JSON; record header: signature
    {pipeline}/drift        what the watch for drift remembers, compressed; record header: signature

A signature covers the JSON exactly as it lies on the topic, so that no reader has to serialise it
the same way.
"""

from __future__ import annotations

import hashlib
import hmac
import pickle
import sys
import zlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from importlib import metadata
from typing import Final, NamedTuple, TypeAlias, TypeVar

from streamal import __version__
from streamal.errors import Reject, SettingsInvalid, SnapshotRefused
from streamal.events import Heartbeat, SnapshotHeader
from streamal.ports import Headers, Record, TopicPartition

__all__ = [
    "Message",
    "Signer",
    "Snapshot",
    "SnapshotAssembler",
    "Versions",
    "dump",
    "load",
    "new_header",
    "pack",
    "pack_heartbeat",
    "pack_memory",
    "versions",
]

T = TypeVar("T")
_E = TypeVar("_E", SnapshotHeader, Heartbeat)

#: 128 bits, the least that NIST SP 800-107 asks of an HMAC key.
MIN_KEY_BYTES: Final = 16
#: Below the 1,048,588 bytes that brokers accept by default, with room for keys and headers.
CHUNK_BYTES: Final = 900_000
#: River models are mostly floats: on an adaptive random forest of 8.5 MB every level saves 18 to
#: 19 %, level 1 at 47 MB/s and level 6 at 19 MB/s.
_COMPRESSION_LEVEL: Final = 1
#: Fixed, so that a newer Python does not write what an older one of the same minor cannot read.
_PICKLE_PROTOCOL: Final = 5

_SNAPSHOT_DOMAIN: Final = b"streamal/snapshot/v1"
_HEARTBEAT_DOMAIN: Final = b"streamal/heartbeat/v1"
_MEMORY_DOMAIN: Final = b"streamal/drift/v1"
_SIGNATURE: Final = "signature"
_VERSION: Final = "version"
_LINEAGE: Final = "lineage"


class Message(NamedTuple):
    """One record to be written; a value of None is a tombstone."""

    key: bytes
    value: bytes | None
    headers: Headers = ()


class Versions(NamedTuple):
    """What a pickle depends on; a patch release of any must not change how it is read."""

    streamal: str
    river: str
    python: str

    def __str__(self) -> str:
        return f"streamal {self.streamal} with River {self.river} on Python {self.python}"


def versions() -> Versions:
    """Versions of streamal and River, and major.minor of Python, as they run here."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Versions(__version__, metadata.version("river"), python)


class Signer:
    """Makes and checks HMAC-SHA256 signatures.

    Keys are rotated by putting the new one first on every process, then dropping the old one.

    Args:
        keys: one or more secrets of at least 16 bytes. The first signs, all verify.

    Raises:
        SettingsInvalid: no key, or one that is too short to be worth anything.
    """

    def __init__(self, *keys: bytes) -> None:
        if not keys:
            raise SettingsInvalid(
                "snapshots.signing_keys is empty; needs at least one secret of "
                f"{MIN_KEY_BYTES} bytes or more, the same for trainer and gates"
            )
        short = [number for number, key in enumerate(keys, 1) if len(key) < MIN_KEY_BYTES]
        if short:
            raise SettingsInvalid(
                *(
                    f"snapshots.signing_keys: key {number} has {len(keys[number - 1])} bytes; "
                    f"needs at least {MIN_KEY_BYTES}"
                    for number in short
                )
            )
        self._keys = keys

    def sign(self, domain: bytes, *parts: bytes) -> bytes:
        """A signature of 32 bytes over `parts`, valid for `domain` only."""
        return _hmac(self._keys[0], domain, parts)

    def verify(self, signature: bytes, domain: bytes, *parts: bytes) -> bool:
        """Whether any of the keys made `signature` for exactly these parts and domain."""
        return any(hmac.compare_digest(_hmac(key, domain, parts), signature) for key in self._keys)


def _hmac(key: bytes, domain: bytes, parts: tuple[bytes, ...]) -> bytes:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in (domain, *parts):
        # With its length in front, no part can pass for the tail of the one before.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


_VERIFIED: Final = object()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot whose signature was verified; only `SnapshotAssembler` can make one.

    Attributes:
        header: what it is.
        payload: a pickle, as given to `pack`.
    """

    header: SnapshotHeader
    payload: bytes
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _VERIFIED:
            raise TypeError("only a SnapshotAssembler makes a Snapshot, from verified records")


def dump(model: object) -> bytes:
    """A model as the payload of a snapshot."""
    return pickle.dumps(model, protocol=_PICKLE_PROTOCOL)


def load(snapshot: Snapshot, kind: type[T]) -> T:
    """The model in a verified snapshot.

    Raises:
        SnapshotRefused: it does not unpickle here, or is not a `kind`.
    """
    if not isinstance(snapshot, Snapshot):
        raise TypeError(f"only a verified Snapshot is unpickled, not {type(snapshot).__name__}")
    try:
        model = pickle.loads(snapshot.payload)  # noqa: S301 - the signature was verified
    # Unpickling runs code of every class in the model, which may raise anything.
    except Exception as error:
        raise SnapshotRefused(
            f"{_name(snapshot.header)} does not load ({type(error).__name__}: {error}); "
            "is the learner's module installed here as on the trainer?"
        ) from error
    if not isinstance(model, kind):
        raise SnapshotRefused(
            f"{_name(snapshot.header)} holds a {type(model).__name__}, not a {kind.__name__}"
        )
    return model


def new_header(
    *,
    pipeline: str,
    version: int,
    lineage: str,
    label_offsets: Mapping[TopicPartition, int],
    labels_learned: int,
    created_at: datetime,
    learner: str,
    settings_digest: str,
    heartbeat: Heartbeat,
) -> SnapshotHeader:
    """A header by this process; `pack` adds what describes the payload."""
    return SnapshotHeader(
        pipeline=pipeline,
        version=version,
        lineage=lineage,
        label_offsets={str(source.partition): next_ for source, next_ in label_offsets.items()},
        labels_learned=labels_learned,
        created_at=created_at,
        learner=learner,
        settings_digest=settings_digest,
        heartbeat=heartbeat,
        **versions()._asdict(),
        chunks=1,
        size_bytes=0,
        sha256="",
    )


def pack(
    header: SnapshotHeader,
    payload: bytes,
    signer: Signer,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    previous_chunks: int = 0,
) -> list[Message]:
    """The records of one snapshot, to be written in this order, in one transaction if possible.

    Args:
        header: describes the model; `chunks`, `size_bytes` and `sha256` are filled in here.
        payload: from `dump`.
        signer: signs with its first key.
        chunk_bytes: largest value of a chunk, >= 1.
        previous_chunks: number of chunks of the snapshot before; those that this one does not
            overwrite are deleted by a tombstone.
    """
    packed = zlib.compress(payload, _COMPRESSION_LEVEL)
    parts = [packed[at : at + chunk_bytes] for at in range(0, len(packed), chunk_bytes)]
    described = header.model_copy(
        update={
            "chunks": len(parts),
            "size_bytes": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
    )
    belongs: Headers = (
        (_VERSION, str(header.version).encode()),
        (_LINEAGE, header.lineage.encode()),
    )
    keys = _Keys(header.pipeline)
    value = described.to_bytes()
    signature = signer.sign(_SNAPSHOT_DOMAIN, value, packed)
    return [
        *(Message(keys.chunk(index), part, belongs) for index, part in enumerate(parts)),
        Message(keys.header, value, (*belongs, (_SIGNATURE, signature))),
        *(Message(keys.chunk(index), None) for index in range(len(parts), previous_chunks)),
    ]


def pack_heartbeat(pipeline: str, heartbeat: Heartbeat, signer: Signer) -> Message:
    """The record of one heartbeat; signed, because gates slow down on what it says."""
    value = heartbeat.to_bytes()
    signature = signer.sign(_HEARTBEAT_DOMAIN, pipeline.encode(), value)
    return Message(_Keys(pipeline).heartbeat, value, ((_SIGNATURE, signature),))


def pack_memory(pipeline: str, memory: bytes, signer: Signer) -> Message:
    """The record of what the watch for drift remembers; signed, because responses are in it."""
    value = zlib.compress(memory, _COMPRESSION_LEVEL)
    signature = signer.sign(_MEMORY_DOMAIN, pipeline.encode(), value)
    return Message(_Keys(pipeline).memory, value, ((_SIGNATURE, signature),))


class _Keys:
    """The record keys of one pipeline."""

    def __init__(self, pipeline: str) -> None:
        self.header = f"{pipeline}/header".encode()
        self.heartbeat = f"{pipeline}/heartbeat".encode()
        self.memory = f"{pipeline}/drift".encode()
        self.chunks = f"{pipeline}/chunk/".encode()

    def chunk(self, index: int) -> bytes:
        """Key of chunk `index`."""
        return self.chunks + str(index).encode()


#: Version and lineage, as the record headers of a chunk carry them.
_Belonging: TypeAlias = tuple[bytes | None, bytes | None]


class SnapshotAssembler:
    """Puts the records of the `models` topic back together, in offset order.

    A snapshot that is refused never replaces one that was verified. Records that were fed before
    and snapshots that are incomplete (compaction took a chunk, or its writer died) are ignored.

    Args:
        pipeline: whose records to read; others on the topic are ignored.
        signer: verifies with any of its keys.
        running: versions that a snapshot must fit.
    """

    def __init__(self, pipeline: str, signer: Signer, running: Versions | None = None) -> None:
        self._pipeline = pipeline
        self._signer = signer
        self._running = versions() if running is None else running
        self._keys = _Keys(pipeline)
        self._next_offset = 0
        self._belonging: _Belonging = (None, None)
        self._chunks: dict[bytes, bytes] = {}
        #: The newest verified snapshot; None before the first.
        self.snapshot: Snapshot | None = None
        #: The newest verified heartbeat, sent alone or with a snapshot; None before the first.
        self.heartbeat: Heartbeat | None = None
        #: The newest verified memory of the watch for drift; None before the first.
        self.memory: bytes | None = None

    def feed(self, record: Record) -> Snapshot | Heartbeat | None:
        """What became known with this record; None when nothing did.

        Raises:
            SnapshotRefused: the record completes a snapshot, or is a heartbeat, that is not signed
                with one of our keys or was made by other versions. The assembler goes on with what
                it had; feed it the next record.
        """
        if record.offset < self._next_offset or record.value is None:
            return None
        self._next_offset = record.offset + 1
        if record.key == self._keys.header:
            return self._on_header(record, record.value)
        if record.key == self._keys.heartbeat:
            return self._on_heartbeat(record, record.value)
        if record.key == self._keys.memory:
            self._on_memory(record, record.value)
        if record.key is not None and record.key.startswith(self._keys.chunks):
            self._on_chunk(record, record.key, record.value)
        return None

    def _on_chunk(self, record: Record, key: bytes, value: bytes) -> None:
        belonging = (record.header(_VERSION), record.header(_LINEAGE))
        if belonging != self._belonging:
            self._belonging = belonging
            self._chunks.clear()
        self._chunks[key] = value

    def _on_header(self, record: Record, value: bytes) -> Snapshot | None:
        header = self._read(SnapshotHeader, value)
        packed = self._gather(header)
        if packed is None or self._is_stale(header):
            return None
        signature = record.header(_SIGNATURE)
        if signature is None or not self._signer.verify(signature, _SNAPSHOT_DOMAIN, value, packed):
            raise SnapshotRefused(
                f"{_name(header)} is not signed with any of our keys; check that trainer and gates "
                "have the same snapshots.signing_keys, and who else can write to this topic"
            )
        self._check_fit(header)
        self.snapshot = Snapshot(header, _unpacked(header, packed), _VERIFIED)
        self.heartbeat = header.heartbeat
        self._chunks.clear()
        return self.snapshot

    def _on_heartbeat(self, record: Record, value: bytes) -> Heartbeat | None:
        signature = record.header(_SIGNATURE)
        if signature is None or not self._signer.verify(
            signature, _HEARTBEAT_DOMAIN, self._pipeline.encode(), value
        ):
            raise SnapshotRefused(
                f"a heartbeat of {self._pipeline} is not signed with any of our keys; check that "
                "trainer and gates have the same snapshots.signing_keys"
            )
        self.heartbeat = self._read(Heartbeat, value)
        return self.heartbeat

    def _on_memory(self, record: Record, value: bytes) -> None:
        signature = record.header(_SIGNATURE)
        if signature is None or not self._signer.verify(
            signature, _MEMORY_DOMAIN, self._pipeline.encode(), value
        ):
            raise SnapshotRefused(
                f"the memory of the watch for drift of {self._pipeline} is not signed with any of "
                "our keys; check that all trainers have the same snapshots.signing_keys"
            )
        self.memory = zlib.decompress(value)

    def _gather(self, header: SnapshotHeader) -> bytes | None:
        """The compressed payload; None unless every chunk of this very snapshot is here."""
        if self._belonging != (str(header.version).encode(), header.lineage.encode()):
            return None
        if len(self._chunks) < header.chunks:
            return None
        parts = [self._chunks.get(self._keys.chunk(index)) for index in range(header.chunks)]
        found = [part for part in parts if part is not None]
        return b"".join(found) if len(found) == header.chunks else None

    def _is_stale(self, header: SnapshotHeader) -> bool:
        if self.snapshot is None:
            return False
        known = self.snapshot.header
        return header.lineage == known.lineage and header.version <= known.version

    def _check_fit(self, header: SnapshotHeader) -> None:
        if header.pipeline != self._pipeline:
            raise SnapshotRefused(
                f"{_name(header)} lies under the keys of pipeline {self._pipeline}; give each "
                "pipeline a signing key of its own"
            )
        theirs = Versions(header.streamal, header.river, header.python)
        if [_minor(version) for version in theirs] != [_minor(each) for each in self._running]:
            raise SnapshotRefused(
                f"{_name(header)} was made by {theirs}; here run {self._running}. Run the same "
                "image everywhere; the trainer rebuilds its model from the labels by itself"
            )

    def _read(self, kind: type[_E], value: bytes) -> _E:
        try:
            return kind.from_bytes(value)
        except Reject as reject:
            raise SnapshotRefused(
                f"a {kind.__name__} of pipeline {self._pipeline} cannot be read ({reject}); was it "
                "written by another version of streamal?"
            ) from reject


def _unpacked(header: SnapshotHeader, packed: bytes) -> bytes:
    """The payload; its length is bounded by the signed header.

    Raises:
        SnapshotRefused: our own writer made something that does not unpack to what it says.
    """
    inflater = zlib.decompressobj()
    try:
        # zlib takes a limit of 0 for none.
        payload = inflater.decompress(packed, max(1, header.size_bytes))
    except zlib.error as error:
        raise SnapshotRefused(f"{_name(header)} does not decompress: {error}") from error
    if hashlib.sha256(payload).hexdigest() != header.sha256:
        raise SnapshotRefused(f"{_name(header)} does not decompress to what its header says")
    return payload


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _name(header: SnapshotHeader) -> str:
    return f"snapshot {header.version} of {header.pipeline} (lineage {header.lineage!r})"
