"""What a human-review tool publishes: the stable contract of the `labels` topic."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from streamal.events.base import ClassLabel, Event, EventId, FeatureMap, UtcDatetime
from streamal.events.prediction import Output

__all__ = ["LabelEvent"]


class LabelEvent(Event):
    """One human answer.

    Attributes:
        event_id: of the reviewed item.
        label: the true class; None in a regression, or with `unsure`, `skip` or `withdrawn`.
        value: the true number of a regression; None in a classification, or with `unsure`, `skip`
            or `withdrawn`.
        annotator: who answered. A later label of the same annotator for the same event revises the
            earlier one.
        labelled_at: when they answered.
        note: free text for colleagues.
        unsure: the annotator looked and could not tell; counted, not learned.
        skip: the annotator passed the item on; counted, not learned.
        withdrawn: the annotator takes their answer for this event back.
        adjudicates: a lead's final verdict, which stands whatever the votes say.
        features: given for unsolicited feedback on an event that was never routed; learned, kept
            out of estimation.
        prediction: production's prediction for unsolicited feedback; needed with `target = error`.
    """

    from_outside: ClassVar[bool] = True

    event_id: EventId
    label: ClassLabel | None = None
    value: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    annotator: str = Field(min_length=1, max_length=256)
    labelled_at: UtcDatetime
    note: str | None = Field(default=None, max_length=10_000)
    unsure: bool = False
    skip: bool = False
    withdrawn: bool = False
    adjudicates: bool = False
    features: FeatureMap | None = None
    prediction: Output | None = None

    @model_validator(mode="after")
    def _answers(self) -> Self:
        answered = self.label is not None or self.value is not None
        if not (answered or self.unsure or self.skip or self.withdrawn):
            raise PydanticCustomError(
                "missing_label",
                "needs a label or a value unless unsure, skip or withdrawn is set",
                {},
            )
        if self.label is not None and self.value is not None:
            raise PydanticCustomError("two_answers", "has both a label and a value", {})
        return self
