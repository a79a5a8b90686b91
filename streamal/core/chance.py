"""Randomness as a hash of the event, never a generator's state (docs/decisions/0001).

A replayed event draws the same number, replicas agree, and a preview needs no rewind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Final

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
    return draws(seed, purpose)(event_id)


@lru_cache(maxsize=1024)
def draws(seed: int, purpose: str) -> Callable[[str], float]:
    """`draw` for one purpose, for whom each of many events waits: half the time.

    Args:
        seed: as for `draw`.
        purpose: as for `draw`.

    Returns:
        Event id to a uniform number in [0, 1).

    >>> draws(7, "query")("order-1") == draw(7, "order-1", "query")
    True
    """
    hashed = blake2b(digest_size=_DIGEST.size, key=str(seed).encode())
    hashed.update(f"{purpose}\x00".encode("utf-8", "surrogatepass"))
    begun, unpack = hashed.copy, _DIGEST.unpack

    def drawn(event_id: str) -> float:
        hashed = begun()
        hashed.update(event_id.encode("utf-8", "surrogatepass"))
        number: int = unpack(hashed.digest())[0]
        return (number >> _EXCESS) * _UNIT

    return drawn
