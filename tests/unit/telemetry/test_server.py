"""One port for scrapes and probes."""

from __future__ import annotations

import gzip
import http.client
import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from streamal.errors import SettingsInvalid
from streamal.telemetry.health import Health
from streamal.telemetry.metrics import Metrics
from streamal.telemetry.server import TelemetryServer


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("orders")


@pytest.fixture
def health() -> Health:
    return Health(time.monotonic)


@pytest.fixture
def server(metrics: Metrics, health: Health) -> Iterator[TelemetryServer]:
    with TelemetryServer(metrics.registry, health, host="127.0.0.1", port=0) as running:
        yield running


def ask(server: TelemetryServer, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request(
            method, path, headers={key.replace("_", "-"): text for key, text in headers.items()}
        )
        response = connection.getresponse()
        return Answer(
            response.status,
            {key.lower(): text for key, text in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()


def test_metrics_are_served_as_plain_text(server: TelemetryServer, metrics: Metrics) -> None:
    metrics.events.inc(5)
    answer = ask(server, "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    (sample,) = (
        sample
        for family in parse(answer.body.decode())
        for sample in family.samples
        if sample.name == "streamal_events_total"
    )
    assert (sample.value, sample.labels) == (5, {"pipeline": "orders"})


def test_openmetrics_is_served_to_who_asks_for_it(server: TelemetryServer) -> None:
    answer = ask(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.body.endswith(b"# EOF\n")
    assert list(parse_openmetrics(answer.body.decode()))  # type: ignore[no-untyped-call]  # theirs


def test_scrapes_are_compressed_for_who_takes_it(server: TelemetryServer) -> None:
    answer = ask(server, "/metrics", Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert b"streamal_events_total" in gzip.decompress(answer.body)


def test_readiness_comes_with_reasons(server: TelemetryServer, health: Health) -> None:
    health.set("gate", ok=False, reason="no broker answers")
    answer = ask(server, "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "ok": False,
        "conditions": [{"name": "gate", "ok": False, "reason": "no broker answers"}],
    }
    health.set("gate", ok=True, reason="working")
    assert ask(server, "/readyz").status == 200
    assert ask(server, "/readyz?verbose=1").status == 200


def test_liveness_is_another_question(server: TelemetryServer, health: Health) -> None:
    health.role("gate", limit_seconds=60)
    assert ask(server, "/readyz").status == 503
    assert ask(server, "/healthz").status == 200
    health.role("trainer", limit_seconds=-1)
    answer = ask(server, "/healthz")
    assert answer.status == 503
    assert b"trainer" in answer.body


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/nothing"])
def test_head_answers_like_get_without_the_body(server: TelemetryServer, path: str) -> None:
    get, head = ask(server, path), ask(server, path, "HEAD")
    assert head.status == get.status
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.body == b""


@pytest.mark.parametrize("path", ["/", "/metricsX", "/healthz/", "/favicon.ico"])
def test_other_paths_are_told_what_there_is(server: TelemetryServer, path: str) -> None:
    answer = ask(server, path)
    assert answer.status == 404
    assert set(json.loads(answer.body)["paths"]) == {"/metrics", "/healthz", "/readyz"}


def test_nothing_can_be_written(server: TelemetryServer) -> None:
    answer = ask(server, "/metrics", "POST")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_client_that_says_nothing_holds_nobody_up(server: TelemetryServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert ask(server, "/metrics").status == 200


def test_a_client_that_leaves_early_makes_no_noise(
    server: TelemetryServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert ask(server, "/metrics").status == 200
    assert capfd.readouterr().err == ""


def test_requests_are_not_logged_at_info(
    server: TelemetryServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        ask(server, "/metrics")
    assert caplog.records == []


def test_a_port_in_use_is_a_setting_to_mend(
    server: TelemetryServer, metrics: Metrics, health: Health
) -> None:
    with pytest.raises(SettingsInvalid, match=rf"telemetry\.port = {server.port}: in use"):
        TelemetryServer(metrics.registry, health, host="127.0.0.1", port=server.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no host"])
def test_an_address_that_is_not_ours_is_a_setting_to_mend(
    metrics: Metrics, health: Health, host: str
) -> None:
    with pytest.raises(SettingsInvalid, match=r"telemetry\.host"):
        TelemetryServer(metrics.registry, health, host=host, port=0)


def test_it_ends_at_once_and_frees_the_port(metrics: Metrics, health: Health) -> None:
    server = TelemetryServer(metrics.registry, health, host="127.0.0.1", port=0)
    with socket.create_connection(("127.0.0.1", server.port)):
        started = time.monotonic()
        server.close()
        server.close()
        assert time.monotonic() - started < 20
    again = TelemetryServer(metrics.registry, health, host="127.0.0.1", port=server.port)
    again.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python was built without IPv6")
def test_ipv6_addresses_work(metrics: Metrics, health: Health) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with (
        TelemetryServer(metrics.registry, health, host="::1", port=0) as server,
        socket.create_connection(("::1", server.port), timeout=5) as client,
    ):
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in client.recv(100)
