"""A proxy between clients and a Kafka broker that reads the frames and can be told to be mean.

Every request begins with its length, API key, API version and correlation id, and every answer with
its length and the correlation id. That is all that is read here; the rest passes as it is.

The broker has to advertise the proxy's address, or clients would soon talk to it directly::

    proxy = KafkaProxy()
    with LocalKafka(settings=proxy.advertised()) as broker, proxy.before(broker.port):
        ...  # clients use proxy.bootstrap
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto

HOST = "127.0.0.1"
#: A test fails rather than wait longer for what should take milliseconds.
PATIENCE_SECONDS = 30.0


class Api(IntEnum):
    """The requests that this is about, by their API key."""

    PRODUCE = 0
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class Fault(Enum):
    """What happens to a request.

    Attributes:
        CUT_BEFORE: the connection breaks, and the broker never sees the request.
        CUT_AFTER: the broker does what it is asked, and the connection breaks before it says so.
        HOLD: the connection breaks, and the request arrives when the test has it `release`d.
        TWICE: the broker gets the request twice in a row, and the client the first answer.
        LATE: the client gets the answer when the test has it `release`d.
    """

    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    HOLD = auto()
    TWICE = auto()
    LATE = auto()


@dataclass
class Held:
    """A request that has not arrived yet, or an answer that has not; `release` lets it."""

    send: Callable[[], None] = lambda: None
    taken: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let it through, and return when the broker has answered."""
        assert self.taken.wait(PATIENCE_SECONDS), "no such request came"
        self.send()
        assert self.answered.wait(PATIENCE_SECONDS), "the broker did not answer"


class KafkaProxy:
    """Listens at once; passes on what comes while `before` a broker."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.versions: dict[Api, set[int]] = {}
        self._lock = threading.Lock()
        self._plans: dict[Api, deque[tuple[Fault, Held]]] = {}
        self._hooks: dict[Api, deque[Callable[[], None]]] = {}
        self._links: list[_Link] = []

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.port}"

    def advertised(self) -> dict[str, str]:
        """The broker's setting that sends its clients here."""
        return {"advertised.listeners": f"PLAINTEXT://{self.bootstrap}"}

    def plan(self, api: Api, fault: Fault) -> Held:
        """The next request of this kind meets with this fault; what was planned before comes first.

        Returns:
            what to `release`, for HOLD and LATE.
        """
        held = Held()
        with self._lock:
            self._plans.setdefault(api, deque()).append((fault, held))
        return held

    def first(self, api: Api, call: Callable[[], None]) -> None:
        """Have `call` done before the next request of this kind is passed on."""
        with self._lock:
            self._hooks.setdefault(api, deque()).append(call)

    def waiting(self) -> int:
        """How many planned faults have met no request yet."""
        with self._lock:
            return sum(len(plans) for plans in self._plans.values())

    def planned(self, api: Api, version: int) -> tuple[Fault, Held] | None:
        """What the connections ask for each such request; runs what has to come `first`."""
        with self._lock:
            self.versions.setdefault(api, set()).add(version)
            hooks, plans = self._hooks.get(api), self._plans.get(api)
            call = hooks.popleft() if hooks else None
            fault = plans.popleft() if plans else None
        if call is not None:
            call()
        return fault

    @contextmanager
    def before(self, broker_port: int) -> Iterator[KafkaProxy]:
        """Pass on what comes to this port; all connections are closed at the end."""
        accepting = threading.Thread(target=self._accept, args=(broker_port,), daemon=True)
        accepting.start()
        try:
            yield self
        finally:
            # Closing alone would not end the wait for the next connection.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            accepting.join(PATIENCE_SECONDS)
            for link in self._links:
                link.close()

    def _accept(self, broker_port: int) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection((HOST, broker_port), PATIENCE_SECONDS)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            self._links.append(_Link(self, client, broker))


class _Link:
    """One client's connection and ours to the broker, with a thread for each direction."""

    def __init__(self, proxy: KafkaProxy, client: socket.socket, broker: socket.socket) -> None:
        self._proxy = proxy
        self._client, self._broker = client, broker
        self._faults: dict[int, tuple[Fault, Held]] = {}
        self._holds = False
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._requests, self._answers)
        ]
        for thread in self._threads:
            thread.start()

    def _requests(self) -> None:
        for frame in _frames(self._client):
            key, version, number = struct.unpack_from(">hhi", frame, 4)
            fault = self._proxy.planned(Api(key), version) if key in set(Api) else None
            if not self._pass_on(frame, number, fault):
                _end(self._client)
                break
        if not self._holds:
            _end(self._broker)

    def _pass_on(self, frame: bytes, number: int, fault: tuple[Fault, Held] | None) -> bool:
        """Whether the client's connection stays."""
        if fault is None:
            return _sent(self._broker, frame)
        kind, held = fault
        if kind is Fault.CUT_BEFORE:
            return False
        self._faults[number] = fault
        if kind is Fault.HOLD:
            self._holds = True
            held.send = lambda: self._broker.sendall(frame)
            held.taken.set()
            return False
        if kind is Fault.TWICE:
            frame += frame
        return _sent(self._broker, frame)

    def _answers(self) -> None:
        frames = _frames(self._broker)
        for frame in frames:
            (number,) = struct.unpack_from(">i", frame, 4)
            kind, held = self._faults.pop(number, (None, Held()))
            if kind is Fault.HOLD:
                held.answered.set()
                break
            if kind is Fault.CUT_AFTER:
                break
            if kind is Fault.LATE:
                self._hold_answer(held, frame)
                continue
            if not _sent(self._client, frame):
                break
            if kind is Fault.TWICE:
                next(frames, None)  # the second answer, for which nobody waits
        _end(self._client)
        _end(self._broker)

    def _hold_answer(self, held: Held, frame: bytes) -> None:
        def send() -> None:
            _sent(self._client, frame)

        held.send = send
        held.answered.set()
        held.taken.set()

    def close(self) -> None:
        for end in (self._client, self._broker):
            _end(end)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        for end in (self._client, self._broker):
            end.close()


def _frames(source: socket.socket) -> Iterator[bytes]:
    """Whole frames, each with its length in front, until the connection ends."""
    while head := _exactly(source, 4):
        body = _exactly(source, struct.unpack(">i", head)[0])
        if not body:
            return
        yield head + body


def _exactly(source: socket.socket, size: int) -> bytes:
    """So many bytes; none when the connection ends before."""
    parts = bytearray()
    while len(parts) < size:
        try:
            part = source.recv(size - len(parts))
        except OSError:
            return b""
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _sent(target: socket.socket, frame: bytes) -> bool:
    try:
        target.sendall(frame)
    except OSError:
        return False
    return True


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
