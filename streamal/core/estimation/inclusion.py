"""From recorded propensities to effective inclusion probabilities: not every review is answered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from streamal.core.estimation.values import FloatArray, LabelledItems, Response, Responses

__all__ = ["inclusion_probability", "response_rate"]

#: Strata with fewer answers share one pooled rate: the relative error of a rate from 10 answers is
#: about a tenth to a fifth at the rates seen in practice, and a stratum without any answer would
#: silently drop out of the estimate.
_THIN = 10


def response_rate(responses: Responses) -> float:
    """Answered / matured over all strata, in [0, 1]; 1 when no review has matured."""
    return _rate(responses.values())


def inclusion_probability(items: LabelledItems, responses: Responses) -> FloatArray:
    """P(routed and answered) of each labelled item, shape `(len(items),)`, in (0, 1].

    Propensity times the response rate of the item's stratum: labels may be missing, as long as
    within a stratum that does not depend on whether the prediction was right (missing at random).
    A stratum that `responses` does not name counts as fully answered.

    Raises:
        ValueError: items are labelled, yet `responses` says that nothing was answered.
    """
    if not responses or not len(items):
        return items.propensity
    thin = [name for name, response in responses.items() if response.answered < _THIN]
    pooled = _rate(responses[name] for name in thin)
    if pooled == 0.0:  # no answer to weight up: the other strata speak for their unanswered too
        thin, pooled = list(responses), response_rate(responses)
    rates = {name: _rate([response]) for name, response in responses.items()}
    rates.update(dict.fromkeys(thin, pooled))
    strata = items.stratum or ("",) * len(items)
    rate: FloatArray = np.array([rates.get(name, 1.0) for name in strata])
    if np.any(rate <= 0.0):
        raise ValueError("there are labelled items but no answered reviews")
    return np.multiply(items.propensity, rate)


def _rate(responses: Iterable[Response]) -> float:
    counted = list(responses)
    matured = sum(response.matured for response in counted)
    return sum(response.answered for response in counted) / matured if matured else 1.0
