"""Sockets for kafka-python that lose nothing and leave nothing behind.

kafka-python 3.0 throws away what it has read when the end of the connection comes with it; brokers
refuse a login in just that way, so the reason would never be seen. And it forgets the socket of an
attempt that failed or was given up; an outage makes many.
"""

from __future__ import annotations

import socket
import ssl

from kafka.net.inet import KafkaNetSocket

__all__ = ["DIRECT_URL", "DirectConnector", "TlsSocket"]

#: As a proxy's address this has kafka-python connect through `DirectConnector`.
DIRECT_URL = "direct://"


class PlainSocket(socket.socket):
    """Tells of the end of the connection only in a read of its own; closes when forgotten."""

    _just_read = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`; between data and the end it once claims that nothing is there."""
        before, self._just_read = self._just_read, False
        data = super().recv(size, flags)
        if not data and before:
            raise BlockingIOError
        self._just_read = bool(data)
        return data

    def __del__(self) -> None:
        self.close()


class TlsSocket(ssl.SSLSocket):
    """As `PlainSocket`, encrypted."""

    _just_read = False

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        """As `SSLSocket.recv`; between data and the end it once claims that nothing is there."""
        before, self._just_read = self._just_read, False
        data = super().recv(size, flags)
        if not data and before:
            raise ssl.SSLWantReadError
        self._just_read = bool(data)
        return data

    def __del__(self) -> None:
        self.close()


class DirectConnector(KafkaNetSocket):  # type: ignore[misc] # kafka-python has no types
    """Connects without any proxy; kafka-python finds it by the scheme of `DIRECT_URL`."""

    SCHEMES = ("direct",)

    def socket(self, family: int, sock_type: int, proto: int) -> PlainSocket:
        """The socket for one attempt."""
        return PlainSocket(family, sock_type, proto)
