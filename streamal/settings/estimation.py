"""How production's accuracy is estimated."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from streamal.events.segments import PREDICTION
from streamal.settings.common import Section, comma_separated

__all__ = [
    "EstimationSettings",
]


class EstimationSettings(Section):
    """How production's accuracy is estimated.

    Attributes:
        window_seconds: length of an event-time window.
        label_horizon_seconds: how long after a decision a label still counts for estimates; at most
            labels.ttl_seconds. A window is estimated once its last decision is that old, so this is
            how far estimates lag behind; labels that come later are learned all the same.
        level: confidence level of intervals, in (0, 1).
        error_objective: regression only: mean absolute error that production must keep, in the
            truth's unit; what alerts hold it to. Unset: no such promise.
        segments: metadata keys by whose values accuracy is estimated apart, and `model_version` or
            `model_name` of production: what a canary is compared by. Each costs a series per value.
        segment_values: values of each key that are told apart, the most frequent; all others
            count as `other`.
        classes: classes of production that get a precision and a recall, the most frequent; 0 for
            none.
    """

    window_seconds: float = Field(default=3600, gt=0)
    label_horizon_seconds: float = Field(default=86_400, gt=0)
    level: float = Field(default=0.95, gt=0, lt=1)
    error_objective: float | None = Field(default=None, gt=0)
    segments: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=64)], ...],
        NoDecode,
        BeforeValidator(comma_separated),
    ] = ("model_version",)
    segment_values: int = Field(default=10, ge=1, le=100)
    classes: int = Field(default=20, ge=0, le=1000)

    @field_validator("segments")
    @classmethod
    def _distinct(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if PREDICTION in keys:
            raise PydanticCustomError(
                "segments",
                "must not name {key}: classes are always told apart",
                {"key": PREDICTION},
            )
        if len(set(keys)) < len(keys) or len(keys) > 10:
            raise PydanticCustomError("segments", "must be at most 10 different keys", {})
        return keys
