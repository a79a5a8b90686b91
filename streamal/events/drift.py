"""What travels on the `drift` topic."""

from __future__ import annotations

from typing import Literal

from streamal.events.base import Event, UtcDatetime

__all__ = ["DriftEvent"]


class DriftEvent(Event):
    """Something has changed, as far as a detector can tell.

    Attributes:
        pipeline: name of the pipeline.
        detector: what noticed it.
        cause: one line for a human.
        harmful: whether production has become worse.
        statistic: the detector's measure of the change; for `accuracy_shift` the difference of
            accuracies, after minus before, in [-1, 1]; for `annotator_agreement` an annotator's
            mean agreement minus the one that is owed, in [-1, 1].
        low: lower end of the statistic's interval.
        high: upper end of the statistic's interval.
        window_start: first instant of the event-time window that shows the change.
        window_seconds: length of that window.
        detected_at: when the detector saw it.
    """

    pipeline: str
    detector: Literal["accuracy_shift", "annotator_agreement"]
    cause: str
    harmful: bool
    statistic: float
    low: float
    high: float
    window_start: UtcDatetime
    window_seconds: float
    detected_at: UtcDatetime
