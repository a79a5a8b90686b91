"""Where production's JSON holds what streamal needs, and finding it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

__all__ = ["KEY", "REST", "TIMESTAMP", "FieldMapping", "Finder", "find_in_own_shape"]

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


#: What the default mapping looks for inside of other fields.
_INNER: Final = frozenset(
    path for path in FieldMapping().model_dump(exclude_none=True).values() if "." in path
)


def find_in_own_shape(document: dict[str, Any]) -> Sequence[Any] | None:
    """What a `Finder` finds with the default mapping, in half of the time.

    Returns:
        None for a document that has a key with a dot in it where the mapping has an inner field.
    """
    if not document.keys().isdisjoint(_INNER):
        return None
    get = document.get
    model, prediction = get("model"), get("prediction")
    in_model = model.get if type(model) is dict else _nothing
    in_prediction = prediction.get if type(prediction) is dict else _nothing
    return (
        get("schema_version"),
        get("event_id"),
        get("timestamp"),
        in_model("name"),
        in_model("version"),
        get("features"),
        in_prediction("label"),
        in_prediction("probabilities"),
        in_prediction("value"),
        in_prediction("token_probabilities"),
        in_prediction("objects"),
        get("committee"),
        get("metadata"),
    )


def _nothing(_: str) -> None:
    return None


class Finder:
    """Finds the values at several paths at once; paths are looked at once, when it is made.

    A top-level key that itself holds the dots of a path is found first, even with a null.

    Args:
        paths: paths of object keys joined by dots.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = tuple(paths)
        self._dotted = frozenset(path for path in paths if "." in path)
        self._deep = [each for each in enumerate(paths) if each[1].count(".") > 1]
        self._runs = _runs(paths)

    def find(self, document: dict[str, Any]) -> list[Any]:
        """What lies at each path, in their order; None where there is nothing or a null."""
        if not document.keys().isdisjoint(self._dotted):
            return [_find(document, path) for path in self._paths]
        found = list(map(document.get, self._paths))
        for parent, places, children in self._runs:
            node = document.get(parent)
            if type(node) is dict:
                found[places] = map(node.get, children)
        for place, path in self._deep:
            found[place] = _find(document, path)
        return found


def _runs(paths: Sequence[str]) -> list[tuple[str, slice, tuple[str, ...]]]:
    """Neighbouring paths into the same object: its key, their places, and the keys in it."""
    runs = []
    for parent, run in groupby(enumerate(paths), lambda each: each[1].rpartition(".")[0]):
        places, names = zip(*run, strict=True)
        if parent and "." not in parent:
            children = tuple(name.rpartition(".")[2] for name in names)
            runs.append((parent, slice(places[0], places[-1] + 1), children))
    return runs


def _find(document: Mapping[str, Any], path: str) -> object:
    if path in document:
        return document[path]
    node: object = document
    for key in path.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return None
        node = node[key]
    return node
