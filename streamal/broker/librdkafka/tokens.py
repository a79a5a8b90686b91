"""Tokens for SASL OAUTHBEARER, shown to librdkafka."""

from __future__ import annotations

import base64
import json
import time

from streamal.broker.connection import KafkaConnection
from streamal.broker.oauth import ASSUMED_LIFE_SECONDS, ClientCredentials, refusal, token_source
from streamal.errors import BrokerUnavailable, Unauthorized

__all__ = ["Tokens"]


class Tokens:
    """What librdkafka calls for a token; all clients of a broker share one.

    Raises:
        SettingsInvalid: the factory cannot be imported or makes something else.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        self._source = token_source(connection)

    def __call__(self, _: str) -> tuple[str, float]:
        """A token, and when it ends, in seconds since the Unix epoch."""
        token = self._source.token()
        if isinstance(self._source, ClientCredentials):
            return token, time.time() + max(1.0, self._source.seconds_left())
        return token, _expiry(token)

    def check(self) -> None:
        """Get a token: librdkafka would wait for ten seconds before it says that it has none.

        Raises:
            Unauthorized: the endpoint refuses us.
            BrokerUnavailable: it does not answer, or not with a token.
        """
        try:
            self._source.token()
        except (OSError, ValueError) as error:
            if said := refusal(error):
                raise Unauthorized(f"logging in: {said}") from error
            raise BrokerUnavailable(f"logging in: no token: {error}") from error


def _expiry(token: str) -> float:
    """What a JSON web token says of its end; of another kind a guess."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return time.time() + ASSUMED_LIFE_SECONDS
