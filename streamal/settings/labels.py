"""How labels are waited for and trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from streamal.settings.common import Names, Section

__all__ = ["GoldSettings", "GuardSettings", "LabelSettings"]

_Required = Annotated[int, Field(ge=1, le=100)]


class GoldSettings(Section):
    """Items whose answer is known, mixed into the reviews to measure annotators.

    Attributes:
        path: CSV, JSON-lines or Parquet file of items: their features, the known answer, and if
            there is such a column, production's prediction. Gates and trainers need the same file.
        label: its column with the known answer.
        prediction: its column with production's prediction; a class drawn from the known answers is
            shown where it is missing.
        share: gold items for each requested review, in [0, 1]; they come on top of the budget.
    """

    path: Path | None = None
    label: str = "label"
    prediction: str = "prediction"
    share: float = Field(default=0.02, ge=0, le=1)


class GuardSettings(Section):
    """When an annotator is quarantined: their answers are held until a lead decides.

    Attributes:
        enabled: whether anybody is quarantined without a lead.
        min_agreement: agreement with consensus, leads and gold items that is owed, in (0, 1); set
            it below what honest annotators reach on hard items.
        min_comparisons: comparisons before an annotator can be quarantined.
        false_alarm: an annotator who agrees just as often as owed is quarantined by chance once in
            1 / `false_alarm` comparisons or less; in (0, 1).
    """

    enabled: bool = True
    min_agreement: float = Field(default=0.6, gt=0, lt=1)
    min_comparisons: int = Field(default=10, ge=1)
    false_alarm: float = Field(default=0.001, gt=0, lt=1)


class LabelSettings(Section):
    """How labels are waited for, and how several people's answers become one.

    Attributes:
        ttl_seconds: how long after the decision a label is still used; also how long a lead is
            given to adjudicate.
        required: annotators that each item is to be answered by.
        required_by_reason: the same for single reasons of routing, such as `exploration`.
        overlap: share of items that ask for one annotator more, drawn evenly, to measure agreement;
            in [0, 1].
        consensus: how votes become one answer: `majority`; `weighted` by the annotators' estimated
            accuracy; `dawid_skene` by fitted confusion matrices, which needs streamal[consensus].
        min_confidence: the winner's share of the votes, or its probability, must lie above it; else
            a lead is asked. In [0, 1).
        annotators: who may answer; empty: anybody. Leads always may.
        leads: who may adjudicate, and decide about annotators in quarantine; empty: anybody.
        annotator_series: annotators that metrics show by name, those with most answers first; 0
            shows none.
        gold: items whose answer is known.
        guard: when an annotator is quarantined.
    """

    ttl_seconds: float = Field(default=7 * 86_400, gt=0, le=3650 * 86_400)
    required: _Required = 1
    required_by_reason: dict[
        Literal[
            "above_threshold",
            "at_threshold",
            "exploration",
            "max_pending",
            "rate_limited",
            "stopped",
            "advance",
        ],
        _Required,
    ] = Field(default_factory=dict)
    overlap: float = Field(default=0.0, ge=0, le=1)
    consensus: Literal["majority", "weighted", "dawid_skene"] = "majority"
    min_confidence: float = Field(default=0.5, ge=0, lt=1)
    annotators: Names = ()
    leads: Names = ()
    annotator_series: int = Field(default=20, ge=0, le=1000)
    gold: GoldSettings = GoldSettings()
    guard: GuardSettings = GuardSettings()
