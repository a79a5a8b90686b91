"""What the trainer knows about production, as it travels with its heartbeats to whoever asks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamal.events.base import UtcDatetime

__all__ = [
    "ClassQuality",
    "ComparedLoss",
    "ComparedQuality",
    "LossQuality",
    "QualityReport",
    "Reported",
    "ReportedLoss",
    "SegmentQuality",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reported(_Part):
    """An estimate with its interval.

    Attributes:
        value: None while nothing is labelled.
        low: lower end of the interval.
        high: upper end.
        labelled: labelled items that it rests on.
        events: events that it speaks for.
        reliable: whether labels suffice for the interval's level to hold.
    """

    value: float | None = None
    low: float
    high: float
    labelled: int = 0
    events: int = 0
    reliable: bool = False


class ReportedLoss(_Part):
    """An estimated mean absolute error with its interval, in the truth's unit.

    Attributes:
        value: None while nothing is labelled.
        low: lower end of the interval.
        high: upper end; None while there is none: too few labels, and no bound is known.
        naive: plain mean over the labelled items: biased, for comparison only.
        labelled: labelled items that it rests on.
        events: events that it speaks for.
        reliable: whether labels suffice for the interval's level to hold.
    """

    value: float | None = None
    low: float = 0.0
    high: float | None = None
    naive: float | None = None
    labelled: int = 0
    events: int = 0
    reliable: bool = False


class ComparedLoss(_Part):
    """One mean absolute error minus another, in the truth's unit.

    Attributes:
        value: None while either has no label.
        low: lower end of an interval that holds at all times together; None while labels are few.
        high: upper end; None while labels are few.
        labelled: labelled items of the one that is compared.
        events: events of it.
        reliable: whether labels of both suffice.
        worse: whether it is surely further off.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    labelled: int = 0
    events: int = 0
    reliable: bool = False
    worse: bool = False


class SegmentQuality(_Part):
    """Production's accuracy in one segment, over all matured windows.

    Attributes:
        segment: the key.
        value: the key's value.
        accuracy: with an interval that holds at all times together.
        loss: its mean absolute error, in the same way; None in a classification.
    """

    segment: str
    value: str
    accuracy: Reported
    loss: ReportedLoss | None = None


class ComparedQuality(_Part):
    """One segment against another, over the windows where both served.

    Attributes:
        segment: the key.
        value: the value that is compared.
        reference: with this one, which served most.
        difference: accuracy of `value` minus that of `reference`, in [-1, 1], with an interval that
            holds at all times together; `labelled` and `events` are those of `value`.
        worse: whether `value` is surely worse.
        loss: mean absolute error of `value` minus that of `reference`; None in a classification.
    """

    segment: str
    value: str
    reference: str
    difference: Reported
    worse: bool
    loss: ComparedLoss | None = None


class ClassQuality(_Part):
    """One class of production, over all matured windows.

    Attributes:
        name: the class.
        precision: P(right | production chose it); `events` is how often it did.
        recall: P(production chose it | it is true); `events` is the estimated number of events
            whose true class it is, `labelled` the labelled among them.
    """

    name: str
    precision: Reported
    recall: Reported


class LossQuality(_Part):
    """The mean absolute errors of a regression.

    Attributes:
        window: production's in the last matured window alone.
        production: over all matured windows, with an interval that holds at all times together.
        model: the online model's, by what it had predicted at decision time.
    """

    window: ReportedLoss
    production: ReportedLoss
    model: ReportedLoss


class QualityReport(_Part):
    """All estimates of the leading trainer.

    Attributes:
        window_start: first instant of the last matured window.
        window_seconds: its length.
        window: production's accuracy in that window alone.
        production: over all matured windows, with an interval that holds at all times together.
        model: the online model's, by what it had predicted at decision time.
        segments: production's by segment.
        differences: segments compared.
        classes: production's precision and recall.
        loss: mean absolute errors; None in a classification.
        production_at_least: production's accuracy since the last drift, for sure: the lower end of
            a confidence sequence, in [0, 1].
        model_at_least: the online model's, in the same way.
    """

    window_start: UtcDatetime
    window_seconds: float = Field(gt=0)
    window: Reported
    production: Reported
    model: Reported
    segments: tuple[SegmentQuality, ...] = ()
    differences: tuple[ComparedQuality, ...] = ()
    classes: tuple[ClassQuality, ...] = ()
    loss: LossQuality | None = None
    production_at_least: float = Field(default=0.0, ge=0, le=1)
    model_at_least: float = Field(default=0.0, ge=0, le=1)
