"""Metrics of a regression: mean absolute errors, in the unit of what is predicted."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import TRAINER, Kind, MetricSpec

__all__ = ["LOSS_METRICS"]

_INTERVAL: Final = {"kind": ("estimate", "low", "high")}
_KINDS: Final = {"kind": ("estimate", "low", "high", "naive")}

LOSS_METRICS: Final = (
    MetricSpec(
        "production_error",
        "streamal_production_absolute_error",
        Kind.GAUGE,
        "Regression only: production's mean absolute error over all matured windows, in the unit "
        "of its predictions: unbiased, with an anytime interval; naive is the biased mean over "
        "routed items, for comparison only.",
        "A lower bound above what its users can live with: retrain it. High is +Inf while labels "
        "are few and pipeline.value_range is not set.",
        (TRAINER,),
        labels=("kind",),
        known=_KINDS,
    ),
    MetricSpec(
        "error_objective",
        "streamal_objective_absolute_error",
        Kind.GAUGE,
        "Regression only: the mean absolute error that production must keep "
        "(estimation.error_objective); NaN where none is set.",
        "NaN, and you do promise one: set it, or no alert can hold production to it.",
        (TRAINER,),
    ),
    MetricSpec(
        "window_error",
        "streamal_window_absolute_error",
        Kind.GAUGE,
        "Regression only: production's mean absolute error in the last matured window alone, with "
        "an interval for that window.",
        "Jumpy with few labels per window: lengthen estimation.window_seconds, or spend more.",
        (TRAINER,),
        labels=("kind",),
        known=_KINDS,
    ),
    MetricSpec(
        "segment_error",
        "streamal_segment_absolute_error",
        Kind.GAUGE,
        "Regression only: production's mean absolute error by segment over all matured windows, "
        "with an anytime interval.",
        "A segment well above the others: look at its reviews; its model may need its own data.",
        (TRAINER,),
        labels=("segment", "value", "kind"),
        known=_INTERVAL,
    ),
    MetricSpec(
        "segment_error_difference",
        "streamal_segment_absolute_error_difference",
        Kind.GAUGE,
        "Regression only: mean absolute error of a segment minus that of the one that served most, "
        "over the windows where both served, with an anytime interval.",
        "A lower bound above 0 for a model version: the canary is further off; roll it back.",
        (TRAINER,),
        labels=("segment", "value", "reference", "kind"),
        known=_INTERVAL,
    ),
    MetricSpec(
        "model_error",
        "streamal_model_absolute_error",
        Kind.GAUGE,
        "Regression only: the online model's mean absolute error, estimated in the same way over "
        "the events about which it had something to say.",
        "Well below production's: consider to promote the online model, or to retrain.",
        (TRAINER,),
        labels=("kind",),
        known=_KINDS,
    ),
)
