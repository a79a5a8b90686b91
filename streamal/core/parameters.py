"""What a registered class can be told: its parameters, read from its own signature and docstring.

One reflection for strategies, budget policies, learners and detectors, so that the catalogue, the
checks of settings and the code cannot disagree. Knows no registry; may import `types` and `errors`.

A parameter is declared once, in the constructor::

    def __init__(self, window: Annotated[int, Range(low=10)] = 1000) -> None: ...

and kept in an attribute of the same name. The docstring follows Google's sections: `Args` describes
the parameters, `References` names the source; every other section ends up in `sections`. Numbers,
texts, switches and choices are understood; a parameter with more structure brings a `Nested`.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from streamal.core.types import JsonValue
from streamal.errors import SettingsInvalid

__all__ = [
    "Description",
    "Nested",
    "Parameter",
    "Range",
    "check",
    "construct",
    "describe",
    "parameters_of",
]

T = TypeVar("T")

_JSON_NAMES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
_SECTION = re.compile(r"(?P<title>[A-Z][A-Za-z ]*):")
_ARGUMENT = re.compile(r"(?P<name>\w+)(?: \([^)]*\))?:\s*(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that a parameter may take; goes into the parameter's `Annotated`.

    Args:
        low: smallest number allowed.
        high: largest number allowed.
        open_low: `low` itself is not allowed.
        open_high: `high` itself is not allowed.

    >>> str(Range(0, 1, open_low=True)), 0.0 in Range(0, 1, open_low=True)
    ('(0, 1]', False)
    >>> str(Range(low=10)), 10 in Range(low=10)
    ('at least 10', True)
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'above' if self.open_low else 'at least'} {self.low:g}"
        if self.low == -math.inf:
            return f"{'below' if self.open_high else 'at most'} {self.high:g}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True, slots=True)
class Nested:
    """How settings hold a parameter that has parts; goes into the parameter's `Annotated`.

    Attributes:
        type: what the catalogue calls it, such as "list of tables".
        read: from the key and the value in the settings to what the constructor takes; raises
            `SettingsInvalid` with one line per problem.
        write: from what the constructor takes to the value in the settings.
    """

    type: str
    read: Callable[[str, object], object]
    write: Callable[[Any], JsonValue]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One constructor parameter, as the catalogue shows it.

    Attributes:
        type: boolean, integer, number, string or a `Nested.type`; "or null" when None is allowed.
        required: there is no default.
        default: as a JSON value; None when required.
        choices: the only values allowed; empty when there are more than can be listed.
        range: the numbers allowed, in words; empty when any number is.
    """

    name: str
    type: str
    required: bool
    default: JsonValue
    description: str
    choices: tuple[str, ...] = ()
    range: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """A registered class, as the catalogue shows it.

    Attributes:
        name: registered name.
        summary: first paragraph of the docstring, on one line.
        parameters: in the order of the signature.
        source: the paper or book that the method comes from; empty when it is nobody's.
        sections: the docstring's other sections by lower-case title, such as "formula" or "range".
    """

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    source: str
    sections: Mapping[str, str]


def describe(cls: type, *, without: tuple[str, ...] = ()) -> Description:
    """What the catalogue says about `cls`.

    Args:
        cls: a class with a Google-style docstring; its attribute `name` is its registered name.
        without: parameters that are set elsewhere and not shown.

    Raises:
        TypeError: a parameter has an annotation that no setting can hold.
    """
    summary, sections = _read_docstring(inspect.getdoc(cls) or "")
    described = _arguments(sections.pop("args", ""))
    parameters = tuple(
        Parameter(
            name=name,
            type=slot.type_name,
            required=slot.required,
            default=None if slot.required else slot.as_json(slot.default),
            description=described.get(name, ""),
            choices=slot.choices,
            range=str(slot.range or ""),
        )
        for name, slot in _slots(cls, without).items()
    )
    return Description(
        name=getattr(cls, "name", cls.__name__),
        summary=summary,
        parameters=parameters,
        source=" ".join(sections.pop("references", "").split()),
        sections=sections,
    )


def construct(
    cls: type[T],
    parameters: Mapping[str, JsonValue],
    *,
    key: str,
    shared: Mapping[str, JsonValue] | None = None,
    shared_key: str = "",
) -> T:
    """An instance of `cls` from settings.

    Args:
        cls: the class to construct.
        parameters: the class's own parameters as the settings give them.
        key: where `parameters` stand in the settings, such as "gate.strategy_parameters".
        shared: parameters that are set elsewhere for all classes of a kind.
        shared_key: where `shared` stand in the settings.

    Raises:
        SettingsInvalid: with one line for each unknown, missing or wrong parameter.
    """
    shared = shared or {}
    slots = _slots(cls)
    own = [name for name in slots if name not in shared]
    problems = [
        f"{key}.{name}: unknown parameter; allowed: {', '.join(own) or 'none'}"
        for name in parameters
        if name not in own
    ]
    problems += [
        f"{key}.{name}: missing; {slots[name].allowed}"
        for name in own
        if slots[name].required and name not in parameters
    ]
    arguments: dict[str, Any] = {}
    for prefix, values in ((shared_key, shared), (key, parameters)):
        for name, value in values.items():
            if name in slots and (values is shared or name in own):
                problems += slots[name].problems(f"{prefix}.{name}", value)
                arguments[name] = value
    if problems:
        raise SettingsInvalid(*problems)
    build: Callable[..., T] = cls
    return build(**{name: slots[name].converted(value) for name, value in arguments.items()})


def check(key: str, value: JsonValue, annotation: object) -> list[str]:
    """The lines that `SettingsInvalid` should carry about one value; empty when it is allowed.

    >>> check("gate.max_pending", 0, Annotated[int, Range(low=1)])
    ['gate.max_pending: 0 is not allowed; an integer, at least 1']
    """
    return _slot(annotation).problems(key, value)


def parameters_of(instance: object) -> dict[str, JsonValue]:
    """What `instance` was constructed with, from the attributes named like the parameters."""
    slots = _slots(type(instance))
    return {name: slot.as_json(getattr(instance, name)) for name, slot in slots.items()}


@dataclass(frozen=True, slots=True)
class _Slot:
    """An annotation in the terms of settings."""

    base: type
    optional: bool = False
    choices: tuple[str, ...] = ()
    range: Range | None = None
    default: object = inspect.Parameter.empty
    nested: Nested | None = None

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def type_name(self) -> str:
        if self.nested:
            return self.nested.type
        return _JSON_NAMES.get(self.base, "string") + (" or null" if self.optional else "")

    @property
    def allowed(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}" + (" or null" if self.optional else "")
        article = "an" if self.type_name.startswith("i") else "a"
        return f"{article} {self.type_name}" + (f", {self._range_in_words}" if self.range else "")

    @property
    def _range_in_words(self) -> str:
        words = str(self.range)
        return f"in {words}" if words[0] in "[(" else words

    def problems(self, key: str, value: object) -> list[str]:
        if self.nested:
            try:
                self.nested.read(key, value)
            except SettingsInvalid as error:
                return list(error.problems)
            return []
        return [] if self._accepts(value) else [f"{key}: {value!r} is not allowed; {self.allowed}"]

    def converted(self, value: object) -> object:
        if self.nested:
            return self.nested.read("", value)
        if value is None or not issubclass(self.base, (Enum, float)):
            return value
        convert: Callable[[object], object] = self.base
        return convert(value)

    def as_json(self, value: object) -> JsonValue:
        if self.nested:
            return self.nested.write(value)
        return cast("JsonValue", value.value if isinstance(value, Enum) else value)

    def _accepts(self, value: object) -> bool:
        if value is None:
            return self.optional
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if self.base in (int, float):
            return self._accepts_number(value)
        return isinstance(value, self.base)

    def _accepts_number(self, value: object) -> bool:
        numbers = (int,) if self.base is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, numbers) or not math.isfinite(value):
            return False
        return self.range is None or value in self.range


def _slots(cls: type, without: tuple[str, ...] = ()) -> dict[str, _Slot]:
    initialiser = inspect.getattr_static(cls, "__init__")
    if initialiser is object.__init__:
        return {}
    hints = get_type_hints(initialiser, include_extras=True)
    return {
        name: _slot(hints[name], parameter.default)
        for name, parameter in inspect.signature(cls).parameters.items()
        if name not in without
    }


def _slot(annotation: object, default: object = inspect.Parameter.empty) -> _Slot:
    limits = None
    if get_origin(annotation) is Annotated:
        annotation, *extras = get_args(annotation)
        limits = next((extra for extra in extras if isinstance(extra, Range)), None)
        if nested := next((extra for extra in extras if isinstance(extra, Nested)), None):
            return _Slot(object, default=default, nested=nested)
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        members = get_args(annotation)
        optional = NoneType in members
        inner = [member for member in members if member is not NoneType]
        if len(inner) != 1:
            raise TypeError(f"no setting can hold {annotation}")
        slot = _slot(inner[0])
        return _Slot(slot.base, optional, slot.choices, slot.range or limits, default)
    if get_origin(annotation) is Literal:
        return _Slot(str, optional, tuple(map(str, get_args(annotation))), limits, default)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _Slot(annotation, optional, tuple(m.value for m in annotation), limits, default)
    if not (isinstance(annotation, type) and annotation in _JSON_NAMES):
        raise TypeError(f"no setting can hold {annotation}")
    return _Slot(annotation, optional, (), limits, default)


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The first paragraph on one line, and each section's text by lower-case title."""
    summary = " ".join(text.split("\n\n", 1)[0].split())
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        if title := _SECTION.fullmatch(line):
            current = sections.setdefault(title["title"].lower(), [])
        elif line and not line.startswith(" "):
            current = None
        elif current is not None:
            current.append(line)
    return summary, {
        title: inspect.cleandoc("\n" + "\n".join(lines)) for title, lines in sections.items()
    }


def _arguments(text: str) -> dict[str, str]:
    """The `Args` section by parameter; continuation lines are indented deeper."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith(" ") and (start := _ARGUMENT.fullmatch(line)):
            name = start["name"]
            found[name] = start["text"]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
