"""The latest items as a key and a number each, for strategies that compare within groups."""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right, insort
from collections import deque
from hashlib import blake2b
from struct import Struct
from typing import Final

import numpy as np

from streamal.core.types import JsonState

#: Of an item that is in no group.
NO_KEY: Final = 0

_KEY_BYTES: Final = 4
_SINGLE: Final = Struct("f")
_LARGEST: Final = float(np.finfo(np.float32).max)


def key_of(*event_ids: str) -> int:
    """Stands for events in a state, where their ids would take ten times the room; never 0."""
    data = "\n".join(event_ids).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=_KEY_BYTES).digest(), "little") or 1


class KeyedWindow:
    """The last `size` items; numbers in single precision, so that a state restores what was held.

    Args:
        size: how many items are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        #: In order of arrival.
        self._items: deque[tuple[int, float]] = deque()
        #: The numbers of all, and those of each key, in ascending order.
        self._all: list[float] = []
        self._groups: dict[int, list[float]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def below(self, value: float) -> int:
        """How many items, whatever their key, have a number below `value`, which is finite."""
        return bisect_left(self._all, _single(value))

    def at_most(self, key: int, value: float) -> tuple[int, int]:
        """How many items have this key and a number of at most `value`, and how many this key.

        Args:
            key: from `key_of`.
            value: finite.
        """
        group = self._groups.get(key)
        return (bisect_right(group, _single(value)), len(group)) if group else (0, 0)

    def add(self, key: int, value: float) -> None:
        """Take in one item, and forget the oldest beyond the window.

        Args:
            key: from `key_of`; `NO_KEY` for none.
            value: finite.
        """
        if len(self._items) >= self._size:
            self._forget(*self._items.popleft())
        held = _single(value)
        self._items.append((key, held))
        insort(self._all, held)
        if key:
            insort(self._groups.setdefault(key, []), held)

    def state(self) -> JsonState:
        """Keys and numbers in order of arrival: little-endian, base64."""
        keys, values = zip(*self._items, strict=True) if self._items else ((), ())
        return {
            "keys": b64encode(np.array(keys, "<u4").tobytes()).decode(),
            "values": b64encode(np.array(values, "<f4").tobytes()).decode(),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        keys, values = (b64decode(str(state.get(name, ""))) for name in ("keys", "values"))
        self._items.clear()
        self._all.clear()
        self._groups.clear()
        both = np.frombuffer(keys, "<u4").tolist(), np.frombuffer(values, "<f4").tolist()
        for key, value in zip(*both, strict=True):
            self.add(key, value)

    def _forget(self, key: int, value: float) -> None:
        del self._all[bisect_left(self._all, value)]
        if not key:
            return
        group = self._groups[key]
        del group[bisect_left(group, value)]
        if not group:
            del self._groups[key]


def _single(value: float) -> float:
    """As it is held; there is no larger one in single precision."""
    try:
        held: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        return _LARGEST
    return held
