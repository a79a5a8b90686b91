"""Gates, models and signers, built from settings."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import orjson

from streamal.core.budgets import build_budget
from streamal.core.gate import Gate
from streamal.core.learners import LabelledRow, OnlineModel, Target, build_model, warm_start
from streamal.core.strategies import build_strategy
from streamal.errors import SettingsInvalid
from streamal.roles.rules import ClassRules, TaskRules
from streamal.settings import Settings
from streamal.state.snapshots import Signer
from streamal.tabular import class_name, read_rows

__all__ = [
    "blank_model",
    "first_model",
    "labelled_rows",
    "learner_digest",
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
        max_per_hour=gate.max_per_hour,
        max_pending=gate.max_pending,
        share=1 / partitions,
    )
    strategy = build_strategy(gate.strategy, gate.strategy_parameters)
    return Gate(strategy, policy, seed=settings.pipeline.seed)


def blank_model(settings: Settings) -> OnlineModel:
    """A model that has learned nothing."""
    learner = settings.learner
    return build_model(
        learner.name,
        parameters=learner.parameters,
        committee_size=learner.committee_size,
        target=Target(learner.target),
        seed=settings.pipeline.seed,
    )


def task_rules(settings: Settings) -> TaskRules:
    """What predictions and labels must be like."""
    return ClassRules(
        frozenset(settings.pipeline.classes),
        needs_prediction=Target(settings.learner.target) is Target.ERROR,
    )


def new_signer(settings: Settings) -> Signer:
    """Signs and verifies the pipeline's snapshots."""
    return Signer(*(key.get_secret_value().encode() for key in settings.snapshots.signing_keys))


def first_model(settings: Settings) -> OnlineModel:
    """The model before the first label of the log: blank, or warm-started from a file."""
    model = blank_model(settings)
    path = settings.learner.warm_start
    if path is not None:
        result = warm_start(model, labelled_rows(path, settings.learner.warm_start_label))
        _log.info("warm start: learned %d rows of %s", result.learned, path)
        for detail in result.details:
            _log.warning("warm start: %s", detail)
    return model


def labelled_rows(path: Path, label_column: str) -> Iterator[LabelledRow]:
    """The labelled rows of a file for a warm start.

    Raises:
        SettingsInvalid: a row lacks the label's column.
    """
    for number, row in enumerate(read_rows(path)):
        if label_column not in row:
            raise SettingsInvalid(f"learner.warm_start_label: {path} has no column {label_column}")
        label = row.pop(label_column)
        if label is not None:
            yield LabelledRow(f"{path.name}:{number}", row, class_name(label))


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
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
