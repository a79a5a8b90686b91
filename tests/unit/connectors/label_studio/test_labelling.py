"""Interfaces that are made or read; nothing that comes from outside can add to them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from streamal.connectors.label_studio.labelling import (
    UNSURE,
    Display,
    Shown,
    labelling_config,
    read_interface,
    variable,
)
from streamal.errors import SettingsInvalid

NASTY = 'a"/><Image name="x" value="http://evil"/><Choice value="'


def parsed(config: str) -> ElementTree.Element:
    return ElementTree.fromstring(config)  # noqa: S314  made here


def test_what_is_made_can_be_read() -> None:
    interface = read_interface(labelling_config(("ham", "spam"), {}), ("ham", "spam"))
    assert interface.control == "label"
    assert interface.to_name == "features"
    assert interface.kind == "choices"
    assert interface.choices == {"ham", "spam", UNSURE}
    assert interface.shown == (Shown("features", "Table"),)


@pytest.mark.parametrize("label", [NASTY, "a & b", "<b>", "'", "$price", "ü €", "a\nb"])
def test_a_class_is_one_choice_whatever_it_is_called(label: str) -> None:
    config = labelling_config((label, "other"), {})
    tree = parsed(config)
    answers = [each.get("alias") or each.get("value") for each in tree.iter("Choice")]
    assert answers == [label, "other", UNSURE]
    assert not any((each.get("value") or "").startswith("$") for each in tree.iter("Choice"))
    assert len(list(tree.iter("Image"))) == 0
    assert label in read_interface(config, (label,)).choices


@pytest.mark.parametrize("name", [NASTY, "$x", "photo", "expires_at", "1st", "a b", "ümlaut"])
def test_a_feature_is_one_place_whatever_it_is_called(name: str) -> None:
    shown = read_interface(labelling_config(("a", "b"), {name: "text"}), ()).shown
    assert shown == (Shown("features", "Table"), Shown(variable(name), "Text"))


def test_only_named_features_are_loaded_by_the_page() -> None:
    display: dict[str, Display] = {
        "photo": "image",
        "clip": "video",
        "voice": "audio",
        "site": "link",
        "secret": "hidden",
        "amount": "table",
    }
    tree = parsed(labelling_config(("a", "b"), display))
    tags = {each.tag: each.get("value") for each in tree if (each.get("value") or "")[:1] == "$"}
    assert tags == {
        "Table": "$features",
        "Image": "$photo",
        "Video": "$clip",
        "Audio": "$voice",
        "HyperText": "$site",
    }


def test_variables_are_names_and_differ() -> None:
    names = ["a", "a b", "a-b", "features", "event_id", "9", "", "_"]
    variables = [variable(name) for name in names]
    assert len(set(variables)) == len(names)
    assert all(each.isidentifier() for each in variables)
    assert "features" not in variables


def test_the_first_nine_classes_have_keys() -> None:
    tree = parsed(labelling_config([f"c{n}" for n in range(12)], {}))
    keys = [choice.get("hotkey") for choice in tree.iter("Choice")]
    assert keys == [*"123456789", None, None, None, "0"]


def test_a_regression_asks_for_a_number() -> None:
    interface = read_interface(labelling_config((), {}, regression=True), (), regression=True)
    assert interface.kind == "number"
    assert interface.choices == set()


@pytest.mark.parametrize(
    ("classes", "words"),
    [((), "pipeline.classes: empty"), (("a\x00b",), "can't be shown"), (("  ",), "can't be shown")],
)
def test_classes_that_make_no_interface(classes: tuple[str, ...], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        labelling_config(classes, {})


OWN = (
    '<View><Text name="mail" value="$text"/><Choices name="verdict" toName="mail">'
    '<Choice value="Ham" alias="ham"/><View><Choice value="spam"/></View></Choices></View>'
)


def test_a_project_of_their_own_is_matched() -> None:
    interface = read_interface(OWN, ("ham", "spam"))
    assert (interface.control, interface.to_name) == ("verdict", "mail")
    assert interface.shown == (Shown("text", "Text"),)


TWO = (
    '<View><Text name="t" value="$t"/><Choices name="a" toName="t"/>'
    '<Choices name="b" toName="t"/></View>'
)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (OWN, "lacks the choices eggs"),
        ("<View/>", "has 0 controls <Choices>"),
        (OWN.replace("</View>", "", 1), "not XML"),
        (
            TWO,
            "has 2 controls <Choices>",
        ),
    ],
)
def test_a_project_that_will_not_do(config: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        read_interface(config, ("ham", "eggs"))
