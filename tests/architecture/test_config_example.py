"""The example configuration shows every setting, as it is by default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from streamal.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "config.example.toml"
#: A setting, perhaps commented out (`#name`); prose has a space after the `#`.
SETTING = re.compile(r"^#?[a-z_]+ = ")


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in os.environ:
        if variable.startswith("STREAMAL_"):
            monkeypatch.delenv(variable)


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for field, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from keys(info.annotation, f"{prefix}{field}.")
        else:
            yield f"{prefix}{field}"


def keys_of(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from keys_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def with_optional_settings() -> str:
    return re.sub(r"^#([a-z_]+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)


def test_it_shows_every_setting_and_no_other() -> None:
    assert set(keys_of(tomllib.loads(with_optional_settings()))) == set(keys(Settings))


def test_it_shows_the_defaults() -> None:
    assert load_settings(EXAMPLE).model_dump() == Settings().model_dump()


def test_what_has_no_default_is_commented_out() -> None:
    shown = set(keys_of(tomllib.loads(EXAMPLE.read_text())))
    unset = {key for key in keys(Settings) if _default(key) is None}
    assert unset == set(keys(Settings)) - shown


def _default(key: str) -> object:
    value: object = Settings()
    for part in key.split("."):
        value = getattr(value, part)
    return value


def test_its_examples_are_valid(tmp_path: Path) -> None:
    path = tmp_path / "streamal.toml"
    path.write_text(with_optional_settings())
    assert load_settings(path).gate.max_per_hour is not None


def test_every_setting_is_explained_in_the_line_above() -> None:
    above = ""
    for line in EXAMPLE.read_text().splitlines():
        if SETTING.match(line):
            assert above.startswith("# "), line
        above = line
