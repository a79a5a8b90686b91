"""Streams whose concept changes, or does not, as a frozen production model sees them.

Production is a Hoeffding tree that learned the first events and never again. Everything that a gate
needs is computed once per stream, so that several gates and detectors can be run over the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from river.datasets import synth
from river.naive_bayes import GaussianNB
from river.tree import HoeffdingTreeClassifier

from streamal.core.types import Context, Production, top_class

__all__ = ["KINDS", "Item", "Stream", "stream"]

#: Events that production learned from, of the first concept.
_LEARNED: Final = 4_000
#: Width of a gradual change, in events.
_GRADUAL: Final = 4_000

_Row: TypeAlias = tuple[Mapping[str, Any], object]
_Maker: TypeAlias = Callable[[int, int], Iterator[_Row]]


@dataclass(frozen=True, slots=True)
class Item:
    """One event.

    Attributes:
        context: what a gate may look at.
        wrong: whether production was.
        label: the truth.
    """

    context: Context
    wrong: bool
    label: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and when its concept changes.

    Attributes:
        name: of the generator.
        kind: abrupt, gradual, recurring or none.
        items: in order.
        changes: positions; of a gradual change, its beginning.
    """

    name: str
    kind: str
    items: list[Item]
    changes: tuple[int, ...]

    def changed(self) -> list[Item]:
        """Items of the new concept alone, up to the next change; none without a change."""
        if not self.changes:
            return []
        start = self.changes[0] + (_GRADUAL if self.kind == "gradual" else 0)
        return self.items[start : self.changes[1] if len(self.changes) > 1 else None]


def _sea(concept: int, seed: int) -> Iterator[_Row]:
    return iter(synth.SEA(variant=(0, 3)[concept], seed=seed, noise=0.05))


def _agrawal(concept: int, seed: int) -> Iterator[_Row]:
    return iter(synth.Agrawal(classification_function=(0, 2)[concept], seed=seed))


def _led(concept: int, seed: int) -> Iterator[_Row]:
    drifted = (0, 5)[concept]
    return iter(synth.LEDDrift(seed=seed, noise_percentage=0.1, n_drift_features=drifted))


def _rbf(concept: int, seed: int) -> Iterator[_Row]:
    return iter(synth.RandomRBF(seed_model=40 + concept, seed_sample=seed, n_features=6))


_MAKERS: Final[Mapping[str, _Maker]] = {"sea": _sea, "agrawal": _agrawal, "led": _led, "rbf": _rbf}
KINDS: Final = ("abrupt", "gradual", "recurring", "none")


def stream(name: str, kind: str, events: int, seed: int) -> Stream:
    """`events` events; the concept changes at the middle, and a recurring one back at 3/4.

    Args:
        name: sea, agrawal, led or rbf.
        kind: one of `KINDS`.
        events: after those that production learned from.
        seed: of everything random.
    """
    old, new = _MAKERS[name](0, seed), _MAKERS[name](1, seed + 1_000)
    production, online = HoeffdingTreeClassifier(grace_period=100), GaussianNB()
    for features, label in islice(old, _LEARNED):
        production.learn_one(features, str(label))
        online.learn_one(features, str(label))
    middle, back = events // 2, events * 3 // 4
    items = [
        _item(number, next(new if _is_new(kind, number, middle, back) else old), production, online)
        for number in range(events)
    ]
    changes = {"none": (), "recurring": (middle, back)}.get(kind, (middle,))
    return Stream(name, kind, items, changes)


def _is_new(kind: str, number: int, middle: int, back: int) -> bool:
    if kind == "none" or number < middle:
        return False
    if kind == "gradual" and number < middle + _GRADUAL:
        # Ever more events of the new concept: a deterministic mixture, spread by a stride prime to
        # the width.
        return (number * 7_919) % _GRADUAL < number - middle
    return kind != "recurring" or number < back


def _item(number: int, row: _Row, production: HoeffdingTreeClassifier, online: GaussianNB) -> Item:
    features, truth = row
    probabilities = {str(k): float(p) for k, p in production.predict_proba_one(features).items()}
    model = {str(k): float(p) for k, p in online.predict_proba_one(features).items()}
    said = top_class(probabilities)
    context = Context(
        event_id=f"e{number}",
        features={},
        production=Production(said, probabilities),
        model=model,
        expected_correct=max(probabilities.values(), default=0.5),
    )
    return Item(context, said != str(truth), str(truth))
