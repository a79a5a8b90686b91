"""The value of a segment's key."""

from __future__ import annotations

import pytest

from streamal.events import ModelRef, Output
from streamal.events.segments import MISSING, OTHER, segment_value

MODEL = ModelRef(name="fraud", version="7")
OUTPUT = Output(label="yes")
METADATA = {"country": "de", "vip": True, "tier": 3, "gap": None, "note": "x" * 65, "blank": ""}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("country", "de"),
        ("vip", "true"),
        ("tier", "3"),
        ("gap", MISSING),
        ("absent", MISSING),
        ("note", OTHER),
        ("blank", OTHER),
        ("model_version", "7"),
        ("model_name", "fraud"),
        ("prediction", "yes"),
    ],
)
def test_a_key_has_a_value(key: str, value: str) -> None:
    assert segment_value(key, MODEL, OUTPUT, METADATA) == value


def test_a_regression_has_no_class() -> None:
    assert segment_value("prediction", MODEL, Output(value=1.5), {}) is None
