"""Which segments an event belongs to: values of metadata keys, its model, its predicted class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamal.events.decoded import AnyModel, AnyOutput

__all__ = ["MISSING", "MODEL_NAME", "MODEL_VERSION", "OTHER", "PREDICTION", "segment_value"]

#: Keys that are no metadata: name and version of the production model, and the class it chose.
MODEL_NAME: Final = "model_name"
MODEL_VERSION: Final = "model_version"
PREDICTION: Final = "prediction"

#: Values without a name of their own, and events that do not carry the key.
OTHER: Final = "other"
MISSING: Final = "missing"

#: A longer value is an identifier or a text, and would only fill labels of metrics.
_LONGEST: Final = 64


def segment_value(
    key: str, produced_by: AnyModel, output: AnyOutput, metadata: Mapping[str, object]
) -> str | None:
    """The value of one key, as text; None when it does not apply (a class in a regression).

    Args:
        key: `model_name`, `model_version`, `prediction`, or a key of the metadata.
        produced_by: the production model.
        output: what production said.
        metadata: as production published it.
    """
    if key == PREDICTION:
        return None if output.label is None else _short(output.label)
    if key == MODEL_VERSION:
        return _short(produced_by.version)
    if key == MODEL_NAME:
        return _short(produced_by.name)
    value = metadata.get(key)
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    return _short(str(value))


def _short(text: str) -> str:
    return text if 0 < len(text) <= _LONGEST else OTHER
