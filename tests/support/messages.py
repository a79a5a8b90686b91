"""Messages that are usable, nearly so, or made to be expensive."""

from __future__ import annotations

import gc
import random
import re
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

VALID: Final[dict[str, Any]] = {
    "schema_version": 1,
    "event_id": "order-81727",
    "timestamp": "2026-01-01T00:00:00.250Z",
    "model": {"name": "fraud", "version": "14"},
    "features": {"amount": 129.9, "items": 3, "country": "PT", "coupon": None, "e": [0.5, -1.0]},
    "prediction": {"label": "ok", "probabilities": {"ok": 0.75, "fraud": 0.25}},
    "committee": [{"ok": 0.5, "fraud": 0.5}, {"ok": 1.0}],
    "metadata": {"shop": "north", "row": 7},
}
DETECTION: Final[dict[str, Any]] = {
    **VALID,
    "prediction": {
        "objects": [
            {"label": "car", "score": 0.75, "box": [1, 2, 30.5, 40]},
            {"probabilities": {"van": 0.75, "car": 0.25}},
        ],
        "token_probabilities": [0.5, 1, 0.25],
    },
}
LABEL: Final[dict[str, Any]] = {
    "event_id": "order-81727",
    "label": "fraud",
    "annotator": "reviewer-3",
    "labelled_at": "2026-01-01T12:00:00Z",
    "note": "stolen card",
    "features": {"amount": 129.9, "e": [0.5, 1.5]},
    "prediction": {"label": "ok", "probabilities": {"ok": 0.75, "fraud": 0.25}},
}
RULING: Final[dict[str, Any]] = {
    "annotator": "reviewer-3",
    "ruling": "release",
    "ruled_by": "lead-1",
    "ruled_at": "2026-01-01T12:00:00Z",
}
SEEDS: Final = tuple(map(orjson.dumps, (VALID, DETECTION, LABEL, RULING)))
ATOMS: Final = (
    *(b"{}", b"[]", b"null", b"true", b"0", b"1", b"-1", b"0.5", b"1e300", b'""', b'"a"', b'"0.5"'),
    *(b'{"a":1}', b'{"score":1}', b'{"score":0.5,"box":["1",2]}', b"[[[[]]]]", b"[1,2]", b"[{}]"),
    *(b'"\\u00fc"', '"ü"'.encode(), b'{"probabilities":{"a":"1"}}', b'"{[,"', b'"\\\\\\""'),
    *(b"18446744073709551616", b"1.2345678901234567e-300", b'{"":0.5}', b'"\\ud800"', b"[1,{}]"),
)
LARGEST: Final = 1_000_000
_VALUE: Final = re.compile(rb'"[^"]*"(?!:)|-?\d[\d.]*|\{\}|\[\]|null|true')


def many(value: bytes, count: int, *, named: bool) -> bytes:
    """A list or an object of `count` times the same value."""
    if named:
        return b"{%s}" % b",".join(b'"%x":%s' % (number, value) for number in range(count))
    return b"[%s]" % b",".join([value] * count)


def mutated(dice: random.Random) -> bytes:
    """A message that was changed in one to four places, of at most about a megabyte."""
    value = dice.choice(SEEDS)
    for _ in range(dice.randint(1, 4)):
        value = dice.choice(_MUTATIONS)(dice, value)
    return value[:LARGEST]


def _flip(dice: random.Random, value: bytes) -> bytes:
    place = dice.randrange(len(value))
    return value[:place] + bytes([dice.randrange(256)]) + value[place + 1 :]


def _cut(dice: random.Random, value: bytes) -> bytes:
    return value[: dice.randint(1, len(value))]


def _splice(dice: random.Random, value: bytes) -> bytes:
    other, place = dice.choice(SEEDS), dice.randrange(len(value))
    return value[:place] + other[dice.randrange(len(other)) :] + value[place:]


def _swap(dice: random.Random, value: bytes) -> bytes:
    return _replaced(dice, value, dice.choice(ATOMS))


def _amplify(dice: random.Random, value: bytes) -> bytes:
    """Many of something in the place of one value: as often few as very many."""
    atom = dice.choice(ATOMS)
    count = round(min(10 ** dice.uniform(0, 5.5), LARGEST / (len(atom) + 1)))
    return _replaced(dice, value, many(atom, count, named=dice.random() < 0.3))


def _replaced(dice: random.Random, value: bytes, by: bytes) -> bytes:
    found = list(_VALUE.finditer(value[:10_000]))
    if not found:
        return value
    place = dice.choice(found)
    return value[: place.start()] + by + value[place.end() :]


_MUTATIONS: Final = (_flip, _cut, _splice, _swap, _amplify, _amplify)


def seconds(work: Callable[[], object]) -> float:
    """CPU time of this process, without that of collecting what was made before."""
    gc.collect(1)
    started = time.process_time()
    work()
    return time.process_time() - started


def usual_seconds_per_byte() -> float:
    """What parsing alone takes in this process, now, of JSON as production writes it."""
    value = orjson.dumps([VALID] * 1_000)
    return min(seconds(lambda: orjson.loads(value)) for _ in range(3)) / len(value)
