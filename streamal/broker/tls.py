"""The TLS settings as Python wants them."""

from __future__ import annotations

import ssl

from streamal.broker.connection import KafkaConnection
from streamal.errors import SettingsInvalid

__all__ = ["tls_context"]


def tls_context(connection: KafkaConnection) -> ssl.SSLContext:
    """A context for these settings, its files read.

    Raises:
        SettingsInvalid: a file cannot be read, or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = connection.ssl_check_hostname
    try:
        if connection.ssl_cafile is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(connection.ssl_cafile)
    except OSError as error:
        raise SettingsInvalid(f"ssl_cafile: {connection.ssl_cafile}: {error}") from error
    if connection.ssl_certfile is not None:
        _load_certificate(context, connection)
    return context


def _load_certificate(context: ssl.SSLContext, connection: KafkaConnection) -> None:
    # Without any password OpenSSL would ask for one on the terminal, and a service would hang.
    password = connection.ssl_password or ""
    try:
        context.load_cert_chain(connection.ssl_certfile or "", connection.ssl_keyfile, password)
    except OSError as error:
        raise SettingsInvalid(
            f"ssl_certfile, ssl_keyfile, ssl_password: do not fit together: {error}"
        ) from error
