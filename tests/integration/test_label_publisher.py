"""On real Kafka: a process that publishes an outbox is killed at any moment, again and again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from streamal.state.database import Identity
from streamal.state.durable import DurableFile
from streamal.state.outbox import OUTBOX_SCHEMA, Outbox
from tests.support.site import SIGNING_KEY, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

ANSWERS = 400
KILLS = 8

#: One answer after another is accepted and published until all are; told by the file alone which.
WORKER = """
import sys, time
from pathlib import Path
from streamal.bootstrap import connect
from streamal.clock import SystemClock
from streamal.errors import Retriable
from streamal.roles.label_publisher import LabelPublisher
from streamal.settings import load_settings
from streamal.state.database import Identity
from streamal.state.durable import DurableFile
from streamal.state.outbox import OUTBOX_SCHEMA, Outbox
from streamal.telemetry import Metrics

settings = load_settings(Path(sys.argv[1]))
schema = OUTBOX_SCHEMA + "CREATE TABLE accepted (number INTEGER PRIMARY KEY) STRICT;"
file = DurableFile(
    Path(sys.argv[2]), setting="state", identity=Identity("p", "c"), schema=schema, version=1
)
outbox, clock, publisher = Outbox(file), SystemClock(), None
with connect(settings) as broker:
    while True:
        try:
            if publisher is None:
                publisher = LabelPublisher(
                    broker=broker,
                    topic=settings.topics.labels,
                    outbox=outbox,
                    owner="test",
                    role="console",
                    max_batch_records=7, clock=clock, metrics=Metrics("test"),
                )
            (done,), = file.query("SELECT count(*) FROM accepted")
            for number in range(done, min(done + 5, int(sys.argv[3]))):
                with file.transaction():
                    file.execute("INSERT INTO accepted VALUES (?)", (number,))
                    outbox.add(b"key", f"answer {number}".encode(), now=clock.now())
            if not publisher.step() and done == int(sys.argv[3]):
                break
        except Retriable:
            if publisher is not None:
                publisher.close()
            publisher = None
    publisher.close()
"""


def publishing(site: Site, worker: subprocess.Popen[bytes], before: int) -> bool:
    """Whether the worker has published more, or has ended."""
    return worker.poll() is not None or len(site.read(site.settings.topics.labels)) > before


def test_every_accepted_answer_is_on_the_topic_exactly_once(
    new_site: Callable[[str], Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMAL_SNAPSHOTS__SIGNING_KEYS", SIGNING_KEY)
    site = new_site("")
    path = tmp_path / "outbox.sqlite3"
    command = [sys.executable, "-c", WORKER, str(site.config), str(path), str(ANSWERS)]
    chance = random.Random(11)

    for _ in range(KILLS):
        before = len(site.read(site.settings.topics.labels))
        worker = subprocess.Popen(command)
        wait_until(partial(publishing, site, worker, before), "the worker publishes")
        time.sleep(chance.random() / 10)
        worker.kill()
        worker.wait()
    subprocess.run(command, check=True, timeout=120)

    records = site.read(site.settings.topics.labels)
    expected = {f"answer {number}".encode(): 1 for number in range(ANSWERS)}
    assert Counter(record.value for record in records) == expected
    file = DurableFile(
        path, setting="state", identity=Identity("p", "c"), schema=OUTBOX_SCHEMA, version=1
    )
    assert Outbox(file).waiting() == 0
    file.close()
