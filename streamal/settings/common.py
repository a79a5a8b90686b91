"""What every section of the settings shares."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

__all__ = ["Name", "Names", "Parameters", "Section", "comma_separated"]

#: Kafka accepts these characters in topic, group and transactional-id names.
_NAME = r"^[A-Za-z0-9._-]+$"
Name = Annotated[str, Field(pattern=_NAME, min_length=1, max_length=200)]
#: JSON-like values for constructor parameters; checked against the constructor by its builder.
Parameters = dict[str, Any]


def comma_separated(value: object) -> object:
    """Lists may be written as text, as environment variables have to: with commas, or as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise PydanticCustomError("list", "begins like a JSON list but is none") from None
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]


class Section(BaseModel):
    """Base of every section: frozen, and without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )
