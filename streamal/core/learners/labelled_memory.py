"""The latest labelled items of each class, for strategies that look at what is labelled.

A part of the online model, so that it is a function of the label log and reaches the gates with the
snapshots (docs/decisions/0015).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streamal.core.types import Features, FeatureValue

__all__ = ["MOST_BYTES", "PER_CLASS", "KeptItem", "LabelledMemory"]

#: Items of a class: enough that the boundary to each neighbouring class is lined with some, few
#: enough that the distances between all of them take a millisecond.
PER_CLASS: Final = 50
#: What all items may take in the snapshot, before compression: some 1000 items of 10 numbers.
MOST_BYTES: Final = 200_000

#: A larger item is not remembered: it would drive out all others.
_LARGEST_ITEM: Final = MOST_BYTES // 20
_NUMBER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One labelled item.

    Attributes:
        event_id: identity of the event.
        inputs: what the learner learned from.
        label: the class that it learned.
        size: bytes that it counts for.
        place: its number in the order of the labels.
    """

    event_id: str
    inputs: Features
    label: str
    size: int
    place: int


class LabelledMemory:
    """The latest labelled items, the same number of each class, bounded in bytes.

    Where the bytes run out, the class with most items loses its oldest one.
    """

    def __init__(self) -> None:
        self._classes: dict[str, dict[str, KeptItem]] = {}
        self._learned = 0
        self._size = 0

    def add(self, event_id: str, inputs: Features, label: str) -> None:
        """Remember a label; an item that is learned again counts as new.

        Args:
            event_id: identity of the event.
            inputs: what the learner learned from.
            label: the class that it learned.
        """
        for known in [known for known, kept in self._classes.items() if event_id in kept]:
            self._forget(known, event_id)
        # Names are the same in all items; interned, they are one object, and once in a pickle.
        own = {sys.intern(str(name)): value for name, value in inputs.items() if value is not None}
        size = len(event_id) + sum(len(name) + _bytes(value) for name, value in own.items())
        if size > _LARGEST_ITEM:
            return
        self._learned += 1
        of_class = self._classes.setdefault(label, {})
        of_class[event_id] = KeptItem(event_id, own, label, size, self._learned)
        self._size += size
        if len(of_class) > PER_CLASS:
            self._forget(label, self._oldest(label).event_id)
        while self._size > MOST_BYTES:
            largest = self._largest()
            self._forget(largest, self._oldest(largest).event_id)

    def items(self) -> Iterator[KeptItem]:
        """All of them, class by class in the alphabet, each class's oldest first."""
        for label in sorted(self._classes):
            yield from self._classes[label].values()

    def _largest(self) -> str:
        """The class with most items, and of equals the one whose oldest is oldest."""
        return max(
            self._classes,
            key=lambda label: (len(self._classes[label]), -self._oldest(label).place),
        )

    def _oldest(self, label: str) -> KeptItem:
        return next(iter(self._classes[label].values()))

    def _forget(self, label: str, event_id: str) -> None:
        of_class = self._classes[label]
        self._size -= of_class.pop(event_id).size
        if not of_class:
            del self._classes[label]


def _bytes(value: FeatureValue) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    return _NUMBER_BYTES * (len(value) if isinstance(value, tuple | list) else 1)
