"""Plain JSON with a configurable mapping from production's field names to ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from streamal.errors import Reject
from streamal.events.base import load_json, rejecting
from streamal.events.formats.base import Envelope
from streamal.events.prediction import Prediction, ProbabilityRules

__all__ = ["FieldMapping", "FlatFormat"]

_ABSENT: Final = object()
#: Stands for the message's key or timestamp where production's JSON has no such field.
KEY: Final = "$key"
TIMESTAMP: Final = "$timestamp"
#: As `features`: every top-level field that no other part of the mapping takes.
REST: Final = "*"


class FieldMapping(BaseModel):
    """Where production's JSON holds what streamal needs.

    Every value is a path of object keys joined by dots, such as `result.score`; a top-level key
    that itself holds the dots is found first. Optional parts that a message lacks are left out;
    what the event needs and lacks becomes a dead letter.

    Attributes:
        schema_version: version of the shape, for producers that publish streamal's own.
        event_id: path, or `$key` for the message's key.
        timestamp: path to RFC 3339 text or seconds/milliseconds since the epoch, or `$timestamp`
            for the message's own.
        model_name: name of the production model.
        model_version: version of the production model.
        features: path to an object, or `*` for every top-level field that nothing else maps.
        features_prefix: instead of `features`: top-level fields with this prefix (cut off).
        label: the predicted class.
        probabilities: path to an object from class to probability.
        probabilities_prefix: instead of `probabilities`: top-level fields with this prefix.
        positive_probability: instead of `probabilities`, for two classes: P(positive class).
        positive_class: the class that `positive_probability` speaks of.
        negative_class: the other one.
        value: the predicted value of a regression.
        token_probabilities: list of the probabilities of a sequence's tokens.
        objects: list of detected objects.
        committee: list of probability maps or values.
        metadata: path to an object.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: str = "schema_version"
    event_id: str = "event_id"
    timestamp: str = "timestamp"
    model_name: str = "model.name"
    model_version: str = "model.version"
    features: str = "features"
    features_prefix: str | None = None
    label: str = "prediction.label"
    probabilities: str = "prediction.probabilities"
    probabilities_prefix: str | None = None
    positive_probability: str | None = None
    positive_class: str = "1"
    negative_class: str = "0"
    value: str = "prediction.value"
    token_probabilities: str = "prediction.token_probabilities"  # noqa: S105 - a path, no password
    objects: str = "prediction.objects"
    committee: str = "committee"
    metadata: str = "metadata"


class FlatFormat:
    """Reads JSON objects through a `FieldMapping`; the default mapping is streamal's own shape.

    Args:
        mapping: where to find what.
        rules: how strictly probabilities are checked.
        required_features: features without which an event is rejected.
    """

    name = "flat"

    def __init__(
        self,
        mapping: FieldMapping | None = None,
        rules: ProbabilityRules | None = None,
        required_features: tuple[str, ...] = (),
    ) -> None:
        self._mapping = mapping or FieldMapping()
        self._rules = rules or ProbabilityRules()
        self._required = required_features
        self._taken = _top_level_fields(self._mapping)

    def read(self, envelope: Envelope) -> Prediction:
        """One prediction; see `Format.read`."""
        document = load_json(envelope.value)
        prediction = rejecting(Prediction, self._translate(document, envelope), self._rules)
        for name in self._required:
            if prediction.features.get(name) is None:
                raise Reject("missing_feature", f"features.{name}: required, absent or null")
        return prediction

    def _translate(self, document: dict[str, Any], envelope: Envelope) -> dict[str, Any]:
        mapping = self._mapping
        parts: dict[str, Any] = {
            "schema_version": _find(document, mapping.schema_version),
            "event_id": _key(envelope)
            if mapping.event_id == KEY
            else _find(document, mapping.event_id),
            "timestamp": envelope.timestamp_ms / 1000
            if mapping.timestamp == TIMESTAMP
            else _find(document, mapping.timestamp),
            "model": _present(
                name=_find(document, mapping.model_name),
                version=_find(document, mapping.model_version),
            ),
            "features": self._features(document),
            "prediction": _present(
                label=_find(document, mapping.label),
                probabilities=self._probabilities(document),
                value=_find(document, mapping.value),
                token_probabilities=_find(document, mapping.token_probabilities),
                objects=_find(document, mapping.objects),
            ),
            "committee": _find(document, mapping.committee),
            "metadata": _find(document, mapping.metadata),
        }
        return _present(**parts)

    def _features(self, document: dict[str, Any]) -> object:
        mapping = self._mapping
        if mapping.features_prefix is not None:
            return _prefixed(document, mapping.features_prefix)
        if mapping.features == REST:
            return {name: value for name, value in document.items() if not self._is_taken(name)}
        return _find(document, mapping.features)

    def _is_taken(self, field: str) -> bool:
        prefix = self._mapping.probabilities_prefix
        return field in self._taken or (prefix is not None and field.startswith(prefix))

    def _probabilities(self, document: dict[str, Any]) -> object:
        mapping = self._mapping
        if mapping.probabilities_prefix is not None:
            return _prefixed(document, mapping.probabilities_prefix)
        if mapping.positive_probability is not None:
            return self._two_classes(_find(document, mapping.positive_probability))
        return _find(document, mapping.probabilities)

    def _two_classes(self, p: object) -> object:
        if p is _ABSENT or p is None:
            return _ABSENT
        if isinstance(p, bool) or not isinstance(p, int | float):
            raise Reject("bad_probabilities", f"{self._mapping.positive_probability}: not a number")
        return {self._mapping.positive_class: p, self._mapping.negative_class: 1 - p}


def _top_level_fields(mapping: FieldMapping) -> frozenset[str]:
    """Keys that mapped paths begin with or are: what `features = "*"` must leave alone."""
    paths = mapping.model_dump(
        exclude={"features", "features_prefix", "probabilities_prefix"}
        | {"positive_class", "negative_class"}
    )
    taken = [path for path in paths.values() if path is not None]
    return frozenset([*taken, *(path.split(".")[0] for path in taken)])


def _find(document: Mapping[str, Any], path: str) -> object:
    if path in document:
        return document[path]
    node: object = document
    for key in path.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return _ABSENT
        node = node[key]
    return node


def _prefixed(document: Mapping[str, Any], prefix: str) -> object:
    found = {
        name.removeprefix(prefix): value
        for name, value in document.items()
        if name.startswith(prefix)
    }
    return found or _ABSENT


def _present(**parts: object) -> dict[str, object]:
    """What was found; JSON's null says as much as no field at all."""
    return {name: part for name, part in parts.items() if part is not _ABSENT and part is not None}


def _key(envelope: Envelope) -> object:
    if envelope.key is None:
        return _ABSENT
    try:
        return envelope.key.decode()
    except UnicodeDecodeError as error:
        raise Reject("invalid_field", f"event_id: the message key is not UTF-8 ({error})") from None
