"""Gates, models and signers, built from settings."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import orjson

from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.learners import (
    CommitteeKind,
    LabelledRow,
    Model,
    Target,
    build_model,
    warm_start,
)
from streamal.core.learners.regression import build_regression_model
from streamal.core.strategies import build_strategy
from streamal.core.types import Task, Truth
from streamal.errors import SettingsInvalid
from streamal.roles.losses import LossOptions
from streamal.roles.rules import ClassRules, TaskRules, ValueRules
from streamal.settings import Settings
from streamal.state.snapshots import Signer
from streamal.tabular import class_name, read_rows

__all__ = [
    "asks_labelled",
    "blank_model",
    "first_model",
    "labelled_rows",
    "learner_digest",
    "loss_options",
    "new_gate",
    "new_signer",
    "task_rules",
]

_log = logging.getLogger(__name__)


def new_gate(settings: Settings, partitions: int) -> Gate:
    """A fresh gate for one of `partitions` partitions."""
    gate = settings.gate
    policy = build_budget(
        gate.policy,
        gate.policy_parameters,
        budget=gate.budget,
        exploration=gate.exploration,
        advance_labels=gate.advance_labels,
        max_per_hour=gate.max_per_hour,
        max_pending=gate.max_pending,
        stop_at_accuracy=gate.stop_at_accuracy,
        share=1 / partitions,
    )
    strategy = build_strategy(gate.strategy, gate.strategy_parameters)
    return Gate(strategy, policy, seed=settings.pipeline.seed)


def blank_model(settings: Settings) -> Model:
    """A model that has learned nothing.

    Raises:
        SettingsInvalid: unknown learner, a wrong parameter, or a regression without a tolerance.
    """
    learner, pipeline = settings.learner, settings.pipeline
    if Task(pipeline.task) is Task.REGRESSION:
        if pipeline.tolerance is None:
            raise SettingsInvalid(
                "pipeline.tolerance: missing; with pipeline.task = 'regression' say how far from "
                "the truth a prediction may be and still count as right"
            )
        if learner.committee_kind != "bagging":
            raise SettingsInvalid(
                f"learner.committee_kind = '{learner.committee_kind}': a regression has a bagging "
                "committee only"
            )
        return build_regression_model(
            learner.name,
            parameters=learner.parameters,
            tolerance=pipeline.tolerance,
            committee_size=learner.committee_size,
            target=Target(learner.target),
            seed=pipeline.seed,
        )
    model = build_model(
        learner.name,
        parameters=learner.parameters,
        committee_size=learner.committee_size,
        committee_kind=CommitteeKind(learner.committee_kind),
        committee_learners=learner.committee_learners,
        target=Target(learner.target),
        seed=settings.pipeline.seed,
    )
    model.keep_labelled(on=asks_labelled(settings))
    return model


def asks_labelled(settings: Settings) -> bool:
    """Whether the gate's strategy looks at labelled items, so that the model has to keep some."""
    gate = settings.gate
    return build_strategy(gate.strategy, gate.strategy_parameters).asks_labelled


def task_rules(settings: Settings) -> TaskRules:
    """What predictions and labels must be like."""
    pipeline = settings.pipeline
    learns_errors = Target(settings.learner.target) is Target.ERROR
    if Task(pipeline.task) is Task.CLASSIFICATION:
        return ClassRules(frozenset(pipeline.classes), needs_prediction=learns_errors)
    if pipeline.value_range is None:
        return ValueRules(needs_prediction=learns_errors)
    return ValueRules(*pipeline.value_range, needs_prediction=learns_errors)


def loss_options(settings: Settings) -> LossOptions | None:
    """How the errors of a regression are estimated; None in a classification."""
    if Task(settings.pipeline.task) is Task.CLASSIFICATION:
        return None
    low, high = settings.pipeline.value_range or (0.0, 0.0)
    return LossOptions(
        level=settings.estimation.level,
        least_propensity=new_gate(settings, partitions=1).policy.floor or None,
        bound=high - low or None,
        objective=settings.estimation.error_objective,
    )


def new_signer(settings: Settings) -> Signer:
    """Signs and verifies the pipeline's snapshots."""
    return Signer(*(key.get_secret_value().encode() for key in settings.snapshots.signing_keys))


def first_model(settings: Settings) -> Model:
    """The model before the first label of the log: blank, or warm-started from a file."""
    model = blank_model(settings)
    path = settings.learner.warm_start
    if path is not None:
        result = warm_start(model, labelled_rows(settings, path))
        _log.info("warm start: learned %d rows of %s", result.learned, path)
        for detail in result.details:
            _log.warning("warm start: %s", detail)
    return model


def labelled_rows(settings: Settings, path: Path) -> Iterator[LabelledRow]:
    """The labelled rows of a file for a warm start.

    Raises:
        SettingsInvalid: a row lacks the label's column, or in a regression its number.
    """
    label_column = settings.learner.warm_start_label
    is_regression = Task(settings.pipeline.task) is Task.REGRESSION
    for number, row in enumerate(read_rows(path)):
        if label_column not in row:
            raise SettingsInvalid(f"learner.warm_start_label: {path} has no column {label_column}")
        label = row.pop(label_column)
        if label is not None:
            yield LabelledRow(
                f"{path.name}:{number}",
                row,
                _number(label, path, number) if is_regression else class_name(label),
            )


def _number(value: object, path: Path, row: int) -> Truth:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsInvalid(
            f"learner.warm_start: {path}, data row {row + 1}: {value!r} is no number"
        )
    return float(value)


def learner_digest(settings: Settings) -> str:
    """Digest of all that makes the model a function of the labels."""
    learner = settings.learner.model_dump(mode="json", exclude={"warm_start"})
    path = settings.learner.warm_start
    data = hashlib.sha256(path.read_bytes()).hexdigest() if path is not None else None
    document = {
        "learner": learner,
        "warm_start": data,
        "seed": settings.pipeline.seed,
        "classes": sorted(settings.pipeline.classes),
        # Who may answer is left out: to hire somebody must not cost the model.
        "labels": settings.labels.model_dump(
            mode="json", include={"consensus", "min_confidence", "guard"}
        ),
    }
    if Task(settings.pipeline.task) is Task.REGRESSION:
        document |= settings.pipeline.model_dump(
            mode="json", include={"task", "tolerance", "value_range"}
        )
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
