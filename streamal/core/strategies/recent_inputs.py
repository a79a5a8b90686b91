"""The latest events as a learner sees them, for strategies that ask what it would predict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Final, TypeGuard, cast

from streamal.core.types import Features, FeatureValue, JsonState, JsonValue

#: Learners take larger numbers for missing; some cannot be written as JSON.
_LARGEST: Final = 1e100
#: Learners tell no text apart from another beyond 256 characters.
_LONGEST_TEXT: Final = 257


class RecentInputs:
    """A window of events with all values that a learner can use.

    What is missing, NaN or infinite is left out, which is the same to a learner, and text is cut
    after 257 characters; all else stays exact, so that a restored window asks the same questions.

    Args:
        window: how many of the latest events are remembered; fewer when they have so many or long
            values that `CHARACTERS` would be exceeded, but always the last one.
    """

    #: The state is written with every batch.
    CHARACTERS: ClassVar[int] = 32_000

    def __init__(self, window: int) -> None:
        self._window = window
        #: Oldest first.
        self.items: tuple[Features, ...] = ()
        self._sizes: tuple[int, ...] = ()

    def add(self, inputs: Features) -> None:
        """Remember an event."""
        item = {name: _kept(value) for name, value in inputs.items() if _is_kept(value)}
        self.items = (*self.items, item)[-self._window :]
        self._sizes = (*self._sizes, len(json.dumps(_written(item))))[-self._window :]
        total, surplus = sum(self._sizes), 0
        while total > self.CHARACTERS and surplus < len(self._sizes) - 1:
            total -= self._sizes[surplus]
            surplus += 1
        self.items, self._sizes = self.items[surplus:], self._sizes[surplus:]

    def state(self) -> JsonState:
        """The events, oldest first."""
        return {"items": [_written(item) for item in self.items]}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        items = cast("list[Mapping[str, FeatureValue]]", state.get("items", []))
        self.items, self._sizes = (), ()
        for item in items:
            self.add(item)


def _is_kept(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_is_usable(entry) for entry in value)
    return isinstance(value, str) or _is_usable(value)


def _is_usable(value: object) -> TypeGuard[float]:
    return isinstance(value, (float, int)) and -_LARGEST <= value <= _LARGEST  # NaN fails too


def _kept(value: FeatureValue | list[float]) -> FeatureValue:
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if isinstance(value, (tuple, list)):
        return tuple(float(entry) if _is_usable(entry) else float("nan") for entry in value)
    return float(cast("float", value))


def _written(item: Features) -> JsonValue:
    return {
        name: [entry if _is_usable(entry) else None for entry in value]
        if isinstance(value, tuple)
        else value
        for name, value in item.items()
    }
