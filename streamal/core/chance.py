"""Randomness as a hash of the event, never a generator's state (docs/decisions/0001).

A replayed event draws the same number, replicas agree, and a preview needs no rewind.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["draw"]

#: 53 bits fill a double's mantissa exactly, so every draw is a multiple of 2**-53 in [0, 1).
_BITS = 53


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
    digest = blake2b(
        f"{purpose}\x00{event_id}".encode("utf-8", "surrogatepass"),
        digest_size=8,
        key=str(seed).encode(),
    ).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) * 2.0**-_BITS
