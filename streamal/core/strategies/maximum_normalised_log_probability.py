"""Maximum normalised log-probability: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from math import exp, fsum, log
from typing import ClassVar

from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.types import Context

__all__ = ["MaximumNormalisedLogProbability"]


class MaximumNormalisedLogProbability(Strategy):
    """How unsure production is of a sequence: a text, a tagging, a transcription (MNLP).

    The probability of a whole sequence shrinks with its length, so least confidence would ask about
    the longest. Here the length does not count: a sequence is as doubtful as its tokens are in the
    geometric mean.

    Formula:
        1 - exp(sum(log(p)) / n) over the probabilities p that production gave to the n tokens that
        it chose. The order is that of the paper's -sum(log(p)) / n.

    Range:
        0 when production was sure of every token, 1 when it ruled out one of the tokens that it
        chose, or where an event has no token probabilities.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> short = Production("ok", token_probabilities=(0.9, 0.4))
        >>> long = Production("ok", token_probabilities=(0.9, 0.9, 0.9, 0.9, 0.9, 0.4))
        >>> strategy = MaximumNormalisedLogProbability()
        >>> [round(strategy.score(Context("e", {}, said)), 3) for said in (short, long)]
        [0.4, 0.214]

    References:
        Shen, Y., Yun, H., Lipton, Z. C., Kronrod, Y., and Anandkumar, A. (2018). Deep active
        learning for named entity recognition. ICLR 2018; section 4.
    """

    name: ClassVar[str] = "maximum_normalised_log_probability"

    def score(self, context: Context) -> float:
        """See the class."""
        tokens = context.production.token_probabilities
        if not tokens:
            return MAXIMUM
        try:
            return within_unit(1.0 - exp(fsum(map(log, tokens)) / len(tokens)))
        except ValueError:  # log of 0
            return MAXIMUM
