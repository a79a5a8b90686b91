"""Tokens for SASL OAUTHBEARER."""

from __future__ import annotations

import base64
import importlib
import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlencode
from urllib.request import Request, urlopen

from streamal.broker.connection import KafkaConnection
from streamal.errors import SettingsInvalid

__all__ = ["ASSUMED_LIFE_SECONDS", "ClientCredentials", "TokenSource", "refusal", "token_source"]

#: Clients ask for a token on a network thread, and heartbeats wait meanwhile.
ENDPOINT_LIMIT_SECONDS = 5.0
#: Part of a token's life after which a new one is fetched, so that none expires on its way.
USED_LIFE = 0.8
#: Life of a token whose endpoint does not say (RFC 6749 only recommends that it does).
ASSUMED_LIFE_SECONDS = 300.0


class TokenSource(Protocol):
    """What `oauth_token_factory` makes."""

    def token(self) -> str:
        """A token that is valid now."""


class ClientCredentials:
    """Fetches tokens with the client-credentials grant (RFC 6749, 4.4) and keeps them while fresh.

    Args:
        url: the token endpoint.
        client_id: sent with the secret as HTTP Basic authentication.
        client_secret: see `client_id`.
        scope: asked for; empty asks for the endpoint's default.
        monotonic: seconds on a clock that never jumps.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        self._basic = base64.b64encode(pair.encode()).decode()
        self._scope = scope
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._fresh_until = float("-inf")

    def token(self) -> str:
        """The kept token, or a new one once it has used up most of its life.

        Raises:
            OSError: the endpoint does not answer, or refuses.
            ValueError: its answer holds no token.
        """
        with self._lock:
            if self._monotonic() >= self._fresh_until:
                self._token, life = self._fetch()
                self._fresh_until = self._monotonic() + USED_LIFE * life
            return self._token

    def seconds_left(self) -> float:
        """For how long `token` will go on returning the kept token."""
        return self._fresh_until - self._monotonic()

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"}
        if self._scope:
            form["scope"] = self._scope
        request = Request(  # noqa: S310 - KafkaConnection.problems admits only http(s)
            self._url,
            data=urlencode(form).encode(),
            headers={"Authorization": f"Basic {self._basic}", "Accept": "application/json"},
        )
        with urlopen(request, timeout=ENDPOINT_LIMIT_SECONDS) as response:  # noqa: S310 - as above
            answer = json.load(response)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise ValueError(f"{self._url} answered without an access_token")
        return token, float(answer.get("expires_in", ASSUMED_LIFE_SECONDS))


def token_source(connection: KafkaConnection) -> TokenSource:
    """The source that the connection's settings describe.

    Raises:
        SettingsInvalid: the factory cannot be imported or makes something else.
    """
    if connection.oauth_token_factory is not None:
        return _made(connection.oauth_token_factory)
    return ClientCredentials(
        connection.oauth_token_url or "",
        connection.oauth_client_id or "",
        connection.oauth_client_secret or "",
        connection.oauth_scope,
    )


def refusal(error: Exception) -> str | None:
    """What a token endpoint said when it refused us; None for an error that may pass."""
    if isinstance(error, HTTPError):
        error.close()
        if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"no token from {error.url}: {error}"
    return None


def _made(target: str) -> TokenSource:
    module, _, name = target.partition(":")
    try:
        source = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError) as error:
        raise SettingsInvalid(f"oauth_token_factory: {target}: {error}") from error
    if not callable(getattr(source, "token", None)):
        raise SettingsInvalid(f"oauth_token_factory: {target} makes nothing with a token() method")
    made: TokenSource = source
    return made
