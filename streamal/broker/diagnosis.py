"""Why no broker answers: the cause that a client only logs while it keeps trying."""

from __future__ import annotations

import socket
import ssl

from streamal.broker.connection import KafkaConnection
from streamal.broker.tls import tls_context

__all__ = ["diagnosis"]

#: For each server; somebody waits at a terminal.
TRY_SECONDS = 3.0


def diagnosis(connection: KafkaConnection) -> str:
    """What happens when each bootstrap server is contacted once: one clause per server."""
    found = {server: _try(connection, server) for server in connection.bootstrap_servers}
    return "; ".join(f"{server}: {cause}" for server, cause in found.items())


def _try(connection: KafkaConnection, server: str) -> str:
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    try:
        with socket.create_connection((host, int(port)), TRY_SECONDS) as plain:
            if not connection.encrypted:
                return f"connects, but does not speak Kafka {connection.security_protocol}"
            with tls_context(connection).wrap_socket(plain, server_hostname=host):
                return "TLS works, but Kafka does not answer: does it want a client certificate?"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"TLS failed: {error.reason or error}"
    except OSError as error:
        return str(error.strerror or error)
