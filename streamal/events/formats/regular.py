"""Reads what an ordinary message holds, and leaves everything else to the models.

A thirtieth of the time that the models take, for the same result: whatever is accepted here, the
models accept, with equal fields (`tests/property/test_decoding.py`). Whatever is odd, right or
wrong, is `Irregular`: the models then read it or explain what is wrong with it. All values come
from a JSON parser, which knows neither NaN nor infinity, nor integers beyond 64 bits, nor text that
is no text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from streamal.events.base import NUMBERS, UtcDatetime
from streamal.events.bounds import (
    MAX_BOX,
    MAX_CLASSES,
    MAX_COMMITTEE,
    MAX_FEATURE_LIST,
    MAX_FEATURES,
    MAX_METADATA,
    MAX_OBJECTS,
    MAX_TOKENS,
    Irregular,
)
from streamal.events.decoded import (
    DecodedModel,
    DecodedObject,
    DecodedOutput,
    DecodedPrediction,
)
from streamal.events.prediction import STANDS, ProbabilityRules, most_probable

__all__ = ["read_regular"]

_SCALARS: Final = frozenset({float, int, str, bool, type(None)})
_TEXTS: Final = frozenset({str, int, type(None)})
_OBJECT: Final = ("label", "score", "probabilities", "box")
_LONGEST: Final = 256
_TIME: Final = TypeAdapter(UtcDatetime).validator
#: One model makes most predictions, and seldom more than a few make them all.
_MODELS: dict[tuple[object, object], DecodedModel] = {}
_MANY_MODELS: Final = 256


def read_regular(parts: Sequence[Any], rules: ProbabilityRules) -> DecodedPrediction:
    """The prediction in what a `FieldMapping` found.

    Args:
        parts: JSON values, None where nothing was found: schema version, event id, timestamp, name
            and version of the model, features, label, probabilities, value, probabilities of
            tokens, objects, committee, metadata.
        rules: how strictly probabilities are checked.

    Raises:
        Irregular: the models are to read it.
    """
    (
        version,
        event_id,
        timestamp,
        name,
        model_version,
        features,
        label,
        probabilities,
        value,
        tokens,
        objects,
        committee,
        metadata,
    ) = parts
    if version is not None and (type(version) is not int or version != 1):
        raise Irregular
    if type(event_id) is not str:
        event_id = _counted(event_id)
    if not (0 < len(event_id) <= _LONGEST and event_id.isprintable()):
        raise Irregular
    if type(features) is not dict or len(features) > MAX_FEATURES:
        raise Irregular
    if not _SCALARS.issuperset(map(type, features.values())):
        features = _with_lists(features)
    if metadata is None:
        metadata = {}
    elif (
        type(metadata) is not dict
        or len(metadata) > MAX_METADATA
        or not _SCALARS.issuperset(map(type, metadata.values()))
    ):
        raise Irregular
    moment = _moment(timestamp)
    return DecodedPrediction(
        event_id,
        moment,
        moment.timestamp(),
        _model(name, model_version),
        features,
        _output(label, probabilities, value, tokens, objects, rules),
        None if committee is None else _committee(committee, rules),
        metadata,
    )


def _counted(value: object) -> str:
    if type(value) is not int:
        raise Irregular
    return str(value)


def _moment(value: object) -> datetime:
    """RFC 3339 in UTC, as most producers write it; the models know the other ways.

    The shape is 2026-01-01T12:00:00Z, with up to six decimals or none. Python reads more shapes
    than that, and newer versions of it 24:00 as well.
    """
    if (
        type(value) is str
        and 19 < len(value) < 28
        and value[-1] == "Z"
        and value[10] == "T"
        and value[4] == value[7] == "-"
        and value[13] == value[16] == ":"
        and (len(value) == 20 or (value[19] == "." and len(value) != 21))
        and (value[11] != "2" or value[12] < "4")
    ):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise Irregular from None
    try:
        return cast("datetime", _TIME.validate_python(value))
    except ValidationError:
        raise Irregular from None


def _model(name: object, version: object) -> DecodedModel:
    try:
        known = _MODELS.get((name, version))
    except TypeError:  # a list or an object
        raise Irregular from None
    return known or _new_model(name, version)


def _new_model(name: object, version: object) -> DecodedModel:
    if type(name) not in _TEXTS or type(version) not in _TEXTS:
        raise Irregular
    model = DecodedModel(
        "production" if name is None else _text(name),
        "unknown" if version is None else _text(version),
    )
    if type(name) is not int and type(version) is not int:  # true would be found as 1
        if len(_MODELS) >= _MANY_MODELS:
            _MODELS.clear()
        _MODELS[name, version] = model
    return model


def _text(value: object) -> str:
    text = str(value)
    if not 0 < len(text) <= _LONGEST:
        raise Irregular
    return text


def _with_lists(features: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _numbers(each, MAX_FEATURE_LIST) if type(each) is list else _scalar(each)
        for name, each in features.items()
    }


def _scalar(value: object) -> object:
    if type(value) not in _SCALARS:
        raise Irregular
    return value


def _numbers(values: object, most: int) -> tuple[float, ...]:
    if type(values) is not list or len(values) > most or not NUMBERS.issuperset(map(type, values)):
        raise Irregular
    return tuple(map(float, values))


def _output(
    label: object,
    probabilities: object,
    value: object,
    tokens: object,
    objects: object,
    rules: ProbabilityRules,
) -> DecodedOutput:
    shares = None if probabilities is None else _probabilities(probabilities, rules)
    if label is not None:
        name = label if type(label) is str and 0 < len(label) <= _LONGEST else _class_name(label)
    elif value is not None:
        name = None
    elif shares is not None:
        name = most_probable(shares)
    elif tokens is objects is None:
        raise Irregular
    else:
        name = STANDS
    if value is tokens is objects is None:
        return DecodedOutput(name, shares)
    return DecodedOutput(
        name,
        shares,
        None if value is None else _number(value),
        None if tokens is None else _shares(tokens),
        None if objects is None else _objects(objects, rules),
    )


def _class_name(value: object) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str:
        return _text(value)
    if type(value) is int or (type(value) is float and value.is_integer()):
        return _text(int(value))
    raise Irregular


def _probabilities(value: object, rules: ProbabilityRules) -> dict[str, float]:
    """As `checked`, to the last bit."""
    if type(value) is not dict or len(value) > MAX_CLASSES:
        raise Irregular
    exact = True
    for name, p in value.items():
        if type(p) is not float:
            if type(p) is not int:
                raise Irregular
            exact = False
        if p < 0 or not 0 < len(name) <= _LONGEST:
            raise Irregular
    try:
        total = math.fsum(value.values())
    except OverflowError:
        raise Irregular from None
    if exact and total == 1.0:
        return value
    if not 0 < total < math.inf or (not rules.normalise and abs(total - 1) > rules.tolerance):
        raise Irregular
    return {name: p / total for name, p in value.items()}


def _number(value: object) -> float:
    if type(value) not in NUMBERS:
        raise Irregular
    return float(cast("float", value))


def _shares(values: object) -> tuple[float, ...]:
    numbers = _numbers(values, MAX_TOKENS)
    if numbers and not 0 <= min(numbers) <= max(numbers) <= 1:
        raise Irregular
    return numbers


def _objects(values: object, rules: ProbabilityRules) -> tuple[DecodedObject, ...]:
    if type(values) is not list or len(values) > MAX_OBJECTS:
        raise Irregular
    return tuple([_object(each, rules) for each in values])


def _object(value: object, rules: ProbabilityRules) -> DecodedObject:
    if type(value) is not dict:
        raise Irregular
    label, score, probabilities, box = map(value.get, _OBJECT)
    shares = None if probabilities is None else _probabilities(probabilities, rules)
    if score is not None:
        score = _number(score)
        if not 0 <= score <= 1:
            raise Irregular
    elif shares is None:
        raise Irregular
    name = None if label is None else _class_name(label)
    if name is None and shares is not None:
        name = most_probable(shares)
    return DecodedObject(name, score, shares, None if box is None else _box(box))


def _box(value: object) -> tuple[float, ...]:
    numbers = _numbers(value, MAX_BOX)
    if len(numbers) < 2:
        raise Irregular
    return numbers


def _committee(values: object, rules: ProbabilityRules) -> tuple[dict[str, float] | float, ...]:
    if type(values) is not list or len(values) > MAX_COMMITTEE:
        raise Irregular
    return tuple(
        [_probabilities(each, rules) if type(each) is dict else _number(each) for each in values]
    )
