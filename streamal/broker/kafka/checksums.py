"""Which implementation kafka-python computes the checksums of records with.

Every batch that is read or written carries a CRC-32C. kafka-python takes the package `crc32c` where
it can be imported, and silently its own loop over bytes where not, which costs more CPU than all
the rest of a poll.
"""

from __future__ import annotations

from kafka.record import util

__all__ = ["checksum_warnings"]


def checksum_warnings() -> list[str]:
    """One line if kafka-python has not bound the compiled checksum; else none."""
    if _bound() is not util.crc32c_py:
        return []
    line = (
        "kafka-python computes checksums in Python, at several times the CPU of reading the "
        "records: the package crc32c is missing or cannot be loaded; install it again"
    )
    return [line]


def _bound() -> object:
    """What the function that kafka-python's batches call was bound to when it was defined."""
    (implementation,) = util.calc_crc32c.__defaults__
    return implementation
