"""Plain JSON with a configurable mapping from production's field names to ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from streamal.errors import Reject
from streamal.events.base import load_json, rejecting
from streamal.events.bounds import Irregular
from streamal.events.decoded import DecodedPrediction, decoded
from streamal.events.formats.base import Envelope
from streamal.events.formats.mapping import (
    KEY,
    REST,
    TIMESTAMP,
    FieldMapping,
    Finder,
    find_in_own_shape,
)
from streamal.events.formats.regular import read_regular
from streamal.events.prediction import Prediction, ProbabilityRules

__all__ = ["FlatFormat"]

#: Places in what the finder finds.
_EVENT_ID: Final = 1
_TIMESTAMP: Final = 2
_FEATURES: Final = 5
_PROBABILITIES: Final = 7


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
        self._mapping = mapping = mapping or FieldMapping()
        self._rules = rules or ProbabilityRules()
        self._required = required_features
        self._taken = _top_level_fields(mapping)
        self._finder = Finder(_paths(mapping))
        self._is_own_shape = mapping == FieldMapping()

    def read(self, envelope: Envelope) -> tuple[DecodedPrediction]:
        """The one prediction of a message; see `Format.read`."""
        document = load_json(envelope.value)
        parts = find_in_own_shape(document) if self._is_own_shape else None
        if parts is None:
            parts = self._find(document, envelope)
        try:
            prediction = read_regular(parts, self._rules)
        except Irregular:
            prediction = decoded(rejecting(Prediction, _as_event(parts), self._rules))
        if self._required:
            self._check_required(prediction)
        return (prediction,)

    def _check_required(self, prediction: DecodedPrediction) -> None:
        for name in self._required:
            if prediction.features.get(name) is None:
                raise Reject("missing_feature", f"features.{name}: required, absent or null")

    def _find(self, document: dict[str, Any], envelope: Envelope) -> Sequence[Any]:
        mapping, parts = self._mapping, self._finder.find(document)
        if mapping.event_id == KEY:
            parts[_EVENT_ID] = _key(envelope)
        if mapping.timestamp == TIMESTAMP:
            parts[_TIMESTAMP] = envelope.timestamp_ms / 1000
        if mapping.features_prefix is not None:
            parts[_FEATURES] = _prefixed(document, mapping.features_prefix)
        elif mapping.features == REST:
            parts[_FEATURES] = self._rest(document)
        if mapping.probabilities_prefix is not None:
            parts[_PROBABILITIES] = _prefixed(document, mapping.probabilities_prefix)
        elif mapping.positive_probability is not None:
            parts[_PROBABILITIES] = self._two_classes(parts[_PROBABILITIES])
        return parts

    def _rest(self, document: dict[str, Any]) -> dict[str, Any]:
        taken, prefix = self._taken, self._mapping.probabilities_prefix
        rest = {name: value for name, value in document.items() if name not in taken}
        if prefix is None:
            return rest
        return {name: value for name, value in rest.items() if not name.startswith(prefix)}

    def _two_classes(self, p: object) -> dict[str, float] | None:
        if p is None:
            return None
        if isinstance(p, bool) or not isinstance(p, int | float):
            raise Reject("bad_probabilities", f"{self._mapping.positive_probability}: not a number")
        return {self._mapping.positive_class: p, self._mapping.negative_class: 1 - p}


def _paths(mapping: FieldMapping) -> tuple[str, ...]:
    return (
        mapping.schema_version,
        mapping.event_id,
        mapping.timestamp,
        mapping.model_name,
        mapping.model_version,
        mapping.features,
        mapping.label,
        mapping.positive_probability or mapping.probabilities,
        mapping.value,
        mapping.token_probabilities,
        mapping.objects,
        mapping.committee,
        mapping.metadata,
    )


def _as_event(parts: Sequence[Any]) -> dict[str, Any]:
    """What was found, as a `Prediction` has it."""
    version, event_id, timestamp, name, model_version, features, *said, committee, metadata = parts
    label, probabilities, value, tokens, objects = said
    return _present(
        schema_version=version,
        event_id=event_id,
        timestamp=timestamp,
        model=_present(name=name, version=model_version),
        features=features,
        prediction=_present(
            label=label,
            probabilities=probabilities,
            value=value,
            token_probabilities=tokens,
            objects=objects,
        ),
        committee=committee,
        metadata=metadata,
    )


def _present(**parts: object) -> dict[str, object]:
    """What was found; JSON's null says as much as no field at all."""
    return {name: part for name, part in parts.items() if part is not None}


def _top_level_fields(mapping: FieldMapping) -> frozenset[str]:
    """Keys that mapped paths begin with or are: what `features = "*"` must leave alone."""
    paths = mapping.model_dump(
        exclude={"features", "features_prefix", "probabilities_prefix"}
        | {"positive_class", "negative_class"}
    )
    taken = [path for path in paths.values() if path is not None]
    return frozenset([*taken, *(path.split(".")[0] for path in taken)])


def _prefixed(document: dict[str, Any], prefix: str) -> dict[str, Any] | None:
    size = len(prefix)
    found = {name[size:]: value for name, value in document.items() if name.startswith(prefix)}
    return found or None


def _key(envelope: Envelope) -> str | None:
    if envelope.key is None:
        return None
    try:
        return envelope.key.decode()
    except UnicodeDecodeError as error:
        raise Reject("invalid_field", f"event_id: the message key is not UTF-8 ({error})") from None
