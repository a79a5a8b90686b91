"""From recorded propensities to effective inclusion probabilities: not every review is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np

from streamal.core.estimation.values import FloatArray, LabelledItems, Response, Responses
from streamal.core.types import JsonState

__all__ = ["ResponseHistory", "inclusion_probability", "response_rate"]

#: Strata with fewer answers share one pooled rate: the relative error of a rate from 10 answers is
#: about a tenth to a fifth at the rates seen in practice, and a stratum without any answer would
#: silently drop out of the estimate.
_THIN = 10


#: Stands for a stratum that has no past.
_NOBODY = Response(0, 0)


def response_rate(responses: Responses) -> float:
    """Answered / matured over all strata, in [0, 1]; 1 when no review has matured."""
    return _rate(responses.values())


def inclusion_probability(
    items: LabelledItems, responses: Responses, past: Responses | None = None
) -> FloatArray:
    """P(routed and answered) of each labelled item, shape `(len(items),)`, in (0, 1].

    Propensity times the response rate of the item's stratum: labels may be missing, as long as
    within a stratum that does not depend on whether the prediction was right (missing at random).
    A stratum that `responses` does not name counts as fully answered.

    Args:
        items: the labelled items of a window.
        responses: of the same window, by stratum.
        past: of earlier windows; strata that are thin in this one take it along. A rate from a
            handful of reviews is biased: windows without any answer drop out of the estimate, and
            only the others are weighted up.

    Raises:
        ValueError: items are labelled, yet `responses` says that nothing was answered.
    """
    if not responses or not len(items):
        return items.propensity
    known = {name: _with_past(name, now, past or {}) for name, now in responses.items()}
    thin = [name for name, response in known.items() if response.answered < _THIN]
    pooled = _rate(known[name] for name in thin)
    if pooled == 0.0:  # no answer to weight up: the other strata speak for their unanswered too
        thin, pooled = list(known), response_rate(known)
    rates = {name: _rate([response]) for name, response in known.items()}
    rates.update(dict.fromkeys(thin, pooled))
    strata = items.stratum or ("",) * len(items)
    rate: FloatArray = np.array([rates.get(name, 1.0) for name in strata])
    if np.any(rate <= 0.0):
        raise ValueError("there are labelled items but no answered reviews")
    return np.multiply(items.propensity, rate)


class ResponseHistory:
    """How reviewers answered in the windows before; O(1) memory per stratum.

    Args:
        half_life: matured reviews after which a window's weight has halved, > 0.
    """

    def __init__(self, half_life: float = 500.0) -> None:
        if half_life <= 0:
            raise ValueError(f"half_life must be > 0, is {half_life}")
        self.half_life = half_life
        self._past: dict[str, Response] = {}

    @property
    def past(self) -> Responses:
        """Matured and answered reviews by stratum, the older the fewer."""
        return self._past

    def learn(self, responses: Responses) -> None:
        """Take in a closed window."""
        kept = 0.5 ** (sum(each.matured for each in responses.values()) / self.half_life)
        strata = sorted({*self._past, *responses})
        self._past = {
            name: _sum(self._past.get(name, _NOBODY), responses.get(name, _NOBODY), kept)
            for name in strata
        }

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values."""
        return {name: [each.matured, each.answered] for name, each in self._past.items()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        counts = cast(Mapping[str, tuple[float, float]], state)
        self._past = {name: Response(*pair) for name, pair in counts.items()}


def _with_past(name: str, now: Response, past: Responses) -> Response:
    return now if now.answered >= _THIN else _sum(past.get(name, _NOBODY), now, 1.0)


def _sum(past: Response, now: Response, kept: float) -> Response:
    return Response(past.matured * kept + now.matured, past.answered * kept + now.answered)


def _rate(responses: Iterable[Response]) -> float:
    counted = list(responses)
    matured = sum(response.matured for response in counted)
    return sum(response.answered for response in counted) / matured if matured else 1.0
