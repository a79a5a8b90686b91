"""A learner from its settings: a registered name, or a path to a factory of the user's own."""

from __future__ import annotations

import importlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from river.base import Classifier
from river.compose import Pipeline

from streamal.core.chance import draw
from streamal.core.learners.base import Learner
from streamal.core.learners.classifier import GuardedClassifier, RiverModel
from streamal.core.learners.committee import BaggingCommittee
from streamal.core.learners.parameters import KEY, Parameter, resolve
from streamal.core.learners.preprocess import AsIs, Encoding, FrontEnd, Preprocessor
from streamal.core.learners.registry import LEARNERS, MAX_CATEGORIES, MAX_COLUMNS
from streamal.core.learners.river_learner import RiverLearner
from streamal.errors import SettingsInvalid

__all__ = ["build_learner"]

#: Parameters of the front end rather than the classifier.
LIMITS = (MAX_CATEGORIES, MAX_COLUMNS)
PREPROCESS = Parameter(
    "preprocess",
    "boolean",
    False,
    "Whether the front end encodes and scales the features before the user's own classifier.",
)


def build_learner(
    name: str, *, parameters: Mapping[str, object], committee_size: int, seed: int
) -> Learner:
    """A learner that has learned nothing.

    Args:
        name: a key of `LEARNERS`, or `package.module:factory`, a callable (or class) that returns a
            River classifier or a pipeline that ends in one. The user's own pipeline gets the
            features as they are, text included, except that lists are flattened and null, NaN and
            infinite values are left out; with the parameter `preprocess` set to true, it gets full
            vectors of scaled numbers and one-hot columns instead.
        parameters: JSON values by name. A factory gets them as keyword arguments, except for
            `preprocess` and, where that is true, the front end's limits.
        committee_size: members of the bagging committee, >= 2; 0 for none.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: unknown name, wrong parameter, or a factory that cannot be used.
    """
    if committee_size < 0 or committee_size == 1:
        raise SettingsInvalid(
            f"learner.committee_size: {committee_size} is not allowed; 0 for none, or at least 2"
        )
    front_end, make = _own(name, parameters) if ":" in name else _registered(name, parameters)
    serving = GuardedClassifier(make(_derived(seed, "serving")))
    if not committee_size:
        return RiverLearner(front_end, serving)
    members = [
        GuardedClassifier(make(_derived(seed, f"member {index}")))
        for index in range(committee_size)
    ]
    return BaggingCommittee(front_end, serving, members, seed=seed)


def _derived(seed: int, purpose: str) -> int:
    """A seed of its own for each classifier, within the 32 bits that every library takes."""
    return int(draw(seed, "", purpose) * 2**31)


def _registered(
    name: str, parameters: Mapping[str, object]
) -> tuple[FrontEnd, Callable[[int], RiverModel]]:
    spec = LEARNERS.get(name)
    if spec is None:
        raise SettingsInvalid(
            f"learner.name: {name!r} is not a learner; one of {', '.join(LEARNERS)}, "
            "or package.module:factory"
        )
    values: dict[str, Any] = resolve(name, spec.parameters, parameters)
    limits = {limit.name: values.pop(limit.name) for limit in LIMITS}
    front_end = Preprocessor(spec.encoding, scale=spec.scale, **limits)
    return front_end, partial(spec.make, values)


def _own(
    path: str, parameters: Mapping[str, object]
) -> tuple[FrontEnd, Callable[[int], RiverModel]]:
    factory = _imported(path)
    arguments = dict(parameters)
    front_end: FrontEnd = AsIs()
    if PREPROCESS.checked(arguments.pop(PREPROCESS.name, False)):
        names = [limit.name for limit in LIMITS]
        given = {name: arguments.pop(name) for name in names if name in arguments}
        limits: dict[str, Any] = resolve(path, LIMITS, given)
        front_end = Preprocessor(Encoding.DENSE, scale=True, **limits)
    _check_arguments(path, factory, arguments)
    return front_end, lambda _: _made(path, factory, arguments)


def _imported(path: str) -> Callable[..., object]:
    module_name, _, attribute = path.partition(":")
    try:
        factory: object = importlib.import_module(module_name)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except Exception as error:
        raise SettingsInvalid(f"learner.name: cannot import {path!r}: {_line(error)}") from error
    if not callable(factory):
        raise SettingsInvalid(
            f"learner.name: {path!r} is a {type(factory).__name__}; it must be a callable that "
            "returns a River classifier or pipeline"
        )
    return factory


def _check_arguments(
    path: str, factory: Callable[..., object], arguments: Mapping[str, object]
) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # a builtin that doesn't tell; calling it will
        return
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    problems = [
        f"{KEY}.{name}: {value!r} is for no parameter of {path}; it takes "
        + (", ".join(signature.parameters) or "none")
        for name, value in arguments.items()
        if name not in signature.parameters and not takes_any
    ]
    if problems:
        raise SettingsInvalid(*problems)


def _made(path: str, factory: Callable[..., object], arguments: Mapping[str, object]) -> RiverModel:
    """A classifier from the user's factory, shown to be one that can be used and stored."""
    try:
        model = factory(**arguments)
    except Exception as error:
        raise SettingsInvalid(
            f"{KEY}: {path} does not accept {dict(arguments)}: {_line(error)}"
        ) from error
    last = next(reversed(model.steps.values()), None) if isinstance(model, Pipeline) else model
    if not isinstance(last, Classifier):
        raise SettingsInvalid(
            f"learner.name: {path!r} returned a {type(model).__name__}; it must return a River "
            "classifier, or a pipeline that ends in one"
        )
    if type(last).predict_proba_one is Classifier.predict_proba_one:
        raise SettingsInvalid(
            f"learner.name: {path!r} returned a {type(last).__name__}, which has no "
            "probabilities; it must implement predict_proba_one"
        )
    try:
        pickle.dumps(model)
    except Exception as error:
        raise SettingsInvalid(
            f"learner.name: {path!r} returned a model that cannot be stored: {_line(error)}"
        ) from error
    return model


def _line(error: Exception) -> str:
    """The error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
