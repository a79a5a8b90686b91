"""Tokens for SASL OAUTHBEARER, shown to kafka-python."""

from __future__ import annotations

from kafka.errors import SaslAuthenticationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider

from streamal.broker.connection import KafkaConnection
from streamal.broker.oauth import TokenSource, refusal, token_source

__all__ = ["token_provider"]


class _Provider(AbstractTokenProvider):  # type: ignore[misc] # kafka-python has no types
    """Shows a token source to kafka-python."""

    def __init__(self, source: TokenSource) -> None:
        super().__init__()
        self._source = source

    def token(self) -> str:
        try:
            return self._source.token()
        except OSError as error:
            said = refusal(error)
            if said is None:
                raise
            raise SaslAuthenticationFailedError(said) from error


def token_provider(connection: KafkaConnection) -> AbstractTokenProvider:
    """The provider that the connection's settings describe.

    Raises:
        SettingsInvalid: the factory cannot be imported or makes something else.
    """
    return _Provider(token_source(connection))
