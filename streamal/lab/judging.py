"""Whether a prediction is right, and how far off it is, whatever the task."""

from __future__ import annotations

from streamal.core.types import Production, Truth

__all__ = ["is_right", "loss_of", "said_by"]


def said_by(production: Production) -> Truth | None:
    """What production predicted: a class, or a number; None for nothing."""
    return production.label if production.value is None else production.value


def is_right(said: Truth | None, truth: Truth, *, tolerance: float | None) -> bool:
    """Whether a prediction counts as right.

    Args:
        said: what was predicted; None is never right.
        truth: the true class or number.
        tolerance: how far apart two numbers may be; None for classes.
    """
    if said is None or isinstance(said, str) or isinstance(truth, str) or tolerance is None:
        return said == truth
    return abs(said - truth) <= tolerance


def loss_of(said: Truth | None, truth: Truth | None) -> float | None:
    """|said - truth|; None without either, and for classes."""
    if said is None or truth is None or isinstance(said, str) or isinstance(truth, str):
        return None
    return abs(said - truth)
