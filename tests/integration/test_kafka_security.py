"""Every security setting against a real broker that enforces it."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import pytest

from streamal.broker.connection import ClientLibrary, KafkaConnection, SaslMechanism
from streamal.broker.opening import kafka_broker
from streamal.errors import BrokerUnavailable, SettingsInvalid, Unauthorized
from streamal.ports import TopicPartition, TopicSpec

pytestmark = pytest.mark.kafka

USERS = {"alice": "alice-secret", "bob": "bob-secret"}
KEY_PASSPHRASE = "key-secret"  # noqa: S105 - of a key that this module makes
CLIENT_SECRET = "our-secret"  # noqa: S105 - of a server that this module runs
WRONG = "wrong"


def openssl(*arguments: str, cwd: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)  # noqa: S607 - found on the PATH


def make_certificate(folder: Path, name: str) -> None:
    """`name.key`, and `name.crt` signed by `ca.crt`, valid for the loopback address."""
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}")
    openssl(*request, "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=folder)
    authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial")
    signing = ("x509", "-req", *authority, "-days", "2", "-extfile", "extensions")
    openssl(*signing, "-in", f"{name}.csr", "-out", f"{name}.crt", cwd=folder)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, and certificates of it for the broker and for a client."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    for name in ("ca", "stranger"):
        subject = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
        openssl(*authority, *subject, cwd=folder)
    for name in ("broker", "client"):
        make_certificate(folder, name)
    locked = ("-aes256", "-passout", f"pass:{KEY_PASSPHRASE}", "-out", "locked.key")
    openssl("rsa", "-in", "client.key", *locked, cwd=folder)
    store = (folder / "broker.key").read_text() + (folder / "broker.crt").read_text()
    (folder / "broker.pem").write_text(store)
    return folder


@pytest.fixture(scope="module")
def server(
    local_kafka: ModuleType,
    require_or_skip: Callable[[str, str | None], None],
    certificates: Path,
) -> Iterator[Any]:
    """A broker with an open, a SASL and an mTLS listener, and with ACLs."""
    require_or_skip("kafka", local_kafka.missing_tools())
    security = local_kafka.Security(
        users=USERS,
        keystore=certificates / "broker.pem",
        truststore=certificates / "ca.crt",
        acls=True,
    )
    with local_kafka.LocalKafka(security=security) as running:
        yield running


@pytest.fixture(scope="module", params=["kafka-python", "librdkafka"])
def client(request: pytest.FixtureRequest) -> ClientLibrary:
    """Each library that talks to Kafka."""
    chosen: ClientLibrary = request.param
    return chosen


@pytest.fixture(scope="module")
def sasl(server: Any, client: ClientLibrary) -> KafkaConnection:  # noqa: ANN401 - LocalKafka is loaded from a path
    """Settings for alice."""
    return KafkaConnection(
        client=client,
        bootstrap_servers=(f"127.0.0.1:{server.sasl_port}",),
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="alice",
        sasl_password=USERS["alice"],
        request_timeout_seconds=5.0,
    )


@pytest.fixture(scope="module")
def tls(server: Any, certificates: Path, client: ClientLibrary) -> KafkaConnection:  # noqa: ANN401 - see above
    """Settings for the client with a certificate."""
    return KafkaConnection(
        client=client,
        bootstrap_servers=(f"127.0.0.1:{server.ssl_port}",),
        security_protocol="SSL",
        ssl_cafile=certificates / "ca.crt",
        ssl_certfile=certificates / "client.crt",
        ssl_keyfile=certificates / "client.key",
        request_timeout_seconds=2.0,
    )


@pytest.fixture(scope="module")
def topic(server: Any) -> str:  # noqa: ANN401 - see above
    """A topic that alice, the certificate's owner and the token's owner may use, and bob not."""
    import kafka  # noqa: PLC0415 - not in a run without Kafka
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType  # noqa: PLC0415 - see above

    name = f"secured-{uuid.uuid4().hex[:8]}"
    admin = kafka.KafkaAdminClient(bootstrap_servers=server.bootstrap)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    admin.wait_for_topics([name])
    everything = [
        ResourcePattern(ResourceType.TOPIC, name),
        ResourcePattern(ResourceType.GROUP, "group"),
        ResourcePattern(ResourceType.TRANSACTIONAL_ID, "id"),
    ]
    admin.create_acls(
        [
            ACL(f"User:{owner}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, resource)
            for owner in ("alice", "CN=client", "token-owner")
            for resource in everything
        ]
    )
    admin.close()
    return name


def round_trip(connection: KafkaConnection, topic: str) -> None:
    """Write in a transaction and read as a member of a group."""
    broker = kafka_broker(connection)
    value = uuid.uuid4().bytes
    try:
        producer = broker.transactional_producer("id")
        member = broker.consumer(group="group")
        member.subscribe([topic])
        producer.begin()
        producer.send(topic, value, key=b"k")
        producer.commit()
        found: list[bytes | None] = []
        deadline = time.monotonic() + 15
        while value not in found:
            assert time.monotonic() < deadline
            found += [record.value for record in member.poll(0.2, 100)]
        assert broker.admin().describe_topics([topic])[topic].partitions == 1
    finally:
        broker.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_passwords_are_accepted(
    sasl: KafkaConnection, topic: str, mechanism: SaslMechanism
) -> None:
    round_trip(replace(sasl, sasl_mechanism=mechanism), topic)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_unauthorized_at_once(
    sasl: KafkaConnection, topic: str, mechanism: SaslMechanism
) -> None:
    started = time.monotonic()
    with pytest.raises(Unauthorized):
        round_trip(replace(sasl, sasl_mechanism=mechanism, sasl_password=WRONG), topic)
    assert time.monotonic() - started < 30


def test_a_client_certificate_is_accepted(tls: KafkaConnection, topic: str) -> None:
    round_trip(tls, topic)


def test_a_locked_key_opens_with_its_password_and_nothing_else(
    tls: KafkaConnection, topic: str, certificates: Path
) -> None:
    locked = replace(tls, ssl_keyfile=certificates / "locked.key")

    round_trip(replace(locked, ssl_password=KEY_PASSPHRASE), topic)
    for wrong in (WRONG, None):
        with pytest.raises(SettingsInvalid, match="ssl_password"):
            round_trip(replace(locked, ssl_password=wrong), topic)


def test_a_broker_of_another_authority_is_not_trusted(
    tls: KafkaConnection, topic: str, certificates: Path
) -> None:
    with pytest.raises(BrokerUnavailable, match="certificate is not trusted"):
        round_trip(replace(tls, ssl_cafile=certificates / "stranger.crt"), topic)


def test_the_host_name_is_checked_unless_told_otherwise(tls: KafkaConnection, topic: str) -> None:
    address = tls.bootstrap_servers[0].replace("127.0.0.1", "localhost")
    by_name = replace(tls, bootstrap_servers=(address,))

    with pytest.raises(BrokerUnavailable, match="certificate is not trusted"):
        round_trip(by_name, topic)
    round_trip(replace(by_name, ssl_check_hostname=False), topic)


def test_without_a_client_certificate_nobody_gets_in(tls: KafkaConnection, topic: str) -> None:
    with pytest.raises(BrokerUnavailable, match="client certificate"):
        round_trip(replace(tls, ssl_certfile=None, ssl_keyfile=None), topic)


def test_the_wrong_protocol_is_named(sasl: KafkaConnection, topic: str) -> None:
    plain = KafkaConnection(
        client=sasl.client,
        bootstrap_servers=sasl.bootstrap_servers,
        request_timeout_seconds=2.0,
    )
    with pytest.raises(BrokerUnavailable, match="does not speak Kafka PLAINTEXT"):
        round_trip(plain, topic)


class TokenEndpoint(BaseHTTPRequestHandler):
    """Grants unsigned tokens (RFC 7519, 6) to one client; the broker accepts those."""

    granted = 0

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = base64.b64encode(f"our-client:{CLIENT_SECRET}".encode()).decode()
        welcome = self.headers["Authorization"] == f"Basic {basic}"
        assert form["grant_type"] == ["client_credentials"]
        self.send_response(200 if welcome else 401)
        self.end_headers()
        if welcome:
            type(self).granted += 1
            now = int(time.time())
            claims = {"sub": "token-owner", "iat": now - 1, "exp": now + 300}
            parts = [_part({"alg": "none"}), _part(claims), ""]
            answer = {"access_token": ".".join(parts), "expires_in": 300}
            self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: pytest shows what matters."""


