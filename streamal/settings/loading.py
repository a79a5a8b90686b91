"""Reading settings, and saying what is wrong with them in one line each."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from streamal.errors import SettingsInvalid
from streamal.settings.tree import ENV_DELIMITER, ENV_PREFIX, Settings

__all__ = ["load_settings"]


class _Outside(Settings):
    """Settings from file and environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file."""
        return env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(path: Path | None) -> Settings:
    """Settings from the TOML file at `path` (None: defaults) and the environment.

    Raises:
        SettingsInvalid: the file can't be read, or a setting is wrong.
    """
    unknown = _unknown_variables(os.environ)
    try:
        settings = _read(path)
    except SettingsInvalid as error:
        raise SettingsInvalid(*unknown, *error.problems) from None
    if unknown:
        raise SettingsInvalid(*unknown)
    return settings


def _read(path: Path | None) -> Settings:
    try:
        return _class_reading(path)()
    except ValidationError as error:
        raise SettingsInvalid(*(_line(details) for details in error.errors())) from None
    except SettingsError as error:
        raise SettingsInvalid(_unreadable_variable(error, os.environ)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error}") from None


def _class_reading(path: Path | None) -> type[Settings]:
    if path is None:
        return _Outside
    if not path.is_file():
        raise SettingsInvalid(f"{path}: no such file")

    class FromFile(_Outside):
        model_config = SettingsConfigDict(toml_file=path)

    return FromFile


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """One line for each variable whose section does not exist; pydantic would pass it over.

    Names without the delimiter are not looked at: Kubernetes sets some, such as
    `STREAMAL_GATE_PORT` for a service that is called streamal-gate.
    """
    lines = []
    for name in sorted(environment):
        section, delimiter, _ = name.upper().removeprefix(ENV_PREFIX).partition(ENV_DELIMITER)
        ours = name.upper().startswith(ENV_PREFIX) and delimiter
        if ours and section.lower() not in Settings.model_fields:
            lines.append(f"{name}: unknown key; {_alternatives((section.lower(),))}")
    return lines


def _unreadable_variable(error: SettingsError, environment: Mapping[str, str]) -> str:
    """Which variable is not the JSON that it has to be; never its value."""
    text = getattr(error.__cause__, "doc", None)
    names = [
        name
        for name, value in environment.items()
        if value == text and name.upper().startswith(ENV_PREFIX)
    ]
    return f"{', '.join(sorted(names)) or 'environment'}: must be JSON ({error.__cause__ or error})"


#: Keys with these words hold secrets, whose values no message may show.
_SECRET_WORDS = ("password", "secret", "signing_keys", "label_studio.token", "token_hash")


def _line(error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key; {_alternatives(error['loc'])}"
    if error["type"] == "model_type":
        return f"{key}: must be a table of settings, as under [{key}]"
    if isinstance(error["input"], Mapping):
        return f"{key}: {error['msg']}"
    return f"{key} = {_shown(key, error['input'])}: {error['msg']}"


def _shown(key: str, value: object) -> str:
    if any(word in key for word in _SECRET_WORDS):
        return "(secret)"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _alternatives(loc: tuple[int | str, ...]) -> str:
    """What may stand where `loc` stands, the nearest spelling first."""
    section: type[BaseModel] | None = Settings
    for part in loc[:-1]:
        section = _subsection(section, str(part))
    known = sorted(section.model_fields) if section else []
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"allowed: {', '.join(known)}"


def _subsection(section: type[BaseModel] | None, name: str) -> type[BaseModel] | None:
    field = section.model_fields.get(name) if section else None
    annotation: object = field.annotation if field else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None
