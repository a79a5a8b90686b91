"""What a learner can be configured with: described once, checked here, listed by the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from streamal.errors import SettingsInvalid

__all__ = ["KEY", "Parameter", "Value", "resolve"]

Value: TypeAlias = "bool | int | float | str"

#: Where the settings keep a learner's parameters; error lines name the full key.
KEY = "learner.parameters"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One configurable parameter.

    Attributes:
        name: as in the settings.
        type: JSON type of the value.
        default: used when the settings don't name it.
        description: one line; units where there are any.
        low: least value allowed, for numbers.
        high: largest value allowed, for numbers.
        choices: values allowed, for text; empty where the learner itself says what is.
    """

    name: str
    type: Literal["boolean", "integer", "number", "string"]
    default: Value
    description: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """In words, what values are allowed."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type == "boolean":
            return "true or false"
        if self.type == "string":
            return "text"
        kind = "an integer" if self.type == "integer" else "a number"
        if self.high == math.inf:
            return f"{kind} >= {self.low:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def checked(self, value: object) -> Value:
        """`value` when it is allowed; an integer passes as a number.

        Raises:
            SettingsInvalid: it is not; names the key, the value and what is allowed.
        """
        if self.type == "boolean":
            if isinstance(value, bool):
                return value
        elif self.type == "string":
            if isinstance(value, str) and (value in self.choices or not self.choices):
                return value
        elif isinstance(value, int if self.type == "integer" else (int, float)) and (
            not isinstance(value, bool) and self.low <= value <= self.high
        ):
            return value if self.type == "integer" else float(value)
        raise SettingsInvalid(f"{KEY}.{self.name}: {value!r} is not allowed; {self.allowed}")


def resolve(
    learner: str, allowed: Sequence[Parameter], given: Mapping[str, object]
) -> dict[str, Value]:
    """The given values over the defaults, checked.

    Args:
        learner: registered name, for the error line.
        allowed: all parameters of that learner.
        given: JSON values by name.

    Raises:
        SettingsInvalid: with one line for each unknown name and each value that is not allowed.
    """
    values: dict[str, Value] = {parameter.name: parameter.default for parameter in allowed}
    problems = [
        f"{KEY}.{name}: {given[name]!r} is for no parameter of {learner}; it takes "
        + ", ".join(values)
        for name in given
        if name not in values
    ]
    for parameter in allowed:
        if parameter.name in given:
            try:
                values[parameter.name] = parameter.checked(given[parameter.name])
            except SettingsInvalid as error:
                problems.extend(error.problems)
    if problems:
        raise SettingsInvalid(*problems)
    return values
