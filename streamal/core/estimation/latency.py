"""How long answers take, when many have not come yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamal.core.estimation.values import FloatArray

__all__ = ["LatencyDistribution", "kaplan_meier"]


@dataclass(frozen=True, slots=True, eq=False)
class LatencyDistribution:
    """P(answered within t), a step function.

    Attributes:
        seconds: times at which answers came, ascending, shape `(n,)`.
        answered: P(answered by that time), ascending in [0, 1], shape `(n,)`.
    """

    seconds: FloatArray
    answered: FloatArray

    def quantile(self, share: float) -> float | None:
        """The time by which `share` of *all* reviews are answered, those never answered included.

        Args:
            share: in (0, 1].

        Returns:
            Seconds; None where so many have not been answered as far as anything is known.
        """
        reached = np.searchsorted(self.answered, share - 1e-12)
        return float(self.seconds[reached]) if reached < len(self.seconds) else None


def kaplan_meier(seconds: ArrayLike, ended: ArrayLike) -> LatencyDistribution:
    """The distribution of latencies from reviews of which some are still waiting.

    Leaving those out, or looking only at answers of the last hours, shows reviewers faster than
    they are: the slow answers are those that are missing.

    Args:
        seconds: time from decision to answer, or to now or expiry without one; >= 0, shape `(n,)`.
        ended: whether it ended with an answer, shape `(n,)`.

    Raises:
        ValueError: lengths differ.

    Source: Kaplan, Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958).

    >>> latencies = kaplan_meier([1.0, 2.0, 3.0, 4.0], [True, False, True, False])
    >>> latencies.quantile(0.25), latencies.quantile(0.9)
    (1.0, None)
    """
    times = np.asarray(seconds, dtype=np.float64)
    events: NDArray[np.bool_] = np.asarray(ended, dtype=np.bool_)
    if times.shape != events.shape:
        raise ValueError(f"{times.shape} times, but {events.shape} answers")
    moments = np.unique(times[events])
    ordered = np.sort(times)
    at_risk = len(times) - np.searchsorted(ordered, moments, side="left")
    came = np.searchsorted(np.sort(times[events]), moments, side="right")
    came = np.diff(came, prepend=0)
    answered_by: FloatArray = 1.0 - np.cumprod(1.0 - came / at_risk, dtype=np.float64)
    return LatencyDistribution(moments, answered_by)
