"""What strategies made of others have in common; see `fusions` and `bandit`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated, Final, cast

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.parameters import Nested, Range, check, construct, parameters_of
from streamal.core.strategies.base import Strategy, within_unit
from streamal.core.strategies.registry import SINGLE
from streamal.core.types import JsonState, JsonValue, MadeUpItem, Task
from streamal.errors import SettingsInvalid

#: Each part costs its time on every event and its state in every transaction.
_FEWEST, _MOST = 2, 8
_Weight = Annotated[float, Range(0, 1000, open_low=True)]


@dataclass(frozen=True, slots=True)
class Part:
    """A strategy inside a combination, as settings name it.

    Attributes:
        strategy: registered name of a strategy that is not itself a combination.
        weight: > 0; what it is relative to the weights of the other parts.
        parameters: all parameters of the strategy.
    """

    strategy: str
    weight: float = 1.0
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)

    def build(self) -> Strategy:
        """A fresh instance of the strategy."""
        return construct(SINGLE[self.strategy], self.parameters, key=self.strategy)


class Combination(Strategy):
    """Several strategies at once.

    Args:
        strategies: the parts.
    """

    def __init__(self, strategies: tuple[Part, ...]) -> None:
        self.strategies = strategies
        self._parts = tuple(part.build() for part in strategies)

    @property
    def tasks(self) -> frozenset[Task]:
        """Those of all parts."""
        return frozenset(task for task in Task if all(task in part.tasks for part in self._parts))

    @property
    def asks_committee(self) -> bool:
        """Whether any part does."""
        return any(part.asks_committee for part in self._parts)

    @property
    def asks_boundary(self) -> bool:
        """Whether any part does."""
        return any(part.asks_boundary for part in self._parts)

    @property
    def asks_labelled(self) -> bool:
        """Whether any part does."""
        return any(part.asks_labelled for part in self._parts)

    @property
    def asks_lookahead(self) -> bool:
        """Whether any part does."""
        return any(part.asks_lookahead for part in self._parts)

    @property
    def makes_up_items(self) -> bool:
        """Whether any part does."""
        return any(part.makes_up_items for part in self._parts)

    def made_up(self, batch: Batch, number: int) -> Iterable[MadeUpItem]:
        """Those of all parts, part by part."""
        return chain.from_iterable(part.made_up(batch, number) for part in self._parts)

    def state(self) -> JsonState:
        """The parts' states, in their order."""
        return {"parts": [part.state() for part in self._parts]}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        states = cast("list[JsonState]", state.get("parts") or [{}] * len(self._parts))
        for part, own in zip(self._parts, states, strict=True):
            part.restore(own)


class Fusion(Combination):
    """Scores with several strategies and makes one score of theirs."""

    def score(self, batch: Batch) -> Vector:
        """The combined scores within [0, 1]."""
        return within_unit(self.combined([part.score(batch) for part in self._parts]))

    @abstractmethod
    def combined(self, scores: Sequence[Vector]) -> Vector:
        """One score per item from those of the parts, in their order."""


def _read(key: str, value: object, keys: tuple[str, ...]) -> tuple[Part, ...]:
    if not isinstance(value, list) or not _FEWEST <= len(value) <= _MOST:
        raise SettingsInvalid(
            f"{key}: {value!r} is not allowed; "
            f"a list of {_FEWEST} to {_MOST} tables with the keys {', '.join(keys)}"
        )
    parts: list[Part] = []
    problems: list[str] = []
    for number, entry in enumerate(value):
        try:
            parts.append(_read_part(f"{key}[{number}]", entry, keys))
        except SettingsInvalid as error:
            problems += error.problems
    if problems:
        raise SettingsInvalid(*problems)
    return tuple(parts)


def _read_part(key: str, entry: object, keys: tuple[str, ...]) -> Part:
    if not isinstance(entry, dict):
        raise SettingsInvalid(f"{key}: {entry!r} is not allowed; a table")
    problems = [
        f"{key}.{name}: unknown parameter; allowed: {', '.join(keys)}"
        for name in entry
        if name not in keys
    ]
    name, parameters = entry.get("strategy"), entry.get("parameters", {})
    weight = entry.get("weight", 1.0)
    problems += check(f"{key}.weight", weight, _Weight)
    if not isinstance(name, str) or name not in SINGLE:
        allowed = ", ".join(sorted(SINGLE))
        problems.append(f"{key}.strategy: {name!r} is not allowed; one of {allowed}")
    if not isinstance(parameters, dict):
        problems.append(f"{key}.parameters: {parameters!r} is not allowed; a table")
    if problems:
        raise SettingsInvalid(*problems)
    strategy = construct(SINGLE[str(name)], parameters, key=f"{key}.parameters")
    return Part(str(name), float(weight), parameters_of(strategy))


def _write(parts: tuple[Part, ...], keys: tuple[str, ...]) -> JsonValue:
    return [
        {
            name: cast("JsonValue", value)
            for name, value in (
                ("strategy", part.strategy),
                ("weight", part.weight),
                ("parameters", dict(part.parameters)),
            )
            if name in keys
        }
        for part in parts
    ]


def _parts(*keys: str) -> Nested:
    return Nested(
        "list of tables",
        lambda key, value: _read(key, value, keys),
        lambda parts: _write(parts, keys),
    )


#: For the annotation of `strategies`: whose parts have no weights, and whose have.
PARTS: Final = _parts("strategy", "parameters")
WEIGHTED_PARTS: Final = _parts("strategy", "weight", "parameters")


def parts_of(*strategies: str) -> tuple[Part, ...]:
    """Parts with their default parameters and equal weights."""
    return _read("", [{"strategy": name} for name in strategies], ("strategy",))


#: The online model's doubt, and its word that production is wrong.
DEFAULT_PARTS: Final = parts_of("margin", "expected_error")
