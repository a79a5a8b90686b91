"""How probable it is that production is wrong."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.strategies.base import ANY_TASK, MAXIMUM, Strategy, within_unit
from streamal.core.types import Task


class ExpectedError(Strategy):
    """How probable it is that production is wrong.

    Finds production's errors rather than the online model's doubts. With `learner.target = "error"`
    the model learns exactly this; with `target = "label"` it is the probability that the online
    model gives to classes other than production's. In a regression, wrong means farther from the
    truth than the pipeline's tolerance.

    Formula:
        1 - g, where g is the online model's prediction of P(production is right).

    Range:
        0 when production is surely right, 1 when it is surely wrong, or while the online model
        knows fewer than two classes, or two numbers.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.7, "dog": 0.2, "bird": 0.1}
        >>> context = Context("e1", {}, Production("dog"), model, expected_correct=0.2)
        >>> ExpectedError().score(Batch.of([context]))
        array([0.8])

    References:
        Sampling in proportion to the expected loss of the model under test: Kossen, J., Farquhar,
        S., Gal, Y., and Rainforth, T. (2021). Active testing: sample-efficient model evaluation.
        ICML 2021, PMLR 139.
    """

    name: ClassVar[str] = "expected_error"

    @property
    def tasks(self) -> frozenset[Task]:
        """Any: in a regression, wrong is farther off than the tolerance."""
        return ANY_TASK

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        # Until the model knows two classes or numbers, that is only production's word on itself.
        known = ~np.isnan(batch.expected_loss)
        for rows, classes, _ in batch.model.blocks:
            if len(classes) > 1:
                known[rows] = True
        return within_unit(np.where(known, 1.0 - batch.expected_correct, MAXIMUM))
