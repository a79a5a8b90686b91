"""The latest items as a key and a number each, for strategies that compare within groups."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import Final

import numpy as np

from streamal.core.types import JsonState

__all__ = ["KeyedWindow", "key_of"]

_KEY_BYTES: Final = 4
_LARGEST: Final = float(np.finfo(np.float32).max)


def key_of(*event_ids: str) -> int:
    """Stands for events in a state, where their ids would take ten times the room."""
    data = "\n".join(event_ids).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=_KEY_BYTES).digest(), "little")


class KeyedWindow:
    """The last `size` items; numbers in single precision, so that a state restores what was held.

    Args:
        size: how many items are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._keys = np.empty(0, np.uint32)
        self._values = np.empty(0, np.float32)

    def at_most(self, key: int, value: float) -> tuple[int, int]:
        """How many items have this key and a number of at most `value`, and how many this key.

        Args:
            key: from `key_of`.
            value: finite.
        """
        own = self._values[self._keys == key]
        return int(np.count_nonzero(own <= _single(value))), len(own)

    def add(self, key: int, value: float) -> None:
        """Take in one item, and forget the oldest beyond the window.

        Args:
            key: from `key_of`.
            value: finite.
        """
        self._keys = np.append(self._keys[1 - self._size :], np.uint32(key))
        self._values = np.append(self._values[1 - self._size :], _single(value))

    def state(self) -> JsonState:
        """Keys and numbers in order of arrival: little-endian, base64."""
        return {
            "keys": b64encode(self._keys.astype("<u4").tobytes()).decode(),
            "values": b64encode(self._values.astype("<f4").tobytes()).decode(),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        keys, values = (b64decode(str(state.get(name, ""))) for name in ("keys", "values"))
        self._keys = np.frombuffer(keys, "<u4").astype(np.uint32)
        self._values = np.frombuffer(values, "<f4").astype(np.float32)


def _single(value: float) -> np.float32:
    """As it is held; there is no larger one in single precision."""
    return np.float32(min(value, _LARGEST))
