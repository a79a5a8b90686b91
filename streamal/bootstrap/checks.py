"""Problems of the settings that only the parts themselves can see."""

from __future__ import annotations

from collections.abc import Callable

from streamal.bootstrap.connection import check_connection
from streamal.bootstrap.drift import check_drift
from streamal.bootstrap.labels import check_labels
from streamal.bootstrap.parts import blank_model, labelled_rows, new_gate, new_signer
from streamal.core.learners.registry import BEST_OF
from streamal.core.strategies import build_strategy, strategies_for
from streamal.core.types import Task
from streamal.errors import SettingsInvalid
from streamal.settings import Settings

__all__ = ["check_settings"]


def check_settings(settings: Settings) -> None:
    """Build every part once, without connecting.

    Raises:
        SettingsInvalid: with one line for each problem of any part.
    """
    problems: list[str] = []
    parts: tuple[Callable[[], object], ...] = (
        lambda: build_strategy(settings.gate.strategy, settings.gate.strategy_parameters),
        lambda: new_gate(settings, settings.topics.predictions_partitions),
        lambda: blank_model(settings),
        lambda: new_signer(settings),
        lambda: check_connection(settings),
        lambda: check_drift(settings),
        lambda: _check_task(settings),
        lambda: _check_synthetic(settings),
        lambda: _check_files(settings),
        lambda: _check_times(settings),
        lambda: check_labels(settings),
    )
    for build in parts:
        try:
            build()
        except SettingsInvalid as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    if problems:
        raise SettingsInvalid(*problems)


def _check_task(settings: Settings) -> None:
    task, pipeline = Task(settings.pipeline.task), settings.pipeline
    problems = []
    strategy = build_strategy(settings.gate.strategy, settings.gate.strategy_parameters)
    if task not in strategy.tasks:
        problems.append(
            f"gate.strategy = '{strategy.name}': not for pipeline.task = '{task}'; one of "
            f"{', '.join(strategies_for(task))}"
        )
    if task is Task.REGRESSION and pipeline.classes:
        problems.append("pipeline.classes: must be empty with pipeline.task = 'regression'")
    if task is Task.CLASSIFICATION:
        problems += [
            f"pipeline.{key}: only with pipeline.task = 'regression'"
            for key in ("tolerance", "value_range")
            if getattr(pipeline, key) is not None
        ]
        if settings.estimation.error_objective is not None:
            problems.append("estimation.error_objective: only with pipeline.task = 'regression'")
    if pipeline.value_range is not None and not pipeline.value_range[0] < pipeline.value_range[1]:
        low, high = pipeline.value_range
        problems.append(f"pipeline.value_range = [{low:g}, {high:g}]: must rise")
    if problems:
        raise SettingsInvalid(*problems)


def _check_synthetic(settings: Settings) -> None:
    share, gate, learner = settings.gate.synthetic_share, settings.gate, settings.learner
    if not share:
        return
    problems = []
    if not build_strategy(gate.strategy, gate.strategy_parameters).makes_up_items:
        problems.append(f"not with gate.strategy = '{gate.strategy}', which makes up no items")
    if learner.target == "error":
        problems.append(
            "not with learner.target = 'error': production never sees a made-up item, so it is "
            "neither right nor wrong about it"
        )
    if learner.name == BEST_OF:
        problems.append(
            f"not with learner.name = '{BEST_OF}', which chooses by accuracy on real events"
        )
    if problems:
        raise SettingsInvalid(*(f"gate.synthetic_share = {share:g}: {why}" for why in problems))


def _check_files(settings: Settings) -> None:
    path = settings.learner.warm_start
    if path is None:
        return
    if not path.is_file():
        raise SettingsInvalid(f"learner.warm_start = '{path}': no such file")
    # A column that is missing shows in the first row, long before a trainer leads and needs it.
    next(labelled_rows(settings, path), None)


def _check_times(settings: Settings) -> None:
    kept, needed = settings.topics.retention_seconds, settings.labels.ttl_seconds
    if kept <= needed:
        raise SettingsInvalid(
            f"topics.retention_seconds = {kept:.0f}: must be above labels.ttl_seconds "
            f"({needed:.0f}), or reviews are gone before their labels come"
        )

    horizon = settings.estimation.label_horizon_seconds
    if horizon > settings.labels.ttl_seconds:
        raise SettingsInvalid(
            f"estimation.label_horizon_seconds = {horizon:.0f}: at most labels.ttl_seconds "
            f"({settings.labels.ttl_seconds:.0f})"
        )
