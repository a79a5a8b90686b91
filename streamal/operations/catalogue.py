"""Everything that can be chosen by name, with parameters, for people and for tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from streamal.core.budgets import BUDGETS
from streamal.core.drift import DETECTORS
from streamal.core.learners import LEARNERS, LearnerSpec
from streamal.core.learners.regression import REGRESSORS
from streamal.core.parameters import Description, describe
from streamal.core.strategies import STRATEGIES
from streamal.core.types import Task
from streamal.telemetry import CATALOGUE

__all__ = ["Catalogue", "Entry", "MetricEntry", "ParameterEntry", "catalogue"]


class ParameterEntry(BaseModel):
    """One parameter: its name, type and default as text, what it is and what is allowed."""

    name: str
    type: str
    default: Any
    description: str
    allowed: str


class Entry(BaseModel):
    """One thing that can be chosen by its name, and in pipelines of which task."""

    name: str
    summary: str
    source: str
    parameters: list[ParameterEntry]
    formula: str = ""
    range: str = ""
    zero_propensity: str = ""
    tasks: list[str] = [task.value for task in Task]


class MetricEntry(BaseModel):
    """One exported metric."""

    name: str
    type: str
    labels: list[str]
    help: str


class Catalogue(BaseModel):
    """All of them, by kind."""

    strategies: list[Entry]
    policies: list[Entry]
    learners: list[Entry]
    regressors: list[Entry]
    detectors: list[Entry]
    metrics: list[MetricEntry]


def catalogue() -> Catalogue:
    """The registries of this installation."""
    return Catalogue(
        strategies=_strategies(),
        policies=[
            entry.model_copy(update={"zero_propensity": BUDGETS[entry.name].zero_propensity})
            for entry in _described(BUDGETS, ("budget", "exploration"))
        ],
        learners=_learners(LEARNERS, Task.CLASSIFICATION),
        regressors=_learners(REGRESSORS, Task.REGRESSION),
        detectors=_described(DETECTORS, ()),
        metrics=[
            MetricEntry(
                name=spec.name, type=spec.kind.value, labels=list(spec.labels), help=spec.help
            )
            for spec in CATALOGUE
        ],
    )


def _strategies() -> list[Entry]:
    return [
        _entry(describe(cls)).model_copy(
            update={"tasks": sorted(task.value for task in cls().tasks)}
        )
        for _, cls in sorted(STRATEGIES.items())
    ]


def _described(registry: Mapping[str, type], without: tuple[str, ...]) -> list[Entry]:
    return [_entry(describe(cls, without=without)) for _, cls in sorted(registry.items())]


def _entry(description: Description) -> Entry:
    return Entry(
        name=description.name,
        summary=description.summary,
        source=description.source,
        formula=_on_one_line(description.sections.get("formula", "")),
        range=_on_one_line(description.sections.get("range", "")),
        parameters=[
            ParameterEntry(
                name=parameter.name,
                type=parameter.type,
                default=parameter.default,
                description=parameter.description,
                allowed=", ".join(parameter.choices) or parameter.range,
            )
            for parameter in description.parameters
        ],
    )


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _learners(registry: Mapping[str, LearnerSpec], task: Task) -> list[Entry]:
    return [
        Entry(
            tasks=[task.value],
            name=spec.name,
            summary=spec.summary,
            source=spec.source,
            parameters=[
                ParameterEntry(
                    name=parameter.name,
                    type=parameter.type,
                    default=parameter.default,
                    description=parameter.description,
                    allowed=parameter.allowed,
                )
                for parameter in spec.parameters
            ],
        )
        for _, spec in sorted(registry.items())
    ]
