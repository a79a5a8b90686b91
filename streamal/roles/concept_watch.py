"""Concept drift: each matured window goes through every configured detector."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from streamal.core.chance import draw
from streamal.core.drift import Change, Detector, Evidence, Subject
from streamal.core.estimation import AccuracyTracker, Estimate, LabelledItems, Target, WindowTotals
from streamal.core.estimation.loss import LabelledLosses, LossTracker
from streamal.core.gate import DRAW_PURPOSE
from streamal.core.types import JsonState
from streamal.roles.closed_window import ClosedWindow
from streamal.state.measures import ReviewMeasures

__all__ = ["ConceptWatch", "Follower", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A change that a window shows.

    Attributes:
        detector: registered name.
        subject: what has changed.
        change: what it found.
        cause: one line for people.
    """

    detector: str
    subject: Subject
    change: Change
    cause: str


@dataclass(frozen=True, slots=True)
class Follower:
    """A detector, and the subject that it follows."""

    detector: Detector
    subject: Subject

    @property
    def key(self) -> str:
        """Names it in the memory; a classification has one for each detector."""
        name = self.detector.name
        return f"{name}:{self.subject}" if self.subject is Subject.ABSOLUTE_ERROR else name


class ConceptWatch:
    """Makes evidence of a window and shows it to the detectors.

    Args:
        followers: fresh detectors, each with what it follows.
        measures: where production's confidence is read from.
        seed: the pipeline's; draws are made again to find the uniform arm.
        least_propensity: the exploration floor in force; without one there is no uniform arm.
    """

    def __init__(
        self,
        followers: Iterable[Follower],
        measures: ReviewMeasures,
        *,
        seed: int,
        least_propensity: float | None,
    ) -> None:
        self._followers = tuple(followers)
        self._measures = measures
        self._seed = seed
        self._least_propensity = least_propensity
        self._trackers: dict[Subject, AccuracyTracker | LossTracker] = {}
        self._correct = self._trackers[Subject.RISK] = self._tracker()
        self._modest = self._trackers[Subject.OVERCONFIDENCE] = self._tracker()
        self._losses = self._trackers[Subject.ABSOLUTE_ERROR] = LossTracker(
            least_propensity=least_propensity, target=Target.EXPECTED
        )
        self._evidence: dict[Subject, Callable[[ClosedWindow], Evidence]] = {
            Subject.RISK: self._risk,
            Subject.OVERCONFIDENCE: self._overconfidence,
            Subject.ABSOLUTE_ERROR: self._absolute_error,
        }

    def close(self, window: ClosedWindow) -> list[Seen]:
        """Take in the next matured window, in time order."""
        wanted = {follower.subject for follower in self._followers}
        evidence = {subject: self._evidence[subject](window) for subject in sorted(wanted)}
        seen = []
        for follower in self._followers:
            subject = follower.subject
            change = follower.detector.close(evidence[subject])
            if change is not None:
                seen.append(Seen(follower.detector.name, subject, change, _cause(subject, change)))
        return seen

    def state(self) -> JsonState:
        """All that `restore` needs."""
        detectors: JsonState = {each.key: each.detector.state() for each in self._followers}
        trackers: JsonState = {name.value: each.state() for name, each in self._trackers.items()}
        return {"detectors": detectors, "trackers": trackers}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; a detector that it does not know starts fresh."""
        detectors, trackers = state.get("detectors"), state.get("trackers")
        for each in self._followers:
            known = detectors.get(each.key) if isinstance(detectors, dict) else None
            each.detector.restore(known if isinstance(known, dict) else {})
        for subject, tracker in self._trackers.items():
            known = trackers.get(subject.value) if isinstance(trackers, dict) else None
            if isinstance(known, dict):
                tracker.restore(known)

    def _tracker(self) -> AccuracyTracker:
        return AccuracyTracker(least_propensity=self._least_propensity, target=Target.EXPECTED)

    def _risk(self, window: ClosedWindow) -> Evidence:
        estimate = self._correct.close(window.totals, window.items, window.responses)
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
        estimate = self._modest.close(totals, items, responses)
        return Evidence(
            events=estimate.events,
            errors=estimate.events * (1 - 2 * estimate.raw) if estimate.labelled else 0.0,
            variance=4 * _variance(estimate),
            effective_labels=estimate.effective_labels,
        )

    def _absolute_error(self, window: ClosedWindow) -> Evidence:
        """How far production is off, in the truth's unit; nothing in a classification."""
        losses = LabelledLosses((), (), ()) if window.losses is None else window.losses
        estimate = self._losses.close(window.loss_totals, losses, window.responses)
        return Evidence(
            events=estimate.events,
            errors=estimate.events * estimate.raw if estimate.labelled else 0.0,
            variance=_variance(estimate),
            effective_labels=estimate.effective_labels,
            error_size=self._losses.typical,
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
    before, after = subject.shown(change.before), subject.shown(change.after)
    if subject is Subject.ABSOLUTE_ERROR:
        return f"production's mean absolute error went from {before:.4g} to {after:.4g}"
    what = "risk" if subject is Subject.RISK else "confidence less correctness"
    return f"production's {what} went from {before:.1%} to {after:.1%}"
