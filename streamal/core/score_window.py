"""The sliding window of scores that a new score is ranked against; for policies and strategies."""

from __future__ import annotations

import base64
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from struct import Struct

from streamal.core.types import JsonState

__all__ = ["ScoreWindow", "single"]

_SINGLE = Struct("<f")


#: The window of a young stream holds at least this many scores: enough for a rank.
_FEWEST = 50


class ScoreWindow:
    """The last `size` scores, in order of arrival and in order of size.

    While the stream is young it holds the later half only: a model that has just begun to learn
    scores quite differently from one item to the next hundred, and the first scores of all, when
    nothing was known, are maximal.

    Scores are held in single precision: a state on a topic is half as large, and what is restored
    equals what was held, so that a restarted gate decides the same.

    Args:
        size: how many scores are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        #: Scores taken in so far.
        self.added = 0
        self._arrived: deque[float] = deque()
        self._sorted: list[float] = []
        #: Rounds what is put into it; three times as fast as `single`.
        self._single = array("f", [0.0])

    def __len__(self) -> int:
        return len(self._sorted)

    def rank(self, score: float) -> tuple[float, float]:
        """P(S < score) and P(S <= score), the item itself counted in, so the second is larger."""
        self._single[0] = score
        score = self._single[0]
        ranked = self._sorted
        count = len(ranked) + 1
        return bisect_left(ranked, score) / count, (bisect_right(ranked, score) + 1) / count

    def note(self, score: float, share: float = 0.0) -> tuple[float, float, float | None]:
        """`rank` of a score and `quantile` of a share, then `add`, in little more than one's time.

        Args:
            score: to rank and to take in.
            share: in [0, 1].
        """
        self._single[0] = score
        score = self._single[0]
        ranked = self._sorted
        held = len(ranked)
        below = up_to = bisect_left(ranked, score)
        if below < held and ranked[below] == score:
            up_to = bisect_right(ranked, score, below)
        place = int(share * held)
        threshold = ranked[place if place < held else held - 1] if held else None
        self._insert(score, below)
        return below / (held + 1), (up_to + 1) / (held + 1), threshold

    def quantile(self, share: float) -> float | None:
        """The smallest score with at least `share` of the window below it or at it; None if empty.

        Args:
            share: in [0, 1].
        """
        ranked = self._sorted
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else None

    @property
    def spread(self) -> float:
        """Largest minus smallest score, 0 if empty."""
        return self._sorted[-1] - self._sorted[0] if self._sorted else 0.0

    def add(self, score: float) -> None:
        """Take in one score, and forget the oldest beyond the window."""
        self._single[0] = score
        score = self._single[0]
        self._insert(score, bisect_left(self._sorted, score))

    def _insert(self, score: float, place: int) -> None:
        """Take in one rounded score, before which `place` others are smaller."""
        self.added += 1
        arrived, ranked, limit = self._arrived, self._sorted, self._size
        if self.added < 2 * limit:
            limit = min(limit, max(_FEWEST, self.added // 2))
        elif len(arrived) == limit and arrived[0] == score:  # as in a stream of equal scores
            arrived.rotate(-1)
            return
        arrived.append(score)
        ranked.insert(place, score)
        while len(arrived) > limit:
            del ranked[bisect_left(ranked, arrived.popleft())]

    def encode(self) -> str:
        """The scores in order of arrival: little-endian single precision, base64."""
        return base64.b64encode(_little_endian(array("f", self._arrived)).tobytes()).decode("ascii")

    def decode(self, encoded: str, added: int) -> None:
        """Return to what `encode` returned; of more than `size` scores, to the newest.

        Args:
            encoded: from `encode`.
            added: how many scores had been taken in.
        """
        scores = array("f")
        scores.frombytes(base64.b64decode(encoded))
        self._arrived = deque(_little_endian(scores)[-self._size :])
        self._sorted = sorted(self._arrived)
        self.added = max(added, len(self._arrived))

    def state(self) -> JsonState:
        """The scores and how many had been taken in, as JSON values."""
        return {"items": self.added, "scores": self.encode()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; another size keeps the newest, an empty state none."""
        scores, items = state.get("scores"), state.get("items")
        self.decode(
            scores if isinstance(scores, str) else "", items if isinstance(items, int) else 0
        )


def single(score: float) -> float:
    """The score as a window holds it, rounded to single precision."""
    rounded: float = _SINGLE.unpack(_SINGLE.pack(score))[0]
    return rounded


def _little_endian(scores: array[float]) -> array[float]:
    if sys.byteorder == "big":
        scores.byteswap()
    return scores
