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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import orjson
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

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

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
#: A regression beside it, in one process: what is measured in the unit of numbers needs one.
REGRESSION = (
    SETTINGS.replace('"gaussian_nb"', '"linear_regression"')
    .replace("[learner]", 'strategy = "expected_absolute_error"\n[learner]')
    .replace("label_horizon_seconds = 5\n", "label_horizon_seconds = 5\nerror_objective = 100.0\n")
)
NUMBERS = 'task = "regression"\ntolerance = 2.0'
#: What panels and rules about a regression read.
ABOUT_NUMBERS = "absolute_error"
EVENTS_PER_SECOND = 100
GARBAGE_EVERY = 1000
#: What Grafana puts for $__rate_interval: four scrapes or more.
RATE_INTERVAL = "10s"
#: Events after which a spend has to be right.
OF_AGE = 5_000
#: A pipeline of half a minute can't promise more: its interval is wide.
OBJECTIVE = 0.5


class Production(threading.Thread):
    """Publishes events until it is stopped; one in 1,000 is no event at all."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="production")
        self._site = site
        self._done = threading.Event()
        self._random = random.Random(11)
        self.truth: dict[str, str | float] = {}

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


class NumberProduction(Production):
    """Publishes numbers that are a little off."""

    def _publish(self, event_id: str) -> None:
        x = self._random.uniform(-1, 1)
        self.truth[event_id] = 10 * x
        event = {
            "event_id": event_id,
            "timestamp": time.time(),
            "features": {"x": x},
            "prediction": {"value": 10 * x + self._random.gauss(0, 1)},
            "model": {"name": "production", "version": "v2" if x > 0.3 else "v1"},
        }
        self._site.publish_raw(orjson.dumps(event), event_id.encode())


def shipped_configuration(processes: dict[str, list[Process]], folder: Path) -> dict[str, Any]:
    """deploy/prometheus/prometheus.yml, but for what is not on this machine and what takes long."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job in config["scrape_configs"]:
        (name,) = job.pop("dns_sd_configs")[0]["names"]
        targets = [f"127.0.0.1:{process.port}" for process in processes[name]]
        job["static_configs"] = [{"targets": targets}]
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


@dataclass(frozen=True)
class Watched:
    """Two pipelines at work, and the server that scrapes them from before their first event."""

    pipeline: str
    regression: str
    server: PrometheusServer

    def whose(self, expression: str) -> str:
        """Which of the two an expression has to have an answer for."""
        return self.regression if ABOUT_NUMBERS in expression else self.pipeline


@pytest.fixture
def watched(
    prometheus_binary: str,
    new_site: Callable[..., Site],
    local_kafka: ModuleType,
    tmp_path: Path,
) -> Iterator[Watched]:
    site, numbers = new_site(SETTINGS), new_site(REGRESSION, NUMBERS)
    trainer, gate = site.start("trainer", "trainer"), site.start("gate", "gate")
    both = numbers.start("numbers", "all")
    wait_until(lambda: trainer.metric("streamal_trainer_leader") == 1, "the trainer leads")
    wait_until(lambda: both.metric("streamal_trainer_leader") == 1, "the other one leads")
    productions = [Production(site), NumberProduction(numbers)]
    people = [
        Reviewers(each.broker, each.settings, production.truth)
        for each, production in zip((site, numbers), productions, strict=True)
    ]
    folder = tmp_path / "prometheus"
    folder.mkdir()
    config = shipped_configuration({"trainer": [trainer, both], "gate": [gate]}, folder)
    with PrometheusServer(prometheus_binary, config, folder, local_kafka.free_port()) as server:
        wait_until(server.ready, "Prometheus is ready")
        wait_until(lambda: len(server.query("streamal_build_info")) == 3, "all are scraped")
        threads: tuple[Production | Reviewers, ...] = (*productions, *people)
        for thread in threads:
            thread.start()
        yield Watched(site.settings.pipeline.name, numbers.settings.pipeline.name, server)
        for thread in threads:
            thread.finish()


def known(server: PrometheusServer, expression: str, pipeline: str) -> bool:
    """Whether an expression has an answer for the pipeline; NaN is none."""
    return any(
        labels.get("pipeline") == pipeline and not math.isnan(value)
        for labels, value in server.query(expression)
    )


def evaluated_since(server: PrometheusServer, moment: float) -> bool:
    """Whether all rules were evaluated after a moment, seconds since the epoch."""
    groups = server.get("rules")["groups"]
    evaluated = [datetime.fromisoformat(group["lastEvaluation"]) for group in groups]
    return min(evaluated).timestamp() > moment


def test_every_panel_has_data_and_no_alert_is_pending(watched: Watched) -> None:
    server = watched.server
    waiting = {
        query.asked(watched.whose(query.expression), RATE_INTERVAL): str(query)
        for query in panel_queries()
    }
    waiting |= {f'{name}{{pipeline="{watched.whose(name)}"}}': f"rule {name}" for name in records()}
    assert len(waiting) > 80
    assert sum(watched.regression in expression for expression in waiting) > 15

    deadline = time.monotonic() + 90
    while waiting and time.monotonic() < deadline:
        time.sleep(1)
        waiting = {k: v for k, v in waiting.items() if not known(server, k, watched.whose(k))}
    assert not waiting, "without data:\n" + "\n".join(waiting.values())

    now = time.time()
    for histogram in ("streamal_decision_latency_seconds", "streamal_label_latency_seconds"):
        found = server.items(
            "query_exemplars", query=f"{histogram}_bucket", start=str(now - 300), end=str(now)
        )
        named = {each["labels"]["event_id"] for series in found for each in series["exemplars"]}
        assert named
        assert all(event_id.startswith("e") for event_id in named)

    groups = server.get("rules")["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in loaded} == {*alerts(), *records()}
    assert not [rule for rule in loaded if rule["health"] != "ok"]
    # What a policy promises of its spend is within the alert's quarter once so many events came:
    # 23 labels in debt in each of four partitions.
    accepted = f"sum by (pipeline) (streamal_events_accepted_total) >= {OF_AGE}"
    wait_until(lambda: len(server.query(accepted)) == 2, "both are of age", seconds=150)
    of_age = time.time()
    wait_until(lambda: evaluated_since(server, of_age), "every rule is evaluated anew")
    # Neither firing nor pending: no `for` hides a condition that holds on a healthy pipeline.
    assert server.query("ALERTS") == []
