"""What all wire events share: frozen, versioned, UTC, compact JSON.

Unknown fields are ignored, so that a producer may be a minor version ahead of its reader.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar, cast

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from streamal.errors import Reject
from streamal.events.bounds import (
    ALWAYS_FITS,
    IRREGULAR,
    MAX_FEATURE_LIST,
    MAX_FEATURES,
    MAX_METADATA,
    EntryByEntry,
    check_size,
)

__all__ = [
    "NUMBERS",
    "ClassLabel",
    "Event",
    "EventId",
    "Explained",
    "FeatureMap",
    "Metadata",
    "Name",
    "UtcDatetime",
    "load_json",
    "rejecting",
]

#: What a number is in JSON; a boolean is none.
NUMBERS: Final = frozenset({float, int})
#: Longest detail of a reject, and longest key in it: it becomes a record header and may quote keys.
_MAX_DETAIL: Final = 500
_MAX_KEY: Final = 64
#: C0, DEL and C1.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _utc(moment: datetime) -> datetime:
    """A time zone is converted; a time without one is taken as UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time", "lies outside of the years 1 to 9999 in UTC") from None


def _class_name(value: object) -> object:
    """Classes are text on the wire: 1 becomes "1", true becomes "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value


def _digits(value: object) -> object:
    """Ids and versions are text on the wire; many producers count in integers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _printable(event_id: str) -> str:
    if _CONTROL.search(event_id):
        raise PydanticCustomError("event_id", "must not contain control characters")
    return event_id


@dataclass(frozen=True, slots=True)
class Explained:
    """One error for a union of kinds, in words, instead of one for each kind that does not fit.

    Attributes:
        message: what is allowed.
    """

    message: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        union = cast("dict[str, Any]", schema["schema"] if schema["type"] == "nullable" else schema)
        if union["type"] != "union":
            raise TypeError(f"{source} is not a union")
        union["custom_error_type"] = "kind"
        union["custom_error_message"] = self.message
        return schema


UtcDatetime = Annotated[datetime, AfterValidator(_utc)]
EventId = Annotated[
    str,
    Field(min_length=1, max_length=256),
    AfterValidator(_printable),
    BeforeValidator(_digits),
]
Name = Annotated[str, Field(min_length=1, max_length=256), BeforeValidator(_digits)]
ClassLabel = Annotated[str, Field(min_length=1, max_length=256), BeforeValidator(_class_name)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_FeatureList = Annotated[
    tuple[Annotated[float, Field(strict=True, allow_inf_nan=False)], ...],
    Field(max_length=MAX_FEATURE_LIST),
]


def _scalar(_: str, value: object) -> object:
    """A value that a feature or metadata may have as it is; text beyond ASCII may be no text."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(cast("float", value)) else IRREGULAR
    if kind is str:
        return value if cast("str", value).isascii() else IRREGULAR
    return value if kind is int or kind is bool or value is None else IRREGULAR


def _feature(key: str, value: object) -> object:
    return _numbers(value) if type(value) is list else _scalar(key, value)


def _numbers(values: list[object]) -> object:
    if len(values) > MAX_FEATURE_LIST or not NUMBERS.issuperset(map(type, values)):
        return IRREGULAR
    numbers = tuple(map(float, cast("list[float]", values)))
    return numbers if all(map(math.isfinite, numbers)) else IRREGULAR


FeatureMap = Annotated[
    dict[
        str,
        Annotated[
            bool | int | _Number | str | _FeatureList | None,
            Explained(
                "must be a finite number, text, a boolean, null or a list of at most "
                f"{MAX_FEATURE_LIST} numbers"
            ),
        ],
    ],
    Field(max_length=MAX_FEATURES),
    EntryByEntry(MAX_FEATURES, "features", _feature),
]
Metadata = Annotated[
    dict[
        str,
        Annotated[
            bool | int | _Number | str | None,
            Explained("must be a finite number, text, a boolean or null"),
        ],
    ],
    Field(max_length=MAX_METADATA),
    EntryByEntry(MAX_METADATA, "keys", _scalar),
]


class Event(BaseModel):
    """Base of every wire event.

    Attributes:
        schema_version: version of the event's JSON shape; readers refuse versions they don't know.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    #: Whether others than streamal write it, so that what it holds has to be bounded.
    from_outside: ClassVar[bool] = False

    schema_version: Literal[1] = 1

    @classmethod
    def from_bytes(cls, value: bytes | None) -> Self:
        """Parse and validate JSON.

        Raises:
            Reject: not JSON, not an object, or not of this shape.
        """
        return rejecting(cls, load_json(value, bounded=cls.from_outside))

    def to_bytes(self) -> bytes:
        """Compact JSON in UTF-8; times as RFC 3339 in UTC."""
        return self.model_dump_json(exclude_none=True).encode()


E = TypeVar("E", bound=Event)


def load_json(value: bytes | None, *, bounded: bool = True) -> dict[str, Any]:
    """A JSON object from bytes.

    Args:
        value: JSON in UTF-8.
        bounded: whether a message that holds more than `bounds` allow is rejected.

    Raises:
        Reject: `empty`, `too_large`, `malformed_json` or `not_an_object`.
    """
    if not value:
        raise Reject("empty", "the message has no value")
    if bounded and len(value) > ALWAYS_FITS:
        check_size(value)
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if not value.strip():
            raise Reject("empty", "the message has no value") from None
        raise Reject("malformed_json", str(error)) from error
    if not isinstance(document, dict):
        raise Reject("not_an_object", f"expected a JSON object, got {type(document).__name__}")
    return document


def rejecting(cls: type[E], document: dict[str, Any], context: object = None) -> E:
    """Validate `document` as `cls`; a violation becomes a `Reject` that names the first bad field.

    Raises:
        Reject: `missing_field`, `invalid_field`, or the reason a validator named.
    """
    try:
        return cls.model_validate(document, context=context)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Reject(_reason(first), _one_line(f"{_field(first)}: {first['msg']}")) from error


#: Pydantic error types that have a reason of their own; the rest are `invalid_field`.
_REASONS = {"missing": "missing_field"}
#: Types raised by our own validators; each is its own reason.
OWN_REASONS = frozenset({"bad_probabilities", "missing_prediction", "missing_label"})


def _reason(error: ErrorDetails) -> str:
    if error["type"] in OWN_REASONS:
        return error["type"]
    if error["loc"][:1] == ("schema_version",):
        return "unsupported_schema_version"
    return _REASONS.get(error["type"], "invalid_field")


def _field(error: ErrorDetails) -> str:
    return ".".join(_short(str(part), _MAX_KEY) for part in error["loc"]) or "event"


def _one_line(text: str) -> str:
    """Keys and classes are the event's: of any length, with any character."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return _short(printable, _MAX_DETAIL)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
