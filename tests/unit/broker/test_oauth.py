"""Tokens: fetched when needed, kept while fresh."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs
from urllib.request import Request

import pytest

from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka.tokens import token_provider
from streamal.broker.oauth import ClientCredentials
from streamal.errors import SettingsInvalid


class Endpoint:
    """Stands in for `urlopen`."""

    def __init__(self, answer: dict[str, object]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def __call__(self, request: Request, timeout: float) -> io.BytesIO:
        assert timeout > 0
        self.requests.append(request)
        return io.BytesIO(json.dumps(self.answer).encode())


class Seconds:
    """A clock that never jumps by itself."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def source(
    monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, scope: str = ""
) -> tuple[ClientCredentials, Seconds]:
    monkeypatch.setattr("streamal.broker.oauth.urlopen", endpoint)
    clock = Seconds()
    made = ClientCredentials("https://login.example/token", "id:1", "p w", scope, clock)
    return made, clock


def test_the_request_is_a_client_credentials_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint({"access_token": "t", "expires_in": 60})
    tokens, _ = source(monkeypatch, endpoint, scope="kafka")

    assert tokens.token() == "t"

    (request,) = endpoint.requests
    assert isinstance(request.data, bytes)
    form = parse_qs(request.data.decode())
    assert form == {"grant_type": ["client_credentials"], "scope": ["kafka"]}
    assert request.get_header("Authorization") == "Basic aWQlM0ExOnArdw=="  # id%3A1:p+w


def test_a_token_is_kept_for_most_of_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint({"access_token": "t", "expires_in": 100})
    tokens, clock = source(monkeypatch, endpoint)

    for now, fetched in ((0, 1), (79, 1), (81, 2), (160, 2), (162, 3)):
        clock.now = now
        tokens.token()
        assert len(endpoint.requests) == fetched


def test_an_answer_without_a_token_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, _ = source(monkeypatch, Endpoint({"error": "invalid_client"}))

    with pytest.raises(ValueError, match="access_token"):
        tokens.token()


class Static:
    """What a factory makes."""

    def token(self) -> str:
        return "from the factory"


def test_a_factory_by_its_dotted_name_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.made_here", Static, raising=False)
    target = "json:made_here"

    provider = token_provider(KafkaConnection(oauth_token_factory=target))

    assert provider.token() == "from the factory"


@pytest.mark.parametrize("target", ["no_such_module:factory", "json:no_such", "json:JSONDecoder"])
def test_a_factory_that_makes_no_tokens_is_a_settings_error(target: str) -> None:
    with pytest.raises(SettingsInvalid, match="oauth_token_factory"):
        token_provider(KafkaConnection(oauth_token_factory=target))
