"""Calls ring a bell; calls without the secret do not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from streamal.connectors.label_studio.webhook import (
    SECRET_HEADER,
    WEBHOOK_PATH,
    Bell,
    WebhookServer,
    webhook_app,
)
from streamal.errors import SettingsInvalid
from streamal.telemetry import Metrics


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("mail")


@pytest.fixture
def server(bell: Bell, metrics: Metrics) -> Iterator[WebhookServer]:
    serving = WebhookServer(webhook_app("geheim", bell, metrics), host="127.0.0.1", port=0)
    serving.start()
    serving.start()
    yield serving
    serving.close()
    serving.close()


def call(server: WebhookServer, secret: str | None, path: str = WEBHOOK_PATH) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    url = f"http://127.0.0.1:{server.port}{path}"
    return httpx.post(url, json={"action": "ANNOTATION_CREATED"}, headers=headers).status_code


def test_a_call_rings_once(server: WebhookServer, bell: Bell, metrics: Metrics) -> None:
    assert not bell.heard()
    assert call(server, "geheim") == 204
    assert call(server, "geheim") == 204
    assert bell.heard()
    assert not bell.heard()
    assert metrics.value("streamal_label_studio_webhooks_total", {"outcome": "accepted"}) == 2


@pytest.mark.parametrize("secret", [None, "", "guessed", "geheim2"])
def test_a_call_without_the_secret_is_refused(
    server: WebhookServer, bell: Bell, metrics: Metrics, secret: str | None
) -> None:
    assert call(server, secret) == 403
    assert not bell.heard()
    assert metrics.value("streamal_label_studio_webhooks_total", {"outcome": "refused"}) == 1


def test_nothing_else_is_served(server: WebhookServer, bell: Bell) -> None:
    assert call(server, "geheim", "/") == 404
    assert httpx.get(f"http://127.0.0.1:{server.port}{WEBHOOK_PATH}").status_code == 405
    assert not bell.heard()


def test_without_a_secret_everybody_rings(bell: Bell, metrics: Metrics) -> None:
    open_to_all = WebhookServer(webhook_app(None, bell, metrics), host="127.0.0.1", port=0)
    open_to_all.start()
    try:
        assert call(open_to_all, None) == 204
        assert bell.heard()
    finally:
        open_to_all.close()


def test_a_port_that_is_taken_is_named(server: WebhookServer, bell: Bell, metrics: Metrics) -> None:
    with pytest.raises(SettingsInvalid, match=rf"label_studio\.webhook_port = {server.port}"):
        WebhookServer(webhook_app(None, bell, metrics), host="127.0.0.1", port=server.port)
