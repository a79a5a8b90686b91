"""The names of a pipeline's topics."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Topics"]


@dataclass(frozen=True, slots=True)
class Topics:
    """One name per topic of the design, see `docs/architecture.md`."""

    predictions: str = "predictions"
    reviews: str = "reviews"
    labels: str = "labels"
    models: str = "models"
    gate_state: str = "gate-state"
    windows: str = "windows"
    drift: str = "drift"
    dead_letters: str = "dead-letters"
