"""The watch for drift, built from settings."""

from __future__ import annotations

from typing import Final

from streamal.bootstrap.parts import new_gate
from streamal.core.drift import DETECTORS, DataDriftOptions, Subject, build_detector
from streamal.errors import SettingsInvalid
from streamal.roles.countermeasures import Plan
from streamal.roles.data_watch import DataWatchOptions
from streamal.roles.drift_watch import WatchOptions
from streamal.roles.observation import Observing
from streamal.settings import DataDriftSettings, Settings

__all__ = ["check_drift", "observing", "watch_options"]

#: What can be followed in a pipeline of each task. A number comes without a confidence.
_SUBJECTS: Final = {
    "classification": frozenset({Subject.RISK, Subject.OVERCONFIDENCE}),
    "regression": frozenset({Subject.RISK, Subject.ABSOLUTE_ERROR}),
}
#: The tests for harm alone: they may page somebody, and need no choice.
_DEFAULTS: Final = {
    "classification": ("harmful_risk",),
    "regression": ("harmful_risk", "harmful_error"),
}


def observing(settings: Settings) -> Observing | None:
    """What gates count for data drift; None where it is not watched."""
    data = settings.drift.data
    if not data.enabled:
        return None
    return Observing(frozenset(data.features), data.max_features, data.bins)


def watch_options(settings: Settings) -> WatchOptions:
    """What the leader takes for drift, and does about it."""
    drift = settings.drift
    return WatchOptions(
        pipeline=settings.pipeline.name,
        detectors={name: drift.detector_parameters.get(name, {}) for name in _chosen(settings)},
        subjects=_SUBJECTS[settings.pipeline.task],
        data=_data_options(drift.data) if drift.data.enabled else None,
        plans={
            "harmful": Plan(**drift.on_harmful.model_dump()),
            "change": Plan(**drift.on_change.model_dump()),
            "data": Plan(**drift.on_data.model_dump()),
        },
        seed=settings.pipeline.seed,
        least_propensity=new_gate(settings, partitions=1).policy.floor or None,
    )


def check_drift(settings: Settings) -> None:
    """Build each detector by itself, and see that a reference can be kept.

    Raises:
        SettingsInvalid: with one line for each problem.
    """
    chosen, parameters = _chosen(settings), settings.drift.detector_parameters
    problems = [
        f"drift.detector_parameters.{name}: not among drift.detectors ({', '.join(chosen)})"
        for name in parameters
        if name not in chosen
    ]
    for name in chosen:
        try:
            build_detector(name, parameters.get(name, {}))
        except SettingsInvalid as error:
            problems.extend(error.problems)
        else:
            problems += _task_problems(settings.pipeline.task, name)
    problems += _reference_problems(settings)
    if problems:
        raise SettingsInvalid(*problems)


def _chosen(settings: Settings) -> tuple[str, ...]:
    chosen = settings.drift.detectors
    return _DEFAULTS[settings.pipeline.task] if chosen is None else chosen


def _task_problems(task: str, name: str) -> list[str]:
    if DETECTORS[name].subjects & _SUBJECTS[task]:
        return []
    (subject,) = DETECTORS[name].subjects
    return [f"drift.detectors: {name} follows {subject}, which a {task} does not have"]


def _reference_problems(settings: Settings) -> list[str]:
    data, kept = settings.drift.data, settings.topics.retention_seconds
    spanned = data.reference_windows * settings.estimation.window_seconds
    # A retention below the labels' is a problem of its own, and told once.
    if not data.enabled or kept > spanned or kept <= settings.labels.ttl_seconds:
        return []
    line = (
        f"drift.data.reference_windows = {data.reference_windows}: times "
        f"estimation.window_seconds must be below topics.retention_seconds ({kept:.0f}), or there "
        "is no reference to compare with"
    )
    return [line]


def _data_options(data: DataDriftSettings) -> DataWatchOptions:
    return DataWatchOptions(
        tests=DataDriftOptions(
            sliding=data.reference == "sliding",
            reference_windows=data.reference_windows,
            false_alarm_rate=data.false_alarm_rate,
            least_shift=data.least_shift,
            limit=data.bins,
            most_features=data.max_features,
        ),
        grace_seconds=data.grace_seconds,
        least_events=data.least_events,
    )
