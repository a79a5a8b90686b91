"""A regression learner from its settings: a registered name, or a factory of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from river.base import Regressor
from river.compose import Pipeline

from streamal.core.learners.own import LIMITS, OwnFactory, derived_seed
from streamal.core.learners.parameters import resolve
from streamal.core.learners.preprocess import FrontEnd, Preprocessor
from streamal.core.learners.regression.bagging import BaggedRegressor
from streamal.core.learners.regression.base import ValueLearner
from streamal.core.learners.regression.guarded import GuardedRegressor, RiverRegressor
from streamal.core.learners.regression.registry import REGRESSORS
from streamal.errors import SettingsInvalid

__all__ = ["build_regressor"]


class _Recipe(NamedTuple):
    front_end: FrontEnd
    make: Callable[[int], RiverRegressor]
    scale_truth: bool


def build_regressor(
    name: str, *, parameters: Mapping[str, object], committee_size: int, seed: int
) -> ValueLearner:
    """A regression learner that has learned nothing; the counterpart of `build_learner`.

    Args:
        name: a key of `REGRESSORS`, or `package.module:factory`, a callable (or class) that returns
            a River regressor or a pipeline that ends in one; see `build_learner` for what it gets.
            It sees the truths as they are.
        parameters: JSON values by name.
        committee_size: members of the bagging committee, >= 2; 0 for none.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: unknown name, wrong parameter, or a factory that cannot be used.
    """
    if committee_size < 0 or committee_size == 1:
        raise SettingsInvalid(
            f"learner.committee_size: {committee_size} is not allowed; 0 for none, or at least 2"
        )
    recipe = _own(name, parameters) if ":" in name else _registered(name, parameters)
    purposes = ["serving", *(f"member {index}" for index in range(committee_size))]
    serving, *members = (
        GuardedRegressor(recipe.make(derived_seed(seed, purpose)), scale=recipe.scale_truth)
        for purpose in purposes
    )
    return BaggedRegressor(recipe.front_end, serving, members, seed=seed)


def _registered(name: str, parameters: Mapping[str, object]) -> _Recipe:
    spec = REGRESSORS.get(name)
    if spec is None:
        raise SettingsInvalid(
            f"learner.name: {name!r} is not a learner for regression; one of "
            f"{', '.join(REGRESSORS)}, or package.module:factory"
        )
    values: dict[str, Any] = resolve(name, spec.parameters, parameters)
    limits = {limit.name: values.pop(limit.name) for limit in LIMITS}
    front_end = Preprocessor(spec.encoding, scale=spec.scale, **limits)
    return _Recipe(front_end, partial(spec.make, values), spec.scale_truth)


def _own(path: str, parameters: Mapping[str, object]) -> _Recipe:
    own = OwnFactory.of(path, parameters, "regressor")
    return _Recipe(own.front_end, lambda _: own.made(_problem), scale_truth=False)


def _problem(model: object) -> str | None:
    """Why a model cannot be used, after the words "returned a"; None when it can."""
    last = next(reversed(model.steps.values()), None) if isinstance(model, Pipeline) else model
    if isinstance(last, Regressor):
        return None
    return (
        f"{type(model).__name__}; it must return a River regressor, or a pipeline that ends in one"
    )
