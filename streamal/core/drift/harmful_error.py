"""Harmful drift of a regression's mean absolute error: one class per file."""

from __future__ import annotations

from typing import Annotated, ClassVar

from streamal.core.drift.base import Subject
from streamal.core.drift.harmful_risk import HarmfulRisk
from streamal.core.parameters import Range

__all__ = ["HarmfulError"]


class HarmfulError(HarmfulRisk):
    """Whether the mean absolute error has risen by more than is tolerable, tested at every window.

    The test of `harmful_risk` on |prediction - truth|, which has no natural scale: tolerance and
    margin are shares of the error that the reference had. The bounds are asymptotic and need no
    largest error, only errors with a finite moment beyond the second.

    Formula:
        Alarm when, for any start k, S/N - u(V; a_k)/N > U + tolerance * R, with S the estimated sum
        of absolute errors, R the reference's mean, and all else as in `harmful_risk`.

    Args:
        tolerance: rise of the mean absolute error that is still fine, as a share of the
            reference's, in [0, 10].
        false_alarm_rate: chance that a reference ever leads to an alarm without harm, in (0, 0.2].
        reference_margin: the reference grows until its upper bound lies this close to its mean, as
            a share of the mean, in [0.005, 2]; 0.1 takes some hundreds of uniformly drawn labels.

    References:
        As `harmful_risk`. Without a bound on the errors: Waudby-Smith, I., Arbour, D., Sinha, R.,
        Kennedy, E. H., and Ramdas, A. (2024). Time-uniform central limit theory and asymptotic
        confidence sequences. Annals of Statistics 52 (6), 2613-2640.
    """

    name: ClassVar[str] = "harmful_error"
    subjects: ClassVar[frozenset[Subject]] = frozenset({Subject.ABSOLUTE_ERROR})

    def __init__(
        self,
        tolerance: Annotated[float, Range(0, 10)] = 0.1,
        false_alarm_rate: Annotated[float, Range(0, 0.2, open_low=True)] = 0.05,
        reference_margin: Annotated[float, Range(0.005, 2)] = 0.1,
    ) -> None:
        super().__init__(tolerance, false_alarm_rate, reference_margin)

    @property
    def _unit(self) -> float:
        """The reference's mean; sampling error may make it negative."""
        return max(0.0, self._reference.mean)
