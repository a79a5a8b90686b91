"""Which values a parameter takes, and the line it answers with to others."""

from __future__ import annotations

import math

import pytest

from streamal.core.learners.parameters import Parameter, resolve
from streamal.errors import SettingsInvalid

INTEGER = Parameter("n", "integer", 5, "Count.", low=1, high=10)
NUMBER = Parameter("x", "number", 0.5, "Share.", low=0, high=1)
OPEN = Parameter("o", "number", 0.5, "Rate.", low=0)
BOOLEAN = Parameter("b", "boolean", False, "Whether.")
CHOICE = Parameter("c", "string", "red", "Colour.", choices=("red", "blue"))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [(INTEGER, 1), (INTEGER, 10), (NUMBER, 0.25), (NUMBER, 1), (BOOLEAN, True), (CHOICE, "blue")],
)
def test_allowed_values_pass(parameter: Parameter, value: object) -> None:
    assert parameter.checked(value) == value


def test_an_integer_becomes_a_number_where_one_is_asked_for() -> None:
    assert isinstance(NUMBER.checked(1), float)


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        (INTEGER, 0, "an integer from 1 to 10"),
        (INTEGER, 2.0, "an integer from 1 to 10"),
        (INTEGER, True, "an integer from 1 to 10"),
        (INTEGER, None, "an integer from 1 to 10"),
        (NUMBER, 1.5, "a number from 0 to 1"),
        (NUMBER, "0.5", "a number from 0 to 1"),
        (NUMBER, math.nan, "a number from 0 to 1"),
        (OPEN, -1, "a number >= 0"),
        (BOOLEAN, "false", "true or false"),
        (BOOLEAN, 0, "true or false"),
        (CHOICE, "green", "one of red, blue"),
        (CHOICE, ["red"], "one of red, blue"),
    ],
)
def test_other_values_are_named_with_what_is_allowed(
    parameter: Parameter, value: object, allowed: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parameter.checked(value)
    assert caught.value.problems == (
        f"learner.parameters.{parameter.name}: {value!r} is not allowed; {allowed}",
    )


def test_given_values_go_over_the_defaults() -> None:
    assert resolve("mine", [INTEGER, NUMBER], {"n": 7}) == {"n": 7, "x": 0.5}
