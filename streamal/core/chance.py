"""Randomness as a hash of the event, never a generator's state (docs/decisions/0001).

A replayed event draws the same number, replicas agree, and a preview needs no rewind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Final

import numpy as np

__all__ = ["draw", "draws"]

_DIGEST: Final = Struct(">Q")
#: 53 bits of 64 fill a double's mantissa exactly: every draw is a multiple of 2**-53 in [0, 1).
_EXCESS: Final = 64 - 53
_UNIT: Final = 2.0**-53


def draw(seed: int, event_id: str, purpose: str) -> float:
    """A uniform number in [0, 1) that depends on nothing but the arguments.

    Args:
        seed: the pipeline's seed; another seed gives an independent set of draws.
        event_id: identity of the event.
        purpose: what the number decides; draws for different purposes are independent.

    >>> draw(7, "order-1", "query") == draw(7, "order-1", "query")
    True
    >>> draw(7, "order-1", "query") == draw(7, "order-1", "committee")
    False
    """
    hashed = _begun(seed, purpose)()
    hashed.update(event_id.encode("utf-8", "surrogatepass"))
    number: int = _DIGEST.unpack(hashed.digest())[0]
    return (number >> _EXCESS) * _UNIT


def draws(seed: int, event_ids: Iterable[str], purpose: str) -> list[float]:
    """`draw` for many events at once, in their order.

    >>> draws(7, ["order-1", "order-2"], "query")[1] == draw(7, "order-2", "query")
    True
    """
    begun, digests = _begun(seed, purpose), []
    for event_id in event_ids:
        hashed = begun()
        hashed.update(event_id.encode("utf-8", "surrogatepass"))
        digests.append(hashed.digest())
    numbers = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)
    drawn: list[float] = ((numbers >> np.uint64(_EXCESS)) * _UNIT).tolist()
    return drawn


@lru_cache(maxsize=1024)
def _begun(seed: int, purpose: str) -> Callable[[], blake2b]:
    """Makes hashes that have taken in all but the event's id: half of the time."""
    hashed = blake2b(digest_size=_DIGEST.size, key=str(seed).encode())
    hashed.update(f"{purpose}\x00".encode("utf-8", "surrogatepass"))
    return hashed.copy
