"""Who the pipeline is, and how production's messages are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from streamal.events.formats import FieldMapping
from streamal.settings.common import Name, Names, Section, comma_separated

__all__ = [
    "FormatSettings",
    "PipelineSettings",
]


class PipelineSettings(Section):
    """Identity of the pipeline.

    Attributes:
        name: prefix of consumer groups and transactional ids; label of every metric.
        task: what production predicts: a class, or in a `regression` a number.
        classes: the known classes; others are rejected. Empty: any class is accepted.
        tolerance: regression only, and needed there: how far from the truth a prediction may be and
            still count as right, in the truth's unit.
        value_range: regression only: least and largest number that a prediction or a label may be;
            others are rejected. Unset: any up to 1e100 in magnitude.
        seed: seed of every event-hashed draw.
    """

    name: Name = "streamal"
    task: Literal["classification", "regression"] = "classification"
    classes: Names = ()
    tolerance: float | None = Field(default=None, ge=0)
    value_range: Annotated[
        tuple[float, float] | None, NoDecode, BeforeValidator(comma_separated)
    ] = None
    seed: int = 0


class FormatSettings(Section):
    """How production's messages are read.

    Attributes:
        kind: the adapter; `flat` is JSON with a field mapping.
        fields: where production's JSON holds what, see `FieldMapping`.
        probability_tolerance: largest |sum - 1| of probabilities that is accepted.
        normalise_probabilities: divide by the sum instead of rejecting.
        required_features: features without which an event is rejected.
        max_event_bytes: larger events are rejected unparsed.
        max_future_seconds: events dated further ahead of the clock are rejected.
    """

    kind: Literal["flat"] = "flat"
    fields: FieldMapping = FieldMapping()
    probability_tolerance: float = Field(default=1e-3, ge=0, lt=1)
    normalise_probabilities: bool = False
    required_features: Names = ()
    max_event_bytes: int = Field(default=1024 * 1024, ge=1024)
    max_future_seconds: float = Field(default=300, ge=0)
