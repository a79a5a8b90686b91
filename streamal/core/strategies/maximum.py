"""Maximum: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from streamal.core.strategies.combination import DEFAULT_PARTS, PARTS, Fusion, Part

__all__ = ["Maximum"]


class Maximum(Fusion):
    """Several strategies at once: the highest of their scores.

    Use it when being informative in one way is reason enough. A part that knows nothing scores 1
    for every item and so hides all others: a committee strategy without a committee, or
    production's probabilities where production publishes none.

    Formula:
        max(s) over the scores s of the parts.

    Range:
        that of the parts; 1 as soon as one of them knows nothing.

    Args:
        strategies: 2 to 8 parts, each a registered `strategy` that is not itself a combination, and
            its `parameters`.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.9, "dog": 0.1}
        >>> context = Context("e1", {}, Production("dog"), model, expected_correct=0.1)
        >>> Maximum().score(context)
        0.9

    References:
        The max rule of Kittler, J., Hatef, M., Duin, R. P. W., and Matas, J. (1998). On combining
        classifiers. IEEE Transactions on Pattern Analysis and Machine Intelligence 20 (3), 226-239.
    """

    name: ClassVar[str] = "max"

    def __init__(self, strategies: Annotated[tuple[Part, ...], PARTS] = DEFAULT_PARTS) -> None:
        super().__init__(strategies)

    def combined(self, scores: Sequence[float]) -> float:
        """See the class."""
        return max(scores)
