"""A broker goes away and comes back: shown in /readyz, waited for, nothing lost or repeated."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from streamal.operations.inspect import inspect
from tests.support.site import Process, Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

SETTINGS = """
[gate]
budget = 0.5
[trainer]
snapshot_every_labels = 10
heartbeat_seconds = 1
"""


def not_ready_because(process: Process) -> str:
    """Why /readyz says no; empty when it says yes."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{process.port}/readyz", timeout=2).close()
    except urllib.error.HTTPError as refusal:
        conditions = json.loads(refusal.read())["conditions"]
        return "; ".join(each["reason"] for each in conditions if not each["ok"])
    return ""


def publish(site: Site, start: int, count: int) -> None:
    for number in range(start, start + count):
        site.publish(f"e{number}", {"x": number % 7}, {"no": 0.4, "yes": 0.6})
    site.flush()


@pytest.mark.parametrize("client", ["kafka-python", "librdkafka"])
def test_a_broker_that_comes_back_finds_everybody_waiting(
    own_kafka: Any,  # noqa: ANN401 - LocalKafka is loaded from a path
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    client: str,
) -> None:
    monkeypatch.setenv("STREAMAL_BROKER__CLIENT", client)
    monkeypatch.setenv("STREAMAL_BROKER__REQUEST_TIMEOUT_SECONDS", "3")
    truth = {f"e{number}": "yes" if number % 7 > 3 else "no" for number in range(600)}
    site = Site(own_kafka.bootstrap, tmp_path, SETTINGS)
    people = Reviewers(site.broker, site.settings, truth)
    try:
        process = site.start("both", "all")
        publish(site, 0, 300)
        wait_until(lambda: decided(site) == 300, "300 decisions")

        own_kafka.kill()
        wait_until(lambda: "retrying" in not_ready_because(process), "/readyz shows the outage")
        wait_until(lambda: retries(process, "gate") > 0, "the gate tries again")
        wait_until(lambda: retries(process, "trainer") > 0, "the trainer tries again")
        own_kafka.start()
        wait_until(process.ready, "the process is ready again", seconds=90)

        people.start()
        publish(site, 300, 300)
        wait_until(lambda: decided(site) == 600, "600 decisions")
        routed = sum(lane.routed for lane in inspect(site.pipeline).gates)
        wait_until(lambda: len(people.answered) == routed, f"{routed} answers")
        people.finish()
        wait_until(
            lambda: process.metric("streamal_labels_total", outcome="learned") == routed,
            "all labels learned",
        )
        assert set(people.asked.values()) == {1}
        assert process.stop() == 0, process.tail()
    finally:
        if people.is_alive():
            people.finish()
        site.close()


def retries(process: Process, role: str) -> float:
    """How often a role has found the broker away."""
    found = process.metric("streamal_retries_total", role=role, error="BrokerUnavailable")
    assert found is not None
    return found


def decided(site: Site) -> int:
    return sum(lane.decided for lane in inspect(site.pipeline).gates)
