"""How to reach a Kafka cluster, and whether the settings for it fit together."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

__all__ = [
    "ClientLibrary",
    "Compression",
    "KafkaConnection",
    "SaslMechanism",
    "SecurityProtocol",
]

SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
ClientLibrary: TypeAlias = Literal["kafka-python", "librdkafka"]
Compression: TypeAlias = Literal["none", "gzip", "lz4", "snappy", "zstd"]

#: What a codec needs besides kafka-python; the extra `streamal[compression]` brings them, and
#: librdkafka brings its own.
_CODEC_MODULES = {"lz4": "lz4", "snappy": "snappy", "zstd": "zstandard"}
#: kafka-python long-polls for half a second and refuses a request limit that is not above it.
_SHORTEST_REQUEST_SECONDS = 0.5
#: kafka-python closes idle connections after nine minutes and refuses a request limit above that.
_LONGEST_REQUEST_SECONDS = 540.0


@dataclass(frozen=True, kw_only=True)
class KafkaConnection:
    """Everything that a Kafka client needs to know; `problems` says what is wrong with it.

    Attributes:
        client: the library that talks to the cluster.
        bootstrap_servers: `host:port` of some brokers; the rest are learned from them.
        client_id: the name that the brokers' logs and quotas show.
        security_protocol: whether to encrypt (SSL) and to log in (SASL).
        sasl_mechanism: how to log in.
        sasl_username: for PLAIN and SCRAM.
        sasl_password: for PLAIN and SCRAM.
        oauth_token_url: endpoint that grants tokens for client credentials (RFC 6749, 4.4).
        oauth_client_id: for that endpoint.
        oauth_client_secret: for that endpoint.
        oauth_scope: asked of that endpoint; empty asks for its default.
        oauth_token_factory: instead of an endpoint, `package.module:factory` of a callable without
            arguments whose result has a method `token() -> str`.
        ssl_cafile: PEM file with the authorities to trust; None trusts the system's.
        ssl_certfile: PEM file with our certificate, for brokers that ask for one (mTLS).
        ssl_keyfile: PEM file with its private key.
        ssl_password: of the private key.
        ssl_check_hostname: whether the broker's certificate must name the host.
        request_timeout_seconds: how long any one call may take before the broker counts as away,
            in (0.5, 540).
        session_timeout_seconds: silence after which a group expels a member.
        max_poll_interval_seconds: time between two polls after which a group expels a member.
        transaction_timeout_seconds: age at which the cluster aborts an open transaction.
        compression: of what is produced; reading knows all codecs that are installed.
        max_message_bytes: largest record that is sent; topics have limits of their own.
        linger_seconds: how long a record may wait for others to share its request.
        metadata_max_age_seconds: after this long, new partitions and brokers are noticed.
    """

    client: ClientLibrary = "kafka-python"
    bootstrap_servers: tuple[str, ...] = ("localhost:9092",)
    client_id: str = "streamal"
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = field(default=None, repr=False)
    oauth_scope: str = ""
    oauth_token_factory: str | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_password: str | None = field(default=None, repr=False)
    ssl_check_hostname: bool = True
    request_timeout_seconds: float = 30.0
    session_timeout_seconds: float = 45.0
    max_poll_interval_seconds: float = 300.0
    transaction_timeout_seconds: float = 60.0
    compression: Compression = "none"
    max_message_bytes: int = 10 * 1024 * 1024
    linger_seconds: float = 0.005
    metadata_max_age_seconds: float = 60.0

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def authenticated(self) -> bool:
        """Whether connections log in with SASL."""
        return self.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    def problems(self) -> tuple[str, ...]:
        """One line per setting that is wrong or does not fit another; empty when all is well."""
        return (
            *self._client_problems(),
            *self._address_problems(),
            *self._sasl_problems(),
            *self._oauth_problems(),
            *self._tls_problems(),
            *self._limit_problems(),
        )

    def _client_problems(self) -> Iterator[str]:
        if self.client not in get_args(ClientLibrary):
            yield f"client: {self.client!r} is not {_any(ClientLibrary)}"
        if self.client == "librdkafka" and importlib.util.find_spec("confluent_kafka") is None:
            yield (
                "client: librdkafka needs the package confluent-kafka; "
                "pip install 'streamal[librdkafka]'"
            )

    def _address_problems(self) -> Iterator[str]:
        if not self.bootstrap_servers:
            yield "bootstrap_servers: needs at least one host:port"
        for server in self.bootstrap_servers:
            host, colon, port = server.rpartition(":")
            if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
                yield f"bootstrap_servers: {server!r} is not host:port"
        if self.security_protocol not in get_args(SecurityProtocol):
            yield f"security_protocol: {self.security_protocol!r} is not {_any(SecurityProtocol)}"

    def _sasl_problems(self) -> Iterator[str]:
        if not self.authenticated:
            if self.sasl_mechanism is not None:
                yield (
                    f"sasl_mechanism: {self.sasl_mechanism} is never used with security_protocol "
                    f"{self.security_protocol}; set SASL_SSL or SASL_PLAINTEXT"
                )
            return
        if self.sasl_mechanism is None:
            yield f"sasl_mechanism: {self.security_protocol} needs {_any(SaslMechanism)}"
        elif self.sasl_mechanism not in get_args(SaslMechanism):
            yield f"sasl_mechanism: {self.sasl_mechanism!r} is not {_any(SaslMechanism)}"
        elif self.sasl_mechanism != "OAUTHBEARER":
            for name in ("sasl_username", "sasl_password"):
                if not getattr(self, name):
                    yield f"{name}: {self.sasl_mechanism} needs one"

    def _oauth_problems(self) -> Iterator[str]:
        if not self.authenticated or self.sasl_mechanism != "OAUTHBEARER":
            return
        if (self.oauth_token_url is None) == (self.oauth_token_factory is None):
            yield "oauth_token_url, oauth_token_factory: OAUTHBEARER needs exactly one of the two"
        if self.oauth_token_url is not None:
            url = urlsplit(self.oauth_token_url)
            if url.scheme not in ("http", "https") or not url.netloc:
                yield f"oauth_token_url: {self.oauth_token_url!r} is not an http(s) address"
            for name in ("oauth_client_id", "oauth_client_secret"):
                if not getattr(self, name):
                    yield f"{name}: oauth_token_url needs one"
        if self.oauth_token_factory is not None and not _is_dotted(self.oauth_token_factory):
            yield f"oauth_token_factory: {self.oauth_token_factory!r} is not package.module:factory"

    def _tls_problems(self) -> Iterator[str]:
        files = {
            name: getattr(self, name) for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
        }
        for name, path in files.items():
            if path is not None and not path.is_file():
                yield f"{name}: {path} is not a file"
            if path is not None and not self.encrypted:
                yield (
                    f"{name}: is never used with security_protocol {self.security_protocol}; "
                    "set SSL or SASL_SSL"
                )
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            yield "ssl_certfile, ssl_keyfile: one needs the other"

    def _limit_problems(self) -> Iterator[str]:
        for name in (
            "session_timeout_seconds",
            "max_poll_interval_seconds",
            "transaction_timeout_seconds",
            "metadata_max_age_seconds",
            "max_message_bytes",
        ):
            if not getattr(self, name) > 0:
                yield f"{name}: {getattr(self, name)} is not above 0"
        if not self.linger_seconds >= 0:
            yield f"linger_seconds: {self.linger_seconds} is below 0"
        if not _SHORTEST_REQUEST_SECONDS < self.request_timeout_seconds < _LONGEST_REQUEST_SECONDS:
            yield (
                f"request_timeout_seconds: {self.request_timeout_seconds} is not between "
                f"{_SHORTEST_REQUEST_SECONDS} and {_LONGEST_REQUEST_SECONDS}"
            )
        if self.max_poll_interval_seconds < self.session_timeout_seconds:
            yield (
                f"max_poll_interval_seconds: {self.max_poll_interval_seconds} is below "
                f"session_timeout_seconds ({self.session_timeout_seconds})"
            )
        if self.compression not in get_args(Compression):
            yield f"compression: {self.compression!r} is not {_any(Compression)}"
        module = _CODEC_MODULES.get(self.compression)
        if self.client == "librdkafka" or module is None:
            return
        if importlib.util.find_spec(module) is None:
            yield (
                f"compression: {self.compression} needs the package {module}; "
                "install streamal[compression]"
            )


def _any(choices: object) -> str:
    return "one of " + ", ".join(get_args(choices))


def _is_dotted(target: str) -> bool:
    module, colon, name = target.partition(":")
    return bool(colon) and name.isidentifier() and all(p.isidentifier() for p in module.split("."))
