"""Consensus by Dawid and Skene: every annotator has a confusion matrix, learned without truth.

The expectation-maximisation is crowd-kit's; reading an item's posterior off the fitted matrices is
a product. Fitting takes a good part of a second for a few hundred items, so the caller fits now and
then and keeps the result. Source: Dawid and Skene, "Maximum likelihood estimation of observer
error-rates using the EM algorithm" (Applied Statistics 28, 1979).
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streamal.core.annotation.consensus import Vote

__all__ = ["DawidSkene", "Fit"]

#: Smallest probability of an answer: a class that an annotator never named is rare, not impossible.
_FLOOR: Final = 0.01
_ITERATIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted matrices; plain values, so that they can be kept as JSON.

    Attributes:
        priors: class to its share.
        errors: annotator to true class to answered class to probability.
    """

    priors: Mapping[str, float]
    errors: Mapping[str, Mapping[str, Mapping[str, float]]]

    def posterior(self, votes: Sequence[Vote]) -> dict[str, float]:
        """P(class | votes), over the classes of the fit; annotators it does not know are left out.

        Returns:
            Empty when no voter, or a class that was voted for, is unknown to the fit: the caller
            needs another rule then.
        """
        known = [vote for vote in votes if vote.annotator in self.errors]
        if not known or any(str(vote.answer) not in self.priors for vote in votes):
            return {}
        scores = {}
        for truth, prior in self.priors.items():
            score = max(prior, _FLOOR)
            for vote in known:
                row = self.errors[vote.annotator].get(truth, {})
                score *= max(row.get(str(vote.answer), 0.0), _FLOOR)
            scores[truth] = score
        total = sum(scores.values())
        return {truth: score / total for truth, score in scores.items()}


class DawidSkene:
    """Fits confusion matrices with crowd-kit.

    Raises:
        ImportError: crowd-kit is not installed (`streamal[consensus]`).
    """

    def __init__(self) -> None:
        self._pandas: Any = importlib.import_module("pandas")
        self._aggregation: Any = importlib.import_module("crowdkit.aggregation")

    def fit(self, panels: Iterable[Mapping[str, str]]) -> Fit:
        """Matrices that explain `panels` best; at least one answer is needed."""
        rows = [
            (item, annotator, answer)
            for item, panel in enumerate(panels)
            for annotator, answer in sorted(panel.items())
        ]
        frame = self._pandas.DataFrame(rows, columns=["task", "worker", "label"])
        with warnings.catch_warnings():
            # crowd-kit uses what newer pandas deprecates; none of it is ours to change.
            warnings.simplefilter("ignore")
            fitted = self._aggregation.DawidSkene(n_iter=_ITERATIONS).fit(frame)
        priors = {str(name): float(p) for name, p in fitted.priors_.items()}
        errors: dict[str, dict[str, dict[str, float]]] = {}
        for (annotator, answered), row in fitted.errors_.iterrows():
            for truth, p in row.items():
                rows_of = errors.setdefault(str(annotator), {})
                rows_of.setdefault(str(truth), {})[str(answered)] = float(p)
        return Fit(priors, errors)
