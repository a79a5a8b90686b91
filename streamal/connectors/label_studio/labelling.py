"""Labelling interfaces: made for a pipeline, or read from a project that people made themselves.

Everything that comes from settings or events goes through an XML writer or into task data, so no
class, feature or value can add a tag. What a page loads by itself (images, sounds, videos) is only
what `[label_studio.display]` names, and only from http and https addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, TypeAlias
from xml.etree import ElementTree

from streamal.errors import SettingsInvalid

__all__ = [
    "NOTE",
    "UNSURE",
    "Display",
    "Interface",
    "Shown",
    "labelling_config",
    "read_interface",
    "variable",
]

#: How a feature is shown: in the table of all features, as running text, as a link that opens in a
#: tab of its own, as a picture, sound or film that the page loads, or not at all.
Display: TypeAlias = Literal["table", "text", "link", "image", "audio", "video", "hidden"]

#: Answer of "I cannot tell"; the name of a class could be anything but this.
UNSURE: Final = "streamal:unsure"
#: Control with the annotator's remark.
NOTE: Final = "note"
#: Control with the answer, and the table that it is drawn beside.
_ANSWER: Final = "label"
_TABLE: Final = "features"
#: Task data that is no feature.
_RESERVED: Final = frozenset({_TABLE, "event_id", "pipeline", "occurred_at", "expires_at"})
_TAGS: Final[Mapping[str, str]] = {
    "text": "Text",
    "link": "HyperText",
    "image": "Image",
    "audio": "Audio",
    "video": "Video",
}
_DIGITS: Final = 9
#: XML 1.0 has no way to write these.
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Shown:
    """One place of a labelling interface that is filled from task data.

    Attributes:
        variable: key of the task data.
        tag: the tag that shows it, such as `Image`.
    """

    variable: str
    tag: str


@dataclass(frozen=True, slots=True)
class Interface:
    """What of a labelling interface the bridge must know.

    Attributes:
        control: name of the control that takes the answer.
        to_name: name of what it is about.
        kind: `choices` for a class, `number` for a regression.
        choices: the answers it offers, `UNSURE` among them if it does; empty for numbers.
        shown: what is filled from task data.
    """

    control: str
    to_name: str
    kind: Literal["choices", "number"]
    choices: frozenset[str]
    shown: tuple[Shown, ...]


def variable(feature: str) -> str:
    """The key of a feature in task data: its name where that is one, else one made of it.

    >>> variable("amount"), variable("expires_at")
    ('amount', 'expires_at_1332')
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", feature)
    if plain == feature and plain not in _RESERVED and plain.isidentifier():
        return plain
    return f"{plain.lstrip('0123456789')}_{blake2b(feature.encode(), digest_size=2).hexdigest()}"


def labelling_config(
    classes: Sequence[str], display: Mapping[str, Display], *, regression: bool = False
) -> str:
    """The labelling interface of a new project.

    Args:
        classes: what can be answered, in the order of the keys 1 to 9; ignored in a regression.
        display: features that are not (only) shown in the table.
        regression: ask for a number.

    Raises:
        SettingsInvalid: there are no classes, or one can't be written.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Table", name=_TABLE, value=f"${_TABLE}")
    for feature in sorted(display):
        tag = _TAGS.get(display[feature])
        if tag is not None:
            key = variable(feature)
            title = f"Feature: {_writable(feature)}"
            ElementTree.SubElement(view, "Header", value=title, size="5")
            ElementTree.SubElement(view, tag, name=f"show_{key}", value=f"${key}")
    if regression:
        ElementTree.SubElement(
            view, "Number", name=_ANSWER, toName=_TABLE, required="false", step="any"
        )
    else:
        _add_choices(view, classes)
    ElementTree.SubElement(
        view,
        "TextArea",
        name=NOTE,
        toName=_TABLE,
        placeholder="Note (optional)",
        maxSubmissions="1",
        editable="true",
        rows="2",
    )
    return ElementTree.tostring(view, encoding="unicode")


def _add_choices(view: ElementTree.Element, classes: Sequence[str]) -> None:
    if not classes:
        raise SettingsInvalid(
            "pipeline.classes: empty; a Label Studio project can't be made without the classes to "
            "choose from"
        )
    choices = ElementTree.SubElement(
        view,
        "Choices",
        name=_ANSWER,
        toName=_TABLE,
        choice="single-radio",
        required="true",
        showInLine="true",
    )
    for number, label in enumerate(classes, start=1):
        hotkey = {"hotkey": str(number)} if number <= _DIGITS else {}
        ElementTree.SubElement(choices, "Choice", {**_shown_as(_writable(label)), **hotkey})
    ElementTree.SubElement(choices, "Choice", value="I cannot tell", alias=UNSURE, hotkey="0")


def _shown_as(label: str) -> dict[str, str]:
    """The page would look up `$name` in the task's data; behind a joiner it is text."""
    if label.startswith("$"):
        return {"value": f"\N{WORD JOINER}{label}", "alias": label}
    return {"value": label}


def _writable(text: str) -> str:
    if _NOT_XML.search(text) or not text.strip():
        raise SettingsInvalid(
            f"pipeline.classes, label_studio.display: {text!r} can't be shown by Label Studio; "
            "control characters and blank names are not allowed"
        )
    return text


def read_interface(config: str, classes: Sequence[str], *, regression: bool = False) -> Interface:
    """The interface of a project.

    Args:
        config: its labelling configuration, XML.
        classes: those that must be among the choices.
        regression: whether a number is asked for.

    Raises:
        SettingsInvalid: no control, or more than one, could take the answer; or classes are
            missing.
    """
    root = _parsed(config)
    wanted = "Number" if regression else "Choices"
    control = _control(root, wanted)
    choices = frozenset(
        choice.get("alias") or choice.get("value") or "" for choice in control.iter("Choice")
    )
    missing = [label for label in classes if label not in choices]
    if missing and not regression:
        raise SettingsInvalid(
            f"label_studio: the project's control {control.get('name')} lacks the choices "
            f"{', '.join(missing)}; add them to its labelling interface"
        )
    return Interface(
        control=control.get("name", ""),
        to_name=control.get("toName", "").split(",")[0],
        kind="number" if regression else "choices",
        choices=choices,
        shown=tuple(
            Shown(value[1:], element.tag)
            for element in root.iter()
            if (value := element.get("value", "")).startswith("$") and element.get("name")
        ),
    )


def _parsed(config: str) -> ElementTree.Element:
    # Written by an administrator of Label Studio, who can do worse there than a billion laughs.
    try:
        return ElementTree.fromstring(config)  # noqa: S314  see above
    except ElementTree.ParseError as error:
        raise SettingsInvalid(
            f"label_studio: the project's labelling interface is not XML: {error}"
        ) from None


def _control(root: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = [element for element in root.iter(tag) if element.get("toName")]
    named = [element for element in found if element.get("name") == _ANSWER]
    chosen = named or found
    if len(chosen) != 1:
        raise SettingsInvalid(
            f"label_studio: the project's labelling interface has {len(found)} controls <{tag}>; "
            f'needs one, or one with name="{_ANSWER}"'
        )
    return chosen[0]
