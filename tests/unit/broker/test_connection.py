"""Connection settings: each way in which they can be wrong gets its own line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamal.broker.connection import KafkaConnection
from streamal.broker.kafka import KafkaBroker
from streamal.errors import SettingsInvalid

SECRET = "s3cret"  # noqa: S105 - of nothing
PASSWORD: dict[str, Any] = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_username": "alice",
    "sasl_password": SECRET,
}
TOKEN: dict[str, Any] = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "OAUTHBEARER",
    "oauth_token_url": "https://login.example/token",
    "oauth_client_id": "streamal",
    "oauth_client_secret": SECRET,
}


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "some.pem"
    path.write_text("PEM")
    return path


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bootstrap_servers": ("a.example:9092", "[::1]:9093")},
        {"security_protocol": "SSL"},
        PASSWORD,
        TOKEN,
        {**TOKEN, "oauth_token_url": None, "oauth_token_factory": "package.module:factory"},
        {"compression": "gzip"},
    ],
)
def test_settings_that_fit_have_no_problems(settings: dict[str, Any]) -> None:
    assert KafkaConnection(**settings).problems() == ()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"bootstrap_servers": ()}, "bootstrap_servers: needs"),
        ({"bootstrap_servers": ("kafka",)}, "bootstrap_servers: 'kafka'"),
        ({"bootstrap_servers": ("kafka:http",)}, "bootstrap_servers: 'kafka:http'"),
        ({"bootstrap_servers": ("kafka:70000",)}, "bootstrap_servers: 'kafka:70000'"),
        ({"security_protocol": "TLS"}, "security_protocol: 'TLS'"),
        ({"sasl_mechanism": "PLAIN"}, "sasl_mechanism: PLAIN is never used"),
        ({"security_protocol": "SASL_SSL"}, "sasl_mechanism: SASL_SSL needs"),
        ({**PASSWORD, "sasl_mechanism": "GSSAPI"}, "sasl_mechanism: 'GSSAPI'"),
        ({**PASSWORD, "sasl_username": None}, "sasl_username: SCRAM-SHA-512 needs"),
        ({**PASSWORD, "sasl_password": ""}, "sasl_password: SCRAM-SHA-512 needs"),
        ({**TOKEN, "oauth_token_url": None}, "oauth_token_url, oauth_token_factory: .* one"),
        ({**TOKEN, "oauth_token_factory": "a:b"}, "oauth_token_url, oauth_token_factory: .* one"),
        ({**TOKEN, "oauth_token_url": "file:///etc/passwd"}, "oauth_token_url: .* not an http"),
        ({**TOKEN, "oauth_client_id": None}, "oauth_client_id: .* needs one"),
        ({**TOKEN, "oauth_client_secret": None}, "oauth_client_secret: .* needs one"),
        (
            {**TOKEN, "oauth_token_url": None, "oauth_token_factory": "no colon"},
            "oauth_token_factory: 'no colon'",
        ),
        ({"request_timeout_seconds": 0.1}, "request_timeout_seconds: 0.1"),
        ({"request_timeout_seconds": float("nan")}, "request_timeout_seconds: nan"),
        ({"session_timeout_seconds": 0}, "session_timeout_seconds: 0"),
        ({"session_timeout_seconds": 400}, "max_poll_interval_seconds: 300.0 is below"),
        ({"transaction_timeout_seconds": -1}, "transaction_timeout_seconds: -1"),
        ({"max_message_bytes": 0}, "max_message_bytes: 0"),
        ({"linger_seconds": -0.1}, "linger_seconds: -0.1"),
        ({"compression": "brotli"}, "compression: 'brotli'"),
    ],
)
def test_each_problem_names_its_setting(settings: dict[str, Any], line: str) -> None:
    problems = KafkaConnection(**settings).problems()

    assert len(problems) == 1
    assert re.match(line, problems[0])


def test_files_must_exist_come_in_pairs_and_be_used(pem: Path) -> None:
    connection = KafkaConnection(security_protocol="SSL", ssl_cafile=pem)
    assert connection.problems() == ()

    missing = replace(connection, ssl_cafile=pem / "missing")
    lonely = replace(connection, ssl_certfile=pem)
    unused = replace(connection, security_protocol="PLAINTEXT")

    assert [line.split(":")[0] for line in missing.problems()] == ["ssl_cafile"]
    assert lonely.problems() == ("ssl_certfile, ssl_keyfile: one needs the other",)
    assert "never used" in unused.problems()[0]


def test_a_missing_codec_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    (problem,) = KafkaConnection(compression="zstd").problems()

    assert "streamal[compression]" in problem


def test_all_problems_are_told_at_once() -> None:
    wrong = KafkaConnection(bootstrap_servers=(), linger_seconds=-1, max_message_bytes=0)

    with pytest.raises(SettingsInvalid) as caught:
        KafkaBroker(wrong)

    assert len(caught.value.problems) == 3


def test_secrets_stay_out_of_the_representation() -> None:
    assert SECRET not in repr(KafkaConnection(**PASSWORD))
    assert SECRET not in repr(KafkaConnection(**TOKEN))


def test_files_that_are_no_certificates_are_settings_errors(pem: Path) -> None:
    for connection, named in (
        (KafkaConnection(security_protocol="SSL", ssl_cafile=pem), "ssl_cafile"),
        (
            KafkaConnection(security_protocol="SSL", ssl_certfile=pem, ssl_keyfile=pem),
            "ssl_certfile",
        ),
    ):
        with pytest.raises(SettingsInvalid, match=named):
            KafkaBroker(connection).admin()
