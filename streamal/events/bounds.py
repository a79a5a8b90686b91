"""How much one message from outside may hold, so that reading any message takes a bounded time.

What is written here is checked before anything is built or validated: a parser needs thirty times
as long for a megabyte of empty lists as for a megabyte of text, and an explanation of every single
error takes a hundred times as long again (docs/decisions/0020).
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from streamal.errors import Reject

__all__ = [
    "ALWAYS_FITS",
    "IRREGULAR",
    "MAX_BOX",
    "MAX_CLASSES",
    "MAX_COMMITTEE",
    "MAX_CONTAINERS",
    "MAX_FEATURES",
    "MAX_FEATURE_LIST",
    "MAX_METADATA",
    "MAX_OBJECTS",
    "MAX_TOKENS",
    "MAX_VALUES",
    "EntryByEntry",
    "Irregular",
    "at_most",
    "check_size",
]

#: Values in one message, whatever field they are in: 300 detected objects with the probabilities of
#: 80 classes and a box each still fit.
MAX_VALUES: Final = 32_768
#: Objects and lists among them. Each takes a parser as long as ten numbers.
MAX_CONTAINERS: Final = 8_192
MAX_FEATURES: Final = 4_096
#: Longest list that counts as a feature; embeddings belong into a reducer before the gate.
MAX_FEATURE_LIST: Final = 256
MAX_METADATA: Final = 1_024
MAX_BOX: Final = 16
MAX_CLASSES: Final = 8_192
MAX_COMMITTEE: Final = 256
#: Longest sequence and most objects in one prediction: more would cost every gate its pace.
MAX_TOKENS: Final = 8_192
MAX_OBJECTS: Final = 1_024

#: Bytes of JSON that can't hold too much: a container takes two, and a value two with its comma.
ALWAYS_FITS: Final = 2 * MAX_CONTAINERS

#: Irregular entries that are validated together: few enough that as many errors are soon built.
_TOGETHER: Final = 32

_E = TypeVar("_E")


def check_size(value: bytes) -> None:
    """Turn away JSON that holds too much, unparsed.

    Args:
        value: what should be JSON in UTF-8; of text that is none, it does not matter what is said.

    Raises:
        Reject: `too_large`.
    """
    # Most large messages hold long texts, with more commas and brackets than values.
    if not _fits(value) and not _fits(_without_texts(value)):
        raise Reject(
            "too_large",
            f"more than {MAX_VALUES} values or {MAX_CONTAINERS} objects and lists in one message",
        )


def _fits(text: bytes | None) -> bool:
    """Every value but the first of a container follows a comma."""
    if text is None:
        return False
    containers = len(text) - len(text.translate(None, b"{["))
    return containers <= MAX_CONTAINERS and containers + text.count(b",") < MAX_VALUES


def _without_texts(value: bytes) -> bytes | None:
    """What stands outside of quotes; None when there are more texts than values and keys may be."""
    unescaped = value.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = 4 * MAX_VALUES
    pieces = unescaped.split(b'"', quotes)
    return None if len(pieces) > quotes else b"".join(pieces[::2])


def at_most(limit: int, things: str) -> BeforeValidator:
    """Refuses a longer list before any of its items is looked at.

    Args:
        limit: most items.
        things: what they are, for the message.
    """

    def check(value: object) -> object:
        _check_length(value, limit, things)
        return value

    return BeforeValidator(check)


def _check_length(value: object, limit: int, things: str) -> None:
    if isinstance(value, list | tuple | dict) and len(cast("Sized", value)) > limit:
        raise PydanticCustomError(
            "too_many",
            "has {count} {things}, at most {limit} are read",
            {"count": len(value), "things": things, "limit": limit},
        )


class Irregular(Exception):
    """This needs to be looked at by the models, which know every exception and explain."""


_TEXT: Final = frozenset({str})

#: Stands for an entry that a quick look did not settle.
IRREGULAR: Final = object()


@dataclass(frozen=True, slots=True)
class EntryByEntry(Generic[_E]):
    """Validates an object's entries in order, and stops soon after the first that is wrong.

    Pydantic alone would build an error for each of them, of which only the first is ever read.

    Attributes:
        limit: most entries.
        things: what they are, for the message.
        regular: of key and value, the value as it is kept, or `IRREGULAR` for pydantic to decide.
    """

    limit: int
    things: str
    regular: Callable[[str, Any], _E | object]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source))

    def _validate(self, value: object, handler: Callable[[object], dict[str, _E]]) -> dict[str, _E]:
        _check_length(value, self.limit, self.things)
        if type(value) is not dict or not _TEXT.issuperset(map(type, value)):
            return handler(value)
        kept: dict[str, Any] = {
            key: self.regular(key, each) if key.isascii() else IRREGULAR
            for key, each in value.items()
        }
        odd = iter([key for key, each in kept.items() if each is IRREGULAR])
        while some := list(islice(odd, _TOGETHER)):
            kept.update(handler({key: _cut(value[key]) for key in some}))
        return kept


def _cut(value: object) -> object:
    """A list too long for a feature is too long whatever the rest of it holds."""
    return value[: MAX_FEATURE_LIST + 1] if isinstance(value, list | tuple) else value
