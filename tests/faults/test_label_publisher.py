"""The publisher of an outbox is killed, or loses the broker, at each of its calls in turn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from streamal.errors import Retriable
from streamal.roles.label_publisher import LabelPublisher
from streamal.state.database import Identity
from streamal.state.durable import DurableFile
from streamal.state.outbox import OUTBOX_SCHEMA, Outbox
from streamal.telemetry import Metrics
from tests.support.town import SESSION_SECONDS, Town
from tests.support.trap import FAULTS, Fault, Killed, Trap, Trapped

ANSWERS = 12


class Office:
    """People answer, a process publishes; the process may die and come back with its file."""

    def __init__(self, path: Path, trap: Trap) -> None:
        self.town = Town()
        self.trap = trap
        self._path = path
        self._open()

    def _open(self) -> None:
        self._file = DurableFile(
            self._path,
            setting="console.state_path",
            identity=Identity("town", "memory"),
            schema=OUTBOX_SCHEMA,
            version=1,
        )
        self.outbox = Outbox(self._file)
        self._publisher: LabelPublisher | None = None

    def answer(self, number: int) -> None:
        value = f"answer {number}".encode()
        self.outbox.add(b"key", value, now=self.town.clock.now(), hold_seconds=number % 3)

    def step(self) -> None:
        try:
            if self._publisher is None:
                self._publisher = self._make()
            self._publisher.step()
        except Killed:
            for client in self.trap.clients:
                self.town.broker.kill(client)
            self._file.close()  # the system drops a dead process's lock on the file
            self.town.clock.advance(SESSION_SECONDS + 1)
            self._open()
        except Retriable:
            if self._publisher is not None:
                self._publisher.close()
            self._publisher = None

    def _make(self) -> LabelPublisher:
        broker: Any = Trapped(self.town.broker, self.trap)
        return LabelPublisher(
            broker=broker,
            topic=self.town.topics.labels,
            outbox=self.outbox,
            owner="town-console",
            role="console",
            max_batch_records=4,
            clock=self.town.clock,
            metrics=Metrics("town"),
        )


def published(path: Path, trap: Trap) -> Counter[bytes | None]:
    """What is on the log after all answers, whatever happened on the way."""
    office = Office(path, trap)
    for number in range(ANSWERS):
        office.answer(number)
        if number % 2:
            office.step()
        office.town.clock.advance(1)
    for _ in range(12):
        office.step()
        office.town.clock.advance(1)
    assert office.outbox.waiting() == 0
    return Counter(record.value for record in office.town.read(office.town.topics.labels))


def calls_of_a_calm_run(folder: Path) -> int:
    trap = Trap()
    published(folder / "calm", trap)
    return trap.calls


@pytest.mark.parametrize("fault", FAULTS)
def test_every_answer_is_published_once_whatever_the_call_that_failed(
    tmp_path: Path, fault: Fault
) -> None:
    calls = calls_of_a_calm_run(tmp_path)
    assert calls > 20
    everything = {f"answer {number}".encode(): 1 for number in range(ANSWERS)}
    for at in range(calls):
        assert published(tmp_path / str(at), Trap(at, fault)) == everything