def _part(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


@pytest.fixture
def oauth(sasl: KafkaConnection) -> Iterator[KafkaConnection]:
    """Settings for the token's owner."""
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    thread = threading.Thread(target=endpoint.serve_forever)
    thread.start()
    yield replace(
        sasl,
        sasl_mechanism="OAUTHBEARER",
        sasl_username=None,
        sasl_password=None,
        oauth_token_url=f"http://127.0.0.1:{endpoint.server_port}/token",
        oauth_client_id="our-client",
        oauth_client_secret=CLIENT_SECRET,
        request_timeout_seconds=3.0,
    )
    endpoint.shutdown()
    endpoint.server_close()
    thread.join()


def test_tokens_are_fetched_accepted_and_shared(oauth: KafkaConnection, topic: str) -> None:
    before = TokenEndpoint.granted

    round_trip(oauth, topic)

    assert 1 <= TokenEndpoint.granted - before <= 3, "one for each client, not for each connection"


def test_a_refused_token_request_is_not_a_silent_wait(oauth: KafkaConnection, topic: str) -> None:
    with pytest.raises(Unauthorized, match="401"):
        round_trip(replace(oauth, oauth_client_secret=WRONG), topic)


@pytest.fixture
def bob(sasl: KafkaConnection) -> KafkaConnection:
    """A user whom the broker knows and no ACL allows anything."""
    return replace(sasl, sasl_username="bob", sasl_password=USERS["bob"])


def test_missing_permissions_are_named(bob: KafkaConnection, topic: str) -> None:
    broker = kafka_broker(bob)
    partition = TopicPartition(topic, 0)
    reader = broker.consumer()
    reader.assign([partition])
    member = broker.consumer(group="group")
    plain = broker.producer()

    def write() -> None:
        plain.send(topic, b"v", key=b"k")
        plain.flush()

    def join() -> None:
        member.subscribe([topic])
        for _ in range(10):
            member.poll(1.0, 1)

    forbidden: dict[str, Callable[[], object]] = {
        "write": write,
        "read": lambda: [reader.poll(1.0, 1) for _ in range(10)],
        "group": join,
        "id": lambda: broker.transactional_producer("id"),
        "describe": lambda: broker.admin().describe_topics([topic]),
        "create": lambda: broker.admin().create_topics([TopicSpec("new", partitions=1)]),
    }
    for what, call in forbidden.items():
        with pytest.raises(Unauthorized) as caught:
            call()
        named = {"id": ("'id'",), "create": ("new",), "group": ("'group'", topic)}
        text = str(caught.value)
        assert any(name in text for name in named.get(what, (topic,))), (what, text)
    broker.close()
