"""Parameters by reflection: what can be said about a class, and what settings may say to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import pytest

from streamal.core.parameters import Nested, Range, check, construct, describe, parameters_of
from streamal.core.types import JsonValue
from streamal.errors import SettingsInvalid


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Kettle:
    """Boils water.

    Not part of the summary.

    Formula:
        heat = power * time

    Args:
        power: watts drawn
            from the wall.
        size: litres.
        colour (Colour): of the lid.

    References:
        A. Maker (1900).
        On kettles.
    """

    name: ClassVar[str] = "kettle"

    def __init__(
        self,
        power: Annotated[float, Range(0, 3000, open_low=True)],
        size: Annotated[int, Range(low=1)] = 2,
        colour: Colour = Colour.RED,
        whistle: bool = False,
        label: str | None = None,
        plug: Literal["C", "G"] = "C",
        limit: Annotated[float | None, Range(0, 1)] = None,
    ) -> None:
        self.power = power
        self.size = size
        self.colour = colour
        self.whistle = whistle
        self.label = label
        self.plug = plug
        self.limit = limit


def build(**parameters: JsonValue) -> Kettle:
    return construct(Kettle, parameters, key="kitchen.kettle")


def problems_of(**parameters: JsonValue) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        build(**parameters)
    return caught.value.problems


def test_a_description_is_read_from_signature_and_docstring() -> None:
    description = describe(Kettle)
    assert description.name == "kettle"
    assert description.summary == "Boils water."
    assert description.source == "A. Maker (1900). On kettles."
    assert description.sections == {"formula": "heat = power * time"}
    power, size, colour, whistle, label, plug, limit = description.parameters
    assert (power.type, power.required, power.range) == ("number", True, "(0, 3000]")
    assert power.description == "watts drawn from the wall."
    assert (size.type, size.default, size.range) == ("integer", 2, "at least 1")
    assert (colour.type, colour.default, colour.choices) == ("string", "red", ("red", "blue"))
    assert colour.description == "of the lid."
    assert (whistle.type, whistle.default, whistle.description) == ("boolean", False, "")
    assert (label.type, label.required, label.default) == ("string or null", False, None)
    assert plug.choices == ("C", "G")
    assert (limit.type, limit.range) == ("number or null", "[0, 1]")


def test_parameters_that_are_set_elsewhere_can_be_left_out() -> None:
    assert describe(Kettle, without=("power", "limit")).parameters[0].name == "size"


def test_a_class_without_constructor_or_docstring_has_no_parameters() -> None:
    bare = type("Bare", (), {})
    assert describe(bare).parameters == ()
    assert describe(bare).name == "Bare"
    assert parameters_of(construct(bare, {}, key="bare")) == {}


def test_values_arrive_as_the_types_of_the_signature() -> None:
    kettle = build(power=2000, colour="blue", limit=1)
    assert isinstance(kettle.power, float)
    assert kettle.colour is Colour.BLUE
    assert isinstance(kettle.limit, float)
    assert build(power=1.0, label=None).label is None


def test_an_instance_tells_what_it_was_built_with() -> None:
    built = parameters_of(build(power=5, colour="blue"))
    assert built == {
        "power": 5.0,
        "size": 2,
        "colour": "blue",
        "whistle": False,
        "label": None,
        "plug": "C",
        "limit": None,
    }
    assert parameters_of(build(**built)) == built


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("power", 0, "a number, in (0, 3000]"),
        ("power", float("nan"), "a number, in (0, 3000]"),
        ("power", float("inf"), "a number, in (0, 3000]"),
        ("power", "5", "a number, in (0, 3000]"),
        ("power", True, "a number, in (0, 3000]"),
        ("power", None, "a number, in (0, 3000]"),
        ("size", 0, "an integer, at least 1"),
        ("size", 1.0, "an integer, at least 1"),
        ("colour", "green", "one of red, blue"),
        ("colour", 1, "one of red, blue"),
        ("whistle", "false", "a boolean"),
        ("whistle", 0, "a boolean"),
        ("label", 3, "a string or null"),
        ("plug", "c", "one of C, G"),
        ("limit", 1.5, "a number or null, in [0, 1]"),
    ],
)
def test_a_wrong_value_is_one_line(parameter: str, value: JsonValue, allowed: str) -> None:
    parameters: dict[str, JsonValue] = {"power": 1.0, parameter: value}
    expected = f"kitchen.kettle.{parameter}: {value!r} is not allowed; {allowed}"
    assert problems_of(**parameters) == (expected,)


def test_every_problem_is_told_at_once() -> None:
    assert problems_of(sise=1, whistle=3) == (
        (
            "kitchen.kettle.sise: unknown parameter; "
            "allowed: power, size, colour, whistle, label, plug, limit"
        ),
        "kitchen.kettle.power: missing; a number, in (0, 3000]",
        "kitchen.kettle.whistle: 3 is not allowed; a boolean",
    )


def test_shared_parameters_stand_at_their_own_key_and_only_there() -> None:
    kettle = construct(
        Kettle, {}, key="kettle", shared={"power": 7, "unused": 1}, shared_key="home"
    )
    assert kettle.power == 7.0
    with pytest.raises(SettingsInvalid) as caught:
        construct(Kettle, {"power": 8}, key="kettle", shared={"power": -1}, shared_key="home")
    unknown, wrong = caught.value.problems
    assert unknown.startswith("kettle.power: unknown parameter; allowed: size")
    assert wrong == "home.power: -1 is not allowed; a number, in (0, 3000]"


@pytest.mark.parametrize("annotation", [list[int], int | str, object])
def test_an_annotation_that_no_setting_can_hold_is_refused(annotation: object) -> None:
    with pytest.raises(TypeError, match="no setting can hold"):
        check("key", 1, annotation)


@pytest.mark.parametrize(
    ("limits", "words", "inside", "outside"),
    [
        (Range(0, 1), "[0, 1]", (0, 1), (-0.1, 1.1)),
        (Range(0, 1, open_low=True, open_high=True), "(0, 1)", (0.5,), (0, 1)),
        (Range(high=5, open_high=True), "below 5", (-1e9, 4.9), (5,)),
        (Range(high=5), "at most 5", (5,), (5.1,)),
        (Range(low=0, open_low=True), "above 0", (1e-9, 1e9), (0,)),
    ],
)
def test_ranges(
    limits: Range, words: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert str(limits) == words
    assert all(number in limits for number in inside)
    assert not any(number in limits for number in outside)


def read_size(key: str, value: object) -> tuple[int, int]:
    if isinstance(value, dict) and value.keys() == {"width", "depth"}:
        return value["width"], value["depth"]
    raise SettingsInvalid(f"{key}.width: missing", f"{key}.depth: missing")


def write_size(size: tuple[int, int]) -> JsonValue:
    return {"width": size[0], "depth": size[1]}


class Shelf:
    """Holds books."""

    def __init__(
        self, size: Annotated[tuple[int, int], Nested("table", read_size, write_size)] = (80, 20)
    ) -> None:
        self.size = size


def test_a_parameter_with_parts_reads_and_writes_itself() -> None:
    (size,) = describe(Shelf).parameters
    assert (size.type, size.required, size.default) == ("table", False, {"width": 80, "depth": 20})
    shelf = construct(Shelf, {"size": {"width": 30, "depth": 10}}, key="room.shelf")
    assert shelf.size == (30, 10)
    assert parameters_of(shelf) == {"size": {"width": 30, "depth": 10}}
    assert construct(Shelf, {}, key="room.shelf").size == (80, 20)


def test_a_parameter_with_parts_tells_what_is_wrong_inside() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        construct(Shelf, {"size": 3, "colour": "red"}, key="room.shelf")
    assert caught.value.problems == (
        "room.shelf.colour: unknown parameter; allowed: size",
        "room.shelf.size.width: missing",
        "room.shelf.size.depth: missing",
    )
