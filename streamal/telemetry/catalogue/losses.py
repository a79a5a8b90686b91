"""Metrics of a regression: mean absolute errors, in the unit of what is predicted."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import TRAINER, Kind, MetricSpec

__all__ = ["LOSS_METRICS"]

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
