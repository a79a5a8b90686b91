"""A prediction in memory: what the gate works with, however it was read.

The models in `prediction` are the contract: they validate, explain and describe. An instance of
theirs takes ten times as long to make as one of these, of which every event needs three.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from streamal.events.prediction import DetectedObject, ModelRef, Output, Prediction

__all__ = [
    "AnyModel",
    "AnyObject",
    "AnyOutput",
    "DecodedModel",
    "DecodedObject",
    "DecodedOutput",
    "DecodedPrediction",
    "decoded",
]

_FeatureValue: TypeAlias = bool | int | float | str | tuple[float, ...] | None
_MetadataValue: TypeAlias = bool | int | float | str | None


class DecodedModel(Struct, frozen=True, gc=False):
    """Which production model made a prediction, as `ModelRef`."""

    name: str = "production"
    version: str = "unknown"

    def event(self) -> ModelRef:
        """The same as a part of wire events."""
        return ModelRef(name=self.name, version=self.version)


class DecodedObject(Struct, frozen=True, gc=False):
    """One object that production found, as `DetectedObject`."""

    label: str | None = None
    score: float | None = None
    probabilities: dict[str, float] | None = None
    box: tuple[float, ...] | None = None

    def event(self) -> DetectedObject:
        """The same as a part of wire events."""
        return DetectedObject.model_construct(
            label=self.label, score=self.score, probabilities=self.probabilities, box=self.box
        )


class DecodedOutput(Struct, frozen=True, gc=False):
    """What production said, as `Output`."""

    label: str | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    token_probabilities: tuple[float, ...] | None = None
    objects: tuple[DecodedObject, ...] | None = None

    def event(self) -> Output:
        """The same as a part of wire events; it was validated when it was read."""
        return Output.model_construct(
            label=self.label,
            probabilities=self.probabilities,
            value=self.value,
            token_probabilities=self.token_probabilities,
            objects=None if self.objects is None else tuple(each.event() for each in self.objects),
        )


class DecodedPrediction(Struct, frozen=True, gc=False):
    """One prediction of a production model, with the meaning of `Prediction`.

    Attributes:
        event_id: unique over the pipeline's memory of ids.
        timestamp: when production made the prediction, in UTC.
        occurred_at: the same, seconds since the Unix epoch.
        model: the production model.
        features: model inputs, as production published them.
        prediction: what production said.
        committee: what members of an ensemble said.
        metadata: anything to segment or display by.
    """

    event_id: str
    timestamp: datetime
    occurred_at: float
    model: DecodedModel
    features: dict[str, _FeatureValue]
    prediction: DecodedOutput
    committee: tuple[dict[str, float] | float, ...] | None
    metadata: dict[str, _MetadataValue]

    def event(self) -> Prediction:
        """The same as a wire event."""
        return Prediction(
            event_id=self.event_id,
            timestamp=self.timestamp,
            model=self.model.event(),
            features=self.features,
            prediction=self.prediction.event(),
            committee=self.committee,
            metadata=self.metadata,
        )


#: Parts that are read in the same way from a wire event and from a decoded prediction.
AnyModel: TypeAlias = ModelRef | DecodedModel
AnyObject: TypeAlias = DetectedObject | DecodedObject
AnyOutput: TypeAlias = Output | DecodedOutput


def decoded(prediction: Prediction) -> DecodedPrediction:
    """What was validated, in the shape that the gate works with."""
    return DecodedPrediction(
        event_id=prediction.event_id,
        timestamp=prediction.timestamp,
        occurred_at=prediction.timestamp.timestamp(),
        model=DecodedModel(prediction.model.name, prediction.model.version),
        features=prediction.features,
        prediction=_decoded_output(prediction.prediction),
        committee=prediction.committee,
        metadata=prediction.metadata,
    )


def _decoded_output(output: Output) -> DecodedOutput:
    objects = output.objects
    return DecodedOutput(
        label=output.label,
        probabilities=output.probabilities,
        value=output.value,
        token_probabilities=output.token_probabilities,
        objects=None if objects is None else tuple(map(_decoded_object, objects)),
    )


def _decoded_object(found: DetectedObject) -> DecodedObject:
    return DecodedObject(found.label, found.score, found.probabilities, found.box)
