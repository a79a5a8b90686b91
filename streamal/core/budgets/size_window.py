"""The window of scores that propensities in proportion to a size are reckoned from."""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from streamal.core.types import JsonState

__all__ = ["SizeWindow"]

#: Least score that counts: all else has this size, so that what a budget leaves over when every
#: higher score is certain can be spread over the rest.
_LEAST_SCORE: Final = 1e-6

#: The window of a young stream holds at least this many scores.
_FEWEST: Final = 50

#: Part of the window that is new before sums are made again: their cost is spread over so many
#: items, and a mean over a window that lags by a twentieth is as good.
_FRESH_PART: Final = 20


class SizeWindow:
    """The last `size` scores, as sizes to which propensities are in proportion.

    The size of an item is score^power. While the stream is young the window holds the later half
    only, as `ScoreWindow` does and for the same reason. Scores are held in single precision, so
    that what is restored equals what was held.

    Args:
        size: how many scores are kept.
        power: at least 0; at 0 all sizes are equal.
    """

    def __init__(self, size: int, power: float) -> None:
        self._size = size
        self._power = power
        self._clear()

    def _clear(self) -> None:
        #: Scores taken in so far, and how many of them came after the sums were made.
        self.added = 0
        self.fresh = 0
        self._arrived: deque[float] = deque(maxlen=self._size + self._size // _FRESH_PART)
        self._count = 0
        self._sums: list[float] = [0.0]
        self._demands: list[float] = []

    def factor(self, share: float, score: float) -> float:
        """The k for which min(1, k * size) has the mean `share` over the window.

        As in sampling with probabilities proportional to size, the largest are certain when their
        propensity would pass 1, and the rest share what is left. While none is, the item itself
        counts in the mean: a window of few scores says little about it.

        Args:
            share: in [0, 1).
            score: the item's, in [0, 1].
        """
        demand = share * self._count
        certain = bisect_left(self._demands, demand)
        if certain == 0:
            return (demand + share) / (self._sums[-1] + self.size_of(score))
        return (demand - certain) / self._sums[self._count - certain]

    def size_of(self, score: float) -> float:
        """score^power, of at least a least score."""
        size: float = max(score, _LEAST_SCORE) ** self._power
        return size

    def score_of(self, size: float) -> float:
        """The score with that size, in [0, 1]; 0 when all sizes are equal."""
        if self._power <= 0.0:
            return 0.0
        score: float = size ** (1.0 / self._power) if size < 1.0 else 1.0
        return score

    def add(self, score: float) -> None:
        """Take in one score, and forget the oldest beyond the window."""
        self._arrived.append(score)
        self.added += 1
        self.fresh += 1
        if self.fresh * _FRESH_PART >= self._count:
            self.fresh = 0
            self._sum_up()

    def _sum_up(self) -> None:
        """The sums over the smallest sizes, and for each number of certain items what it demands.

        With the i largest just certain, the window demands `_demands[i]`: i ones, and the rest in
        proportion. It rises with i, so that the number for a given demand is found by bisection.
        """
        limit = min(self._size, max(_FEWEST, (self.added - self.fresh) // 2))
        last = len(self._arrived) - self.fresh
        scores = _singles(self._arrived)[max(0, last - limit) : last].astype(np.float64)
        sizes = np.sort(np.maximum(scores, _LEAST_SCORE) ** self._power)
        sums = np.cumsum(sizes)
        self._count = len(sizes)
        self._sums = [0.0, *sums.tolist()]
        self._demands = (sums / sizes + np.arange(len(sizes) - 1, -1, -1))[::-1].tolist()

    def encode(self) -> str:
        """The scores in order of arrival: little-endian single precision, base64."""
        return base64.b64encode(_singles(self._arrived).tobytes()).decode("ascii")

    def decode(self, encoded: str, added: int, fresh: int) -> None:
        """Return to what `encode` returned; of more than fit, to the newest.

        Args:
            encoded: from `encode`.
            added: how many scores had been taken in.
            fresh: how many of them came after the sums were made.
        """
        self._clear()
        self._arrived.extend(np.frombuffer(base64.b64decode(encoded), dtype="<f4").tolist())
        self.added = max(added, len(self._arrived))
        self.fresh = fresh if fresh < len(self._arrived) else 0
        if self._arrived:
            self._sum_up()

    def state(self) -> JsonState:
        """The scores and the counts of them, as JSON values."""
        return {"items": self.added, "fresh": self.fresh, "scores": self.encode()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; another size keeps the newest, an empty state none."""
        scores, items, fresh = (state.get(key) for key in ("scores", "items", "fresh"))
        self.decode(
            scores if isinstance(scores, str) else "",
            items if isinstance(items, int) else 0,
            fresh if isinstance(fresh, int) else 0,
        )


def _singles(scores: deque[float]) -> npt.NDArray[np.float32]:
    return np.array(scores, dtype="<f4")
