"""Notices that an annotator's agreement has collapsed, without counting honest bad luck as malice.

A sequential test by betting: under the hypothesis that the mean agreement is at least `threshold`,
each bet 1 + b (threshold - x) is fair or losing whatever the distribution of x in [0, 1]. Wealth is
restarted whenever it falls below 1 (CUSUM), so that a long good record does not pay for a later
collapse. The alarm is an e-detector: with a mixture over bets, an annotator whose agreement stays
at the threshold or above meets a false alarm on average after at least 1 / `false_alarm`
comparisons. Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting" (JRSS-B 86, 2024), section 4; Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric
framework for sequential change detection" (New England J. Statistics in Data Science 2, 2024),
definition 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["CollapseDetector"]

#: Fractions of the largest bet that cannot lose everything. Small ones find slight shortfalls,
#: large ones find a saboteur within a dozen comparisons.
_BETS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True)
class CollapseDetector:
    """The test; its state is the wealth of each bet, which the caller keeps.

    Attributes:
        threshold: agreement that an annotator owes, in (0, 1).
        false_alarm: one over the mean number of comparisons until a false alarm, in (0, 1).
    """

    threshold: float
    false_alarm: float

    def start(self) -> tuple[float, ...]:
        """The state before the first comparison."""
        return (0.0,) * len(_BETS)

    def update(self, wealth: Sequence[float], agreement: float) -> tuple[float, ...]:
        """The state after one more comparison.

        Args:
            wealth: the state so far.
            agreement: in [0, 1]; 1 when the annotator agreed.
        """
        largest = 1 / (1 - self.threshold)
        gain = self.threshold - agreement
        return tuple(
            max(before, 1.0) * (1 + bet * largest * gain)
            for before, bet in zip(wealth, _BETS, strict=True)
        )

    def alarms(self, wealth: Sequence[float]) -> bool:
        """Whether the agreement has collapsed."""
        return sum(wealth) / len(wealth) >= 1 / self.false_alarm
