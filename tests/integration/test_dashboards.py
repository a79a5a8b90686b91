"""What operations see of a pipeline that runs: every panel has data, and no alert is on its way.

A real Prometheus scrapes real processes on real Kafka with the shipped rules, and is asked what
Grafana would ask it.
"""

from __future__ import annotations

import math
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
import yaml

from tests.support.prometheus import (
    PROMETHEUS,
    RULE_FILES,
    PrometheusServer,
    alerts,
    panel_queries,
    records,
)
from tests.support.site import Process, Reviewers, Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

RequireOrSkip: TypeAlias = Callable[[str, str | None], None]

#: Windows and reviews that mature while the test waits.
SETTINGS = """
[gate]
budget = 0.1
max_batch_records = 100
[learner]
name = "gaussian_nb"
committee_size = 0
[labels]
ttl_seconds = 12
[trainer]
snapshot_every_labels = 20
heartbeat_seconds = 1
[estimation]
window_seconds = 5
label_horizon_seconds = 5
[drift.data]
reference_windows = 2
grace_seconds = 1
least_events = 100
"""
EVENTS_PER_SECOND = 100
GARBAGE_EVERY = 1000
#: What Grafana puts for $__rate_interval: four scrapes or more.
RATE_INTERVAL = "10s"
#: A pipeline of half a minute can't promise more: its interval is wide.
OBJECTIVE = 0.5


class Production(threading.Thread):
    """Publishes events until it is stopped; one in 1,000 is no event at all."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="production")
        self._site = site
        self._done = threading.Event()
        self._random = random.Random(11)
        self.truth: dict[str, str] = {}

    def run(self) -> None:
        while not self._done.wait(1 / 10):
            for _ in range(EVENTS_PER_SECOND // 10):
                self._publish(f"e{len(self.truth)}")
            self._site.flush()

    def _publish(self, event_id: str) -> None:
        x = self._random.uniform(-1, 1)
        p = 1 / (1 + math.exp(-20 * x))
        self.truth[event_id] = "yes" if self._random.random() < p else "no"
        version = "v2" if self._random.random() < 0.3 else "v1"
        self._site.publish(event_id, {"x": x}, {"yes": p, "no": 1 - p}, version)
        if len(self.truth) % GARBAGE_EVERY == 1:
            self._site.publish_raw(b"{", b"garbage")

    def finish(self) -> None:
        """Publish no more."""
        self._done.set()
        self.join(timeout=60)


def shipped_configuration(processes: dict[str, Process], folder: Path) -> dict[str, Any]:
    """deploy/prometheus/prometheus.yml, but for what is not on this machine and what takes long."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job in config["scrape_configs"]:
        (name,) = job.pop("dns_sd_configs")[0]["names"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{processes[name].port}"]}]
    assert config["rule_files"] == ["rules/*.yml"]
    for path in RULE_FILES:
        text = path.read_text()
        if path.name == "objectives.yml":
            text = text.replace("* 0.9\n", f"* {OBJECTIVE}\n")
        (folder / path.name).write_text(text)
    config["rule_files"] = [str(folder / path.name) for path in RULE_FILES]
    return config


@pytest.fixture
def prometheus_binary(require_or_skip: RequireOrSkip) -> str:
    found = shutil.which("prometheus")
    missing = "its server is not found (it comes with Debian's package prometheus)"
    require_or_skip("prometheus", None if found else missing)
    return str(found)


@pytest.fixture
def watched(
    prometheus_binary: str,
    new_site: Callable[[str], Site],
    local_kafka: ModuleType,
    tmp_path: Path,
) -> Iterator[tuple[Site, PrometheusServer]]:
    """A pipeline at work, and the server that scrapes it from before its first event."""
    site = new_site(SETTINGS)
    processes = {role: site.start(role, role) for role in ("trainer", "gate")}
    trainer = processes["trainer"]
    wait_until(lambda: trainer.metric("streamal_trainer_leader") == 1, "the trainer leads")
    production = Production(site)
    people = Reviewers(site.broker, site.settings, production.truth)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    config = shipped_configuration(processes, folder)
    with PrometheusServer(prometheus_binary, config, folder, local_kafka.free_port()) as server:
        wait_until(server.ready, "Prometheus is ready")
        wait_until(lambda: len(server.query("streamal_build_info")) == 2, "both are scraped")
        production.start()
        people.start()
        yield site, server
        production.finish()
        people.finish()


def known(server: PrometheusServer, expression: str, pipeline: str) -> bool:
    """Whether an expression has an answer for the pipeline; NaN is none."""
    return any(
        labels.get("pipeline") == pipeline and not math.isnan(value)
        for labels, value in server.query(expression)
    )


def test_every_panel_has_data_and_no_alert_is_pending(
    watched: tuple[Site, PrometheusServer],
) -> None:
    site, server = watched
    pipeline = site.settings.pipeline.name
    waiting = {query.asked(pipeline, RATE_INTERVAL): str(query) for query in panel_queries()}
    waiting |= {f'{name}{{pipeline="{pipeline}"}}': f"rule {name}" for name in records()}
    assert len(waiting) > 60

    deadline = time.monotonic() + 60
    while waiting and time.monotonic() < deadline:
        time.sleep(1)
        waiting = {k: v for k, v in waiting.items() if not known(server, k, pipeline)}
    assert not waiting, "without data:\n" + "\n".join(waiting.values())

    groups = server.get("rules")["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in loaded} == {*alerts(), *records()}
    assert not [rule for rule in loaded if rule["health"] != "ok"]
    # Neither firing nor pending: no `for` hides a condition that holds on a healthy pipeline.
    assert server.query("ALERTS") == []
