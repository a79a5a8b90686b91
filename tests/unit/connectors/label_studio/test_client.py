"""What the client makes of Label Studio's answers."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from streamal.connectors.label_studio.client import LabelStudioClient
from streamal.errors import (
    Fatal,
    LabelStudioRefused,
    LabelStudioUnavailable,
    StreamalError,
    Unauthorized,
)
from tests.support.studio_fake import LEGACY_TOKEN, PERSONAL_TOKEN, FakeStudio


def client_of(studio: FakeStudio, token: str = PERSONAL_TOKEN) -> LabelStudioClient:
    return LabelStudioClient("http://studio/", token, 5, studio.transport())


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> LabelStudioClient:
    return LabelStudioClient("http://studio", LEGACY_TOKEN, 5, httpx.MockTransport(answer))


def test_a_personal_token_is_exchanged_once() -> None:
    studio = FakeStudio()
    client = client_of(studio)
    assert client.people() == {1: "ann@example.com"}
    client.people()
    assert studio.requests.count("POST /api/token/refresh/") == 1


def test_an_access_token_that_ran_out_is_exchanged_again() -> None:
    studio = FakeStudio()
    client = client_of(studio)
    client.people()
    studio.access = "access-2"
    assert client.people() == {1: "ann@example.com"}
    assert studio.requests.count("POST /api/token/refresh/") == 2


def test_a_legacy_token_is_sent_as_it_is() -> None:
    studio = FakeStudio()
    assert client_of(studio, LEGACY_TOKEN).people() == {1: "ann@example.com"}
    assert "POST /api/token/refresh/" not in studio.requests


@pytest.mark.parametrize("token", ["wrong", "wrong.wrong.wrong"])
def test_a_wrong_token_is_named(token: str) -> None:
    with pytest.raises(Unauthorized, match=r"label_studio\.token"):
        client_of(FakeStudio(), token).people()


def test_the_path_of_the_address_is_kept() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=[])

    transport = httpx.MockTransport(answer)
    LabelStudioClient("http://host/studio/", LEGACY_TOKEN, 5, transport).people()
    assert asked == ["http://host/studio/api/users/"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, LabelStudioRefused),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, Fatal),
        (408, LabelStudioUnavailable),
        (429, LabelStudioUnavailable),
        (500, LabelStudioUnavailable),
        (503, LabelStudioUnavailable),
    ],
)
def test_each_status_has_its_policy(status: int, error: type[StreamalError]) -> None:
    client = answering(lambda _: httpx.Response(status, json={"detail": "the reason"}))
    with pytest.raises(error, match=f"{status}.*the reason"):
        client.people()


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_no_answer_passes_by_itself(fault: type[httpx.TransportError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise fault("", request=request)

    with pytest.raises(LabelStudioUnavailable, match=fault.__name__):
        answering(fail).people()


@pytest.mark.parametrize("body", [b"<html>hello</html>", b'{"no": "list"}', b'[{"email": 1}]'])
def test_an_answer_of_something_else_is_fatal(body: bytes) -> None:
    client = answering(lambda _: httpx.Response(200, content=body))
    with pytest.raises(Fatal, match=r"label_studio\.url"):
        client.people()


def test_a_title_must_match_exactly() -> None:
    studio = FakeStudio()
    client = client_of(studio)
    client.create_project({"title": "mail 2"})
    assert client.project_titled("mail") is None
    first = client.create_project({"title": "mail"})
    client.create_project({"title": "mail"})
    found = client.project_titled("mail")
    assert found is not None
    assert found.id == first.id


def test_a_project_that_is_gone() -> None:
    assert client_of(FakeStudio()).project(5) is None


def test_pages_go_by_id() -> None:
    studio = FakeStudio()
    for number in range(250):
        studio.add_task(1, {"event_id": f"e{number}"})
    pages = list(client_of(studio).tasks(1))
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [task.event_id for page in pages for task in page] == [f"e{n}" for n in range(250)]


def test_tasks_of_others_have_no_event() -> None:
    studio = FakeStudio()
    studio.add_task(1, {"text": "mine"})
    studio.add_task(1, {"event_id": 7})
    ((first, second),) = client_of(studio).tasks(1)
    assert first.event_id is None
    assert second.event_id is None


def test_an_address_that_is_refused() -> None:
    studio = FakeStudio(private_webhooks=False)
    with pytest.raises(LabelStudioRefused, match="reserved address"):
        client_of(studio).save_webhook(None, {"url": "http://10.0.0.1/label-studio"})
