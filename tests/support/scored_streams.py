"""Items about which little, much or nothing is known, in batches of every cut."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache

from numpy.random import Generator, default_rng

from streamal.core.batch import Batch
from streamal.core.chance import draw
from streamal.core.types import (
    Context,
    Features,
    Labelled,
    LabelledItem,
    Probabilities,
    Production,
)


def distribution(rng: Generator) -> Probabilities:
    weights = rng.random(rng.choice([0, 1, 2, 2, 3, 10])) ** 3
    return {f"class {i}": p for i, p in enumerate((weights / weights.sum()).tolist())}


def labelled(number: int, rng: Generator) -> Labelled:
    """Items of one to three classes, with odd features, some without a margin."""
    return Labelled(
        tuple(
            LabelledItem(
                f"labelled-{number}-{place}",
                {"x": (None, 1.5, "red", True, 10**400)[place % 5], "y": rng.normal()},
                f"class {place % (1 + number % 3)}",
                None if number % 5 == 0 else rng.normal(),
            )
            for place in range(4 * (number % 4))
        )
    )


#: A model serves many events; what it remembers is the same object for all of them.
MEMORIES = [labelled(number, default_rng(number)) for number in range(12)]


class Ahead:
    """Foresees something for each label and item; nothing for every fifth item."""

    def __init__(self, features: Features, number: int) -> None:
        self.inputs = features
        self._number = number

    def now(self, items: Sequence[Features]) -> list[Probabilities]:
        return self.after("now", items)

    def after(self, label: str, items: Sequence[Features]) -> list[Probabilities]:
        return [self._foreseen(label, item, place) for place, item in enumerate(items)]

    def _foreseen(self, label: str, item: Features, place: int) -> Probabilities:
        p = draw(self._number if label != "now" else 0, str(sorted(item.items())), label)
        return {} if place % 5 == 4 else {"class 0": p, "class 1": 1.0 - p}


def item(number: int, rng: Generator) -> Context:
    """An item about which little, much or nothing is known."""
    committee = tuple(distribution(rng) for _ in range(rng.choice([0, 1, 3, 10])))
    values = (None, 1, 2.5, float("nan"), "red", True, (1.0, 2.0), float("-inf"), 10**400)
    features: Features = {"x": values[number % 9], "y": rng.normal(), f"rare {number % 70}": 1.0}
    expected = (None, rng.random())[number % 2]
    tokens = tuple(rng.random(number % 5).round(1).tolist())
    boxes = tuple({"car": p, "": 1.0 - p} for p in rng.random(number % 4).round(2).tolist())
    objects = None if number % 7 == 0 else boxes
    production = Production("class 0", distribution(rng), None, tokens, objects)
    distance = (None, 0.0, rng.exponential())[number % 3]
    opinions = tuple((10 * rng.normal(size=number % 4)).tolist())
    loss = (None, 0.0, rng.exponential())[number % 3]
    return Context(
        f"event-{number}",
        features,
        production,
        distribution(rng),
        committee,
        expected,
        distance,
        committee_values=opinions,
        expected_loss=loss,
        labelled=MEMORIES[number // 50 % len(MEMORIES)],
        lookahead=Ahead(features, number) if number % 8 else None,
    )


RNG = default_rng(1)
ITEMS = [item(number, RNG) for number in range(1_000)]


def usual(number: int, classes: int, rng: Generator) -> Context:
    """An item of a stream in which all know the same classes."""
    rows = rng.dirichlet([0.5] * classes, 5).tolist()
    production, model, *committee = [{f"class {i}": p for i, p in enumerate(row)} for row in rows]
    return replace(
        item(number, rng),
        production=Production("class 0", production, None, (0.5,) * (number % 20)),
        model=model,
        committee=tuple(committee),
        committee_values=tuple(rng.normal(size=9).tolist()),
        labelled=MEMORIES[6],
    )


#: What else may be said about an item.
SAID = {
    "committee": {"committee": (), "committee_values": ()},
    "boundary": {"boundary_distance": 7.0},
    "labelled": {"labelled": Labelled()},
    "lookahead": {"lookahead": None},
    "numbers": {"committee_values": (1.0, 9.0), "expected_loss": 3.0},
    "no classes": {"production": Production(value=1.0), "model": {}, "committee": ()},
}

STREAMS = {
    "anything": ITEMS[:300],
    **{
        f"{classes} classes": [usual(number, classes, RNG) for number in range(120)]
        for classes in (2, 3, 9, 20)
    },
}


def batches(items: Sequence[Context], cuts: Collection[int] = ()) -> Iterator[Batch]:
    """The items from cut to cut, and as many as one model remembers the same labels for."""
    start = 0
    for stop in range(1, len(items) + 1):
        last = stop == len(items) or items[stop].labelled is not items[start].labelled
        if last or stop in cuts:
            yield Batch.of(items[start:stop])
            start = stop


#: To make batches takes longer than to score them.
ALL = list(batches(ITEMS))


@cache
def cut(stream: str, few: int) -> list[Batch]:
    """A stream in batches, cut at some places besides; one by one where there are no more."""
    items = STREAMS[stream]
    return list(batches(items, set(default_rng(few).permutation(len(items))[:few].tolist())))


@cache
def told(what: str) -> list[Batch]:
    """All items, with something else said about them."""
    return list(batches([replace(context, **SAID[what]) for context in ITEMS]))  # type: ignore[arg-type]  # of its type
