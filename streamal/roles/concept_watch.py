"""Concept drift: each matured window goes through every configured detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from streamal.core.chance import draw
from streamal.core.drift import Change, Detector, Evidence, Subject
from streamal.core.estimation import AccuracyTracker, Estimate, LabelledItems, Target, WindowTotals
from streamal.core.gate import DRAW_PURPOSE
from streamal.core.types import JsonState
from streamal.roles.closed_window import ClosedWindow
from streamal.state.measures import ReviewMeasures

__all__ = ["ConceptWatch", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A change that a window shows.

    Attributes:
        detector: registered name.
        change: what it found.
        cause: one line for people.
    """

    detector: str
    change: Change
    cause: str


class ConceptWatch:
    """Makes evidence of a window and shows it to the detectors.

    Args:
        detectors: fresh ones, by name.
        measures: where production's confidence is read from.
        seed: the pipeline's; draws are made again to find the uniform arm.
        least_propensity: the exploration floor in force; without one there is no uniform arm.
    """

    def __init__(
        self,
        detectors: Mapping[str, Detector],
        measures: ReviewMeasures,
        *,
        seed: int,
        least_propensity: float | None,
    ) -> None:
        self._detectors = detectors
        self._measures = measures
        self._seed = seed
        self._least_propensity = least_propensity
        self._trackers = {subject: self._tracker() for subject in Subject}
        self._evidence: dict[Subject, Callable[[ClosedWindow], Evidence]] = {
            Subject.RISK: self._risk,
            Subject.OVERCONFIDENCE: self._overconfidence,
        }

    def close(self, window: ClosedWindow) -> list[Seen]:
        """Take in the next matured window, in time order."""
        wanted = {detector.subject for detector in self._detectors.values()}
        evidence = {subject: self._evidence[subject](window) for subject in sorted(wanted)}
        seen = []
        for name, detector in self._detectors.items():
            change = detector.close(evidence[detector.subject])
            if change is not None:
                seen.append(Seen(name, change, _cause(detector.subject, change)))
        return seen

    def state(self) -> JsonState:
        """All that `restore` needs."""
        detectors: JsonState = {name: each.state() for name, each in self._detectors.items()}
        trackers: JsonState = {name.value: each.state() for name, each in self._trackers.items()}
        return {"detectors": detectors, "trackers": trackers}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; a detector that it does not know starts fresh."""
        detectors, trackers = state.get("detectors"), state.get("trackers")
        for name, detector in self._detectors.items():
            known = detectors.get(name) if isinstance(detectors, dict) else None
            detector.restore(known if isinstance(known, dict) else {})
        for subject, tracker in self._trackers.items():
            known = trackers.get(subject.value) if isinstance(trackers, dict) else None
            if isinstance(known, dict):
                tracker.restore(known)

    def _tracker(self) -> AccuracyTracker:
        return AccuracyTracker(least_propensity=self._least_propensity, target=Target.EXPECTED)

    def _risk(self, window: ClosedWindow) -> Evidence:
        estimate = self._trackers[Subject.RISK].close(window.totals, window.items, window.responses)
        return Evidence(
            events=estimate.events,
            errors=estimate.events * (1 - estimate.raw) if estimate.labelled else 0.0,
            variance=_variance(estimate),
            effective_labels=estimate.effective_labels,
            uniform_errors=self._uniform_errors(window),
        )

    def _uniform_errors(self, window: ClosedWindow) -> tuple[bool, ...]:
        """Errors among the labelled items whose draw fell below the floor (docs/decisions/0014)."""
        floor = self._least_propensity
        if floor is None:
            return ()
        return tuple(
            not outcome.production_correct
            for outcome in window.outcomes
            if outcome.production_correct is not None
            and draw(self._seed, outcome.event_id, DRAW_PURPOSE) < floor
        )

    def _overconfidence(self, window: ClosedWindow) -> Evidence:
        """Confidence less correctness; estimated by way of a number in [0, 1]."""
        confidence = self._confidences(window)
        answered = [o for o in window.outcomes if o.label is not None]
        known = [number for number, o in enumerate(answered) if o.event_id in confidence]
        items = LabelledItems.of(
            [
                (1 + window.items.correct[number] - confidence[answered[number].event_id]) / 2
                for number in known
            ],
            np.zeros(len(known)),
            window.items.propensity[known],
            [answered[number].reason for number in known],
        )
        totals = None if window.totals is None else WindowTotals(window.totals.events)
        responses = window.responses if len(known) == len(answered) else {}
        estimate = self._trackers[Subject.OVERCONFIDENCE].close(totals, items, responses)
        return Evidence(
            events=estimate.events,
            errors=estimate.events * (1 - 2 * estimate.raw) if estimate.labelled else 0.0,
            variance=4 * _variance(estimate),
            effective_labels=estimate.effective_labels,
        )

    def _confidences(self, window: ClosedWindow) -> dict[str, float]:
        """Production's probability of its own class, where it published one."""
        found = {}
        for labelled in self._measures.labelled(window.start, window.end):
            output = labelled.review.prediction
            if output.probabilities and output.label in output.probabilities:
                found[labelled.review.event_id] = output.probabilities[output.label]
        return found


def _variance(estimate: Estimate) -> float:
    return (estimate.events * estimate.standard_error) ** 2 if estimate.labelled else 0.0


def _cause(subject: Subject, change: Change) -> str:
    what = "risk" if subject is Subject.RISK else "confidence less correctness"
    return f"production's {what} went from {change.before:.1%} to {change.after:.1%}"
