"""A learner from its settings: a registered name, or a path to a factory of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from river.base import Classifier
from river.compose import Pipeline

from streamal.core.learners.base import Learner
from streamal.core.learners.classifier import GuardedClassifier, RiverModel
from streamal.core.learners.committee import BaggingCommittee
from streamal.core.learners.competition import Competition
from streamal.core.learners.own import LIMITS, OwnFactory, derived_seed
from streamal.core.learners.parameters import KEY, resolve
from streamal.core.learners.preprocess import FrontEnd, Preprocessor
from streamal.core.learners.registry import BEST_OF, LEARNERS
from streamal.core.learners.river_learner import RiverLearner
from streamal.core.learners.training import TRAINING, TrainedLearner, Training
from streamal.errors import SettingsInvalid

__all__ = ["build_learner"]


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
        parameters: JSON values by name. A factory gets them as keyword arguments, except for the
            options in `TRAINING`, `preprocess` and, where that is true, the front end's limits.
        committee_size: members of the bagging committee, >= 2; 0 for none.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: unknown name, wrong parameter, or a factory that cannot be used.
    """
    if committee_size < 0 or committee_size == 1:
        raise SettingsInvalid(
            f"learner.committee_size: {committee_size} is not allowed; 0 for none, or at least 2"
        )
    if name == BEST_OF:
        return _best_of(parameters, committee_size, seed)
    front_end, make, training = (_own if ":" in name else _registered)(name, parameters)
    serving = GuardedClassifier(make(derived_seed(seed, "serving")))
    members = [
        GuardedClassifier(make(derived_seed(seed, f"member {index}")))
        for index in range(committee_size)
    ]
    learner = (
        BaggingCommittee(front_end, serving, members, seed=seed)
        if members
        else RiverLearner(front_end, serving)
    )
    return TrainedLearner(learner, training, seed=seed)


def _best_of(parameters: Mapping[str, object], committee_size: int, seed: int) -> Learner:
    values: dict[str, Any] = resolve(BEST_OF, LEARNERS[BEST_OF].parameters, parameters)
    names = dict.fromkeys(values["learners"].split("+"))
    if BEST_OF in names or len(names) < 2:
        raise SettingsInvalid(
            f"{KEY}.learners: {values['learners']!r} is not allowed; at least two different "
            f"learners with + between them, {BEST_OF} not among them"
        )
    limits = {limit.name: values[limit.name] for limit in LIMITS if limit.name in parameters}
    learners = {
        name: build_learner(name, parameters=limits, committee_size=committee_size, seed=seed)
        for name in names
    }
    return Competition(learners, half_life=values["half_life"])


class _Recipe(NamedTuple):
    front_end: FrontEnd
    make: Callable[[int], RiverModel]
    training: Training


def _registered(name: str, parameters: Mapping[str, object]) -> _Recipe:
    spec = LEARNERS.get(name)
    if spec is None:
        raise SettingsInvalid(
            f"learner.name: {name!r} is not a learner; one of {', '.join(LEARNERS)}, "
            "or package.module:factory"
        )
    values: dict[str, Any] = resolve(name, spec.parameters, parameters)
    limits = {limit.name: values.pop(limit.name) for limit in LIMITS}
    options = [option.name for option in TRAINING if option.name in values]
    training = Training.of({option: values.pop(option) for option in options})
    front_end = Preprocessor(spec.encoding, scale=spec.scale, **limits)
    return _Recipe(front_end, partial(spec.make, values), training)


def _own(path: str, parameters: Mapping[str, object]) -> _Recipe:
    options = {option.name for option in TRAINING}
    given = {name: value for name, value in parameters.items() if name in options}
    training = Training.of(resolve(path, TRAINING, given))
    rest = {name: value for name, value in parameters.items() if name not in options}
    own = OwnFactory.of(path, rest, "classifier")
    return _Recipe(own.front_end, lambda _: own.made(_problem), training)


def _problem(model: object) -> str | None:
    """Why a model cannot be used, after the words "returned a"; None when it can."""
    last = next(reversed(model.steps.values()), None) if isinstance(model, Pipeline) else model
    if not isinstance(last, Classifier):
        return (
            f"{type(model).__name__}; it must return a River classifier, or a pipeline that ends "
            "in one"
        )
    if type(last).predict_proba_one is Classifier.predict_proba_one:
        return (
            f"{type(last).__name__}, which has no probabilities; it must implement "
            "predict_proba_one"
        )
    return None
