"""What is taken for drift, and what is done about it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from streamal.settings.common import Names, Parameters, Section

__all__ = [
    "DataDriftSettings",
    "DriftSettings",
    "ResponseSettings",
]

#: Counts of a frozen reference, which travels in one record.
_MOST_COUNTS = 20_000


class ResponseSettings(Section):
    """What is done about a drift, for a time.

    Attributes:
        budget_factor: by what the budget is raised, in [1, 20]. What that spends more is saved
            afterwards: a quarter of the budget goes into it until it is paid back, and before that
            the budget is not raised again.
        exploration: share of the budget that is spent uniformly, in (0, 0.9], where that is more
            than gate.exploration; the spend stays the same.
        trust: how much the online model's opinion counts, in [0, 1]: at 0 gates take it as knowing
            nothing. Numbers cannot be mixed with knowing nothing: in a regression only 0 acts, but
            for the expected correctness.
        learner: `reset` forgets the online model and learns the labels since the change again;
            `reweight` keeps it and learns them once more.
        duration_seconds: how long all but `learner` lasts. A drift of the same cause within that
            time is not answered again.
    """

    budget_factor: float = Field(default=1, ge=1, le=20)
    exploration: float | None = Field(default=None, gt=0, le=0.9)
    trust: float = Field(default=1, ge=0, le=1)
    learner: Literal["keep", "reset", "reweight"] = "keep"
    duration_seconds: float = Field(default=86_400, gt=0)


class DataDriftSettings(Section):
    """Data drift, without labels.

    Attributes:
        enabled: whether gates count what events look like.
        reference: `frozen` compares with the first windows, for good; `sliding` with the latest.
        reference_windows: windows that make the reference; of hours, take whole days.
        false_alarm_rate: chance of an alarm per window while nothing changes, in (0, 0.1].
        least_shift: population stability index below which a difference is too small to matter;
            0.1 is a shift worth a look, 0.25 a large one.
        features: which features to watch; empty: all, up to `max_features`.
        max_features: most features that are watched; of more, the alphabetically first.
        bins: most bins, and most categories, per variable.
        grace_seconds: how long after its end a window is compared; gates that lag further behind
            are not in it.
        least_events: windows with fewer events are passed over.
    """

    enabled: bool = True
    reference: Literal["frozen", "sliding"] = "frozen"
    reference_windows: int = Field(default=24, ge=2, le=1000)
    false_alarm_rate: float = Field(default=0.001, gt=0, le=0.1)
    least_shift: float = Field(default=0.1, ge=0, le=10)
    features: Names = ()
    max_features: int = Field(default=32, ge=1, le=1000)
    bins: int = Field(default=64, ge=8, le=256)
    grace_seconds: float = Field(default=300, ge=0)
    least_events: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.max_features * self.bins > _MOST_COUNTS:
            raise PydanticCustomError(
                "too_many_counts",
                "max_features times bins is {counts}; at most {most} fit into a record",
                {"counts": self.max_features * self.bins, "most": _MOST_COUNTS},
            )
        return self


class DriftSettings(Section):
    """What is taken for drift, and what is done about it.

    Attributes:
        detectors: registered names of the detectors of concept drift. Unset: `harmful_risk`, and in
            a regression `harmful_error` besides; none for an empty list.
        detector_parameters: name to parameters, of those whose defaults will not do.
        data: data drift.
        on_harmful: what is done when production became worse.
        on_change: what is done when its accuracy changed otherwise.
        on_data: what is done when events look different.
    """

    detectors: Names | None = None
    detector_parameters: dict[str, Parameters] = Field(default_factory=dict)
    data: DataDriftSettings = DataDriftSettings()
    on_harmful: ResponseSettings = ResponseSettings()
    on_change: ResponseSettings = ResponseSettings()
    on_data: ResponseSettings = ResponseSettings()
