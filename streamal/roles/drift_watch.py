"""The leading trainer's watch for drift: what it has found, what is done, what it remembers.

Each window is looked at once. What was found and the watch's memory are written in one transaction,
so a new leader goes on exactly where the last one stopped (docs/decisions/0014).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from streamal.core.drift import DETECTORS, Subject, build_detector
from streamal.core.drift.base import as_float, as_state
from streamal.core.types import JsonState, JsonValue
from streamal.events import DriftEvent, DriftResponse
from streamal.events.drift import DriftCause
from streamal.roles.closed_window import ClosedWindow
from streamal.roles.concept_watch import ConceptWatch, Follower, Seen
from streamal.roles.countermeasures import Countermeasures, Plan, described
from streamal.roles.data_watch import DataWatch, DataWatchOptions, Shifted
from streamal.roles.quality import WindowReport
from streamal.state.pending import PendingView
from streamal.telemetry.metrics import Metrics

__all__ = ["DriftWatch", "Findings", "WatchOptions", "report_drift"]

_log = logging.getLogger(__name__)

#: Variables that a cause names.
_NAMED = 5
#: Changes when a memory can no longer be read by the previous release.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Settings of the watch.

    Attributes:
        pipeline: name of the pipeline.
        detectors: registered name to parameters.
        subjects: what can be followed in a pipeline of this task; a detector that knows several of
            them follows each by itself.
        data: data drift; None when it is not watched.
        plans: what is done for each cause.
        seed: the pipeline's.
        least_propensity: the exploration floor in force; None when there is none.
    """

    pipeline: str
    detectors: Mapping[str, Mapping[str, JsonValue]]
    subjects: frozenset[Subject]
    data: DataWatchOptions | None
    plans: Mapping[DriftCause, Plan]
    seed: int
    least_propensity: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look has brought.

    Attributes:
        events: for the `drift` topic; responses follow their drift.
        relearn: what is to be done with the online model; "keep" for nothing.
        since: first instant of the changed windows, for `relearn`; epoch seconds.
    """

    events: tuple[DriftEvent, ...] = ()
    relearn: str = "keep"
    since: float = 0.0


@dataclass(slots=True)
class _Look:
    """Collects the findings of one look."""

    pipeline: str
    now: float
    events: list[DriftEvent] = field(default_factory=list)
    relearn: str = "keep"
    since: float = 0.0


class DriftWatch:
    """See the module docstring.

    Args:
        options: settings.
        pending: the leader's view.
        metrics: shows how far each variable has moved.
    """

    def __init__(self, options: WatchOptions, pending: PendingView, metrics: Metrics) -> None:
        self._options = options
        self._metrics = metrics
        self._closed_until = 0.0
        self._concept = ConceptWatch(
            _followers(options),
            pending.measures,
            seed=options.seed,
            least_propensity=options.least_propensity,
        )
        self._data = None if options.data is None else DataWatch(options.data, pending.summaries)
        self._countermeasures = Countermeasures(options.plans)
        self._remembered = self.memory()

    def take_up(self, memory: bytes | None, reports: Sequence[WindowReport], now: float) -> None:
        """Go on where the last leader stopped.

        Args:
            memory: what it wrote last; None when it wrote none.
            reports: windows that had matured by `now`; looked at without a word when there is no
                memory of them.
            now: when the last leader reported last, epoch seconds.
        """
        if memory is None:
            self.look(reports, now)
            self._countermeasures.restore({})
        else:
            self._restore(orjson.loads(memory))
        self._remembered = self.memory()

    def look(self, reports: Sequence[WindowReport], now: float) -> Findings:
        """Take in the windows that have matured or ended, and decide what is done.

        Args:
            reports: windows that have matured since the last look, oldest first.
            now: epoch seconds.
        """
        look = _Look(self._options.pipeline, now)
        for report in reports:
            if report.window.end > self._closed_until:
                self._closed_until = report.window.end
                self._on_matured(look, report)
        if self._data is not None:
            for shifted in self._data.advance(now):
                self._on_shifted(look, shifted)
            self._show(self._data)
        return Findings(tuple(look.events), look.relearn, look.since)

    def responses(self, now: float) -> tuple[DriftResponse, ...]:
        """What is being done at `now` (epoch seconds)."""
        return self._countermeasures.in_force(now)

    def memory(self) -> bytes:
        """All that a new leader needs: JSON."""
        state: JsonState = {
            "format": _FORMAT,
            "closed_until": self._closed_until,
            "concept": self._concept.state(),
            "data": None if self._data is None else self._data.state(),
            "countermeasures": self._countermeasures.state(),
        }
        return orjson.dumps(state)

    def fresh_memory(self) -> bytes | None:
        """The memory if it is not what was written last; None if it is."""
        memory = self.memory()
        if memory == self._remembered:
            return None
        self._remembered = memory
        return memory

    def _restore(self, state: JsonState) -> None:
        if state.get("format") != _FORMAT:
            return
        self._closed_until = as_float(state.get("closed_until"))
        self._concept.restore(as_state(state.get("concept")))
        if self._data is not None:
            self._data.restore(as_state(state.get("data")))
        self._countermeasures.restore(as_state(state.get("countermeasures")))

    def _on_matured(self, look: _Look, report: WindowReport) -> None:
        if report.drift is not None:
            self._report(look, report.drift)
        for seen in self._concept.close(report.window):
            self._report(look, _concept_event(look, report.window, seen))

    def _on_shifted(self, look: _Look, shifted: Shifted) -> None:
        self._report(look, _data_event(look, shifted, self._options.data))

    def _report(self, look: _Look, event: DriftEvent) -> None:
        look.events.append(event)
        cause = _cause_of(event)
        response = self._countermeasures.answer(cause, look.now)
        if response is None:
            return
        look.events.append(
            event.model_copy(
                update={
                    "kind": "response",
                    "cause": f"{described(response)}: {event.cause}",
                    "response": response,
                }
            )
        )
        if response.learner != "keep":
            since = event.window_start.timestamp()
            look.since = since if look.relearn == "keep" else min(look.since, since)
            look.relearn = "reset" if "reset" in (look.relearn, response.learner) else "reweight"

    def _show(self, data: DataWatch) -> None:
        for variable, measured in data.measured.items():
            self._metrics.stability_index.labels(variable=variable).set(measured.stability_index)


def _followers(options: WatchOptions) -> list[Follower]:
    return [
        Follower(build_detector(name, parameters), subject)
        for name, parameters in options.detectors.items()
        for subject in sorted(DETECTORS[name].subjects & options.subjects)
    ]


def report_drift(metrics: Metrics, drift: DriftEvent) -> None:
    """Count and log an event that was committed."""
    _log.warning("%s: %s", drift.detector, drift.cause)
    if drift.kind == "response":
        metrics.drift_responses.labels(detector=drift.detector).inc()
    else:
        harmful = "true" if drift.harmful else "false"
        metrics.drift_alarms.labels(detector=drift.detector, harmful=harmful).inc()


def _cause_of(event: DriftEvent) -> DriftCause:
    if event.detector == "data_drift":
        return "data"
    return "harmful" if event.harmful else "change"


def _concept_event(look: _Look, window: ClosedWindow, seen: Seen) -> DriftEvent:
    return DriftEvent(
        pipeline=look.pipeline,
        detector=seen.detector,
        subject=seen.subject.value,
        cause=seen.cause,
        harmful=seen.change.is_harmful,
        statistic=seen.change.statistic,
        low=seen.change.statistic,
        high=seen.change.statistic,
        threshold=seen.change.threshold,
        window_start=datetime.fromtimestamp(window.start, UTC),
        window_seconds=window.seconds,
        detected_at=datetime.fromtimestamp(look.now, UTC),
    )


def _data_event(look: _Look, shifted: Shifted, options: DataWatchOptions | None) -> DriftEvent:
    largest = shifted.shifts[0].stability_index
    named = "; ".join(f"{each.variable} ({each.detail})" for each in shifted.shifts[:_NAMED])
    more = len(shifted.shifts) - _NAMED
    return DriftEvent(
        pipeline=look.pipeline,
        detector="data_drift",
        cause=f"events look different: {named}{f'; and {more} more' if more > 0 else ''}",
        harmful=False,
        statistic=largest,
        low=largest,
        high=largest,
        threshold=None if options is None else options.tests.least_shift,
        variables={each.variable: each.stability_index for each in shifted.shifts},
        window_start=datetime.fromtimestamp(shifted.window.window_start, UTC),
        window_seconds=shifted.window.window_seconds,
        detected_at=datetime.fromtimestamp(look.now, UTC),
    )
