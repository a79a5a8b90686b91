"""Expected absolute error: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.value_strategy import ValueStrategy
from streamal.core.types import Context

__all__ = ["ExpectedAbsoluteError"]


class ExpectedAbsoluteError(ValueStrategy):
    """How far production is expected to be from the truth.

    Finds production's large errors. With `target = "label"` the expectation rises with the distance
    between production's number and the online model's, less what is known to be the model's own
    error; with `learner.target = "error"` the model learns exactly this. Needs no committee.

    Formula:
        e / (e + s), where e is the expected |production - truth| and s its running mean over the
        recent past.

    Range:
        0 when production is surely right, one half for an item of ordinary error, 1 while the
        online model knows fewer than two numbers.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = ExpectedAbsoluteError()
        >>> for loss in (1.0, 3.0):
        ...     strategy.commit(Context("past", {}, Production(value=7.0), expected_loss=loss))
        >>> strategy.score(Context("e1", {}, Production(value=7.0), expected_loss=6.0))
        0.75

    References:
        Sampling in proportion to the expected loss of the model under test: Kossen, J., Farquhar,
        S., Gal, Y., and Rainforth, T. (2021). Active testing: sample-efficient model evaluation.
        ICML 2021, PMLR 139.
    """

    name: ClassVar[str] = "expected_absolute_error"

    def measure(self, context: Context) -> float | None:
        """See the class."""
        return context.expected_loss
