"""The control variate: what labels say that g is worth, each without being its own judge."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from streamal.core.estimation.values import FloatArray, LabelledItems
from streamal.core.types import JsonState

__all__ = ["Baseline", "BaselineFit", "leave_one_out"]

#: Effective past labels that weigh as much as the assumption that g is calibrated (slope 1).
_PRIOR_LABELS = 10.0
#: Variance of g that goes with that assumption; about that of g uniform on a tenth of [0, 1].
_PRIOR_VARIANCE = 0.001
#: Effective past labels that weigh as much as the assumption that g is right on average.
_PRIOR_LEVEL = 2.0
#: Level where nothing predicts the outcome: g is 0 everywhere.
_IGNORANCE = 0.5


@dataclass(frozen=True, slots=True)
class Baseline:
    """Expected outcome of an event, m = intercept + slope · g.

    Attributes:
        slope: λ in [0, 1]: 1 trusts g fully, 0 leaves a constant.
        intercept: shifts m to the level of the past.
    """

    intercept: float
    slope: float

    def of(self, expected_correct: FloatArray) -> FloatArray:
        """Expected outcome of each item, same shape."""
        return self.intercept + self.slope * expected_correct


class BaselineFit:
    """Learns the baseline from closed windows; O(1) memory.

    Weighted least squares of c on g with weights (1 - p)/p², which estimate from the labelled items
    the very quantity that becomes AIPW's sampling variance, Σ (1/p - 1)(c - m)² over all events.
    This is the power tuning of PPI++ (Angelopoulos, Duchi, Zrnic 2023) for unequal propensities
    (Zrnic, Candès 2024, "Active statistical inference"), with an intercept besides: without it a
    useless g would leave the outcome's mean in the residuals. Past windows only, hence predictable:
    the estimate stays unbiased however bad the fit.

    Args:
        half_life: effective labels after which a window's weight has halved, > 0.
    """

    def __init__(self, half_life: float = 500.0) -> None:
        if half_life <= 0:
            raise ValueError(f"half_life must be > 0, is {half_life}")
        self.half_life = half_life
        self._sums = _Sums()

    def learn(self, items: LabelledItems, inclusion: FloatArray) -> None:
        """Take in a closed window; `inclusion` is P(routed and answered) of each item."""
        weight = (1 - inclusion) / inclusion**2
        new = _Sums.of(items, weight)
        kept = 0.5 ** (new.effective / self.half_life)
        self._sums = self._sums.plus(new, kept)

    def fit(self, level: float = _IGNORANCE) -> Baseline | None:
        """The baseline of the past; None while there is none.

        Few labels move it little: from g itself, or from `level` where g is 0 everywhere. There a
        prediction that comes up later is not trusted until labels have spoken of it.
        """
        sums = self._sums
        if not sums.effective:
            return None
        moments = np.array([[sums.weight], [sums.c], [sums.g], [sums.gg], [sums.cg]])
        mean_g = sums.g / sums.weight
        assumed = np.array([mean_g or level])
        intercept, slope = _fitted(moments, np.array([sums.effective]), mean_g, assumed)
        return Baseline(float(intercept[0]), float(slope[0]) if mean_g else 0.0)

    def rescale(self, factor: float) -> None:
        """Go on in another unit of c and g: both were `factor` times as large, > 0."""
        sums = self._sums
        self._sums = replace(
            sums,
            c=sums.c * factor,
            g=sums.g * factor,
            gg=sums.gg * factor**2,
            cg=sums.cg * factor**2,
        )

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values."""
        return {name: float(value) for name, value in asdict(self._sums).items()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._sums = _Sums(**{name: float(str(value)) for name, value in state.items()})


def leave_one_out(
    items: LabelledItems, inclusion: FloatArray, mean_expected: float
) -> tuple[Baseline, FloatArray]:
    """Baselines of a window that has no past: for each item, from all the others.

    An item's own outcome and own draw have no part in what it is compared with, so the AIPW
    estimate stays unbiased, with any number of labels, where a ratio of weighted sums is not.
    Fitted as `BaselineFit` does; where nothing predicts, few labels are pulled to the weighted mean
    of all others, surely drawn ones included, instead of one half. Wu, E., and Gagnon-Bartsch, J.
    A. (2018), "The LOOP estimator: adjusting for covariates in randomized experiments", Evaluation
    Review 42 (4), 458-488.

    Args:
        items: the labelled items of the window, n of them.
        inclusion: P(routed and answered) of each.
        mean_expected: mean of g over all events of the window, in [0, 1]; 0 where nothing predicts.

    Returns:
        The baseline from all items, for those that have no label; and (n,) the expected outcome of
        each item by the others.
    """
    weight = (1 - inclusion) / inclusion**2
    c, g = items.correct, items.expected_correct
    terms = (weight, weight * c, weight * g, weight * g * g, weight * c * g)
    sums = _without_each(np.array([*terms, weight**2, 1 / inclusion, c / inclusion]))
    moments, (squared, stood_for, outcomes) = sums[:5], sums[5:]
    assumed = np.full_like(squared, mean_expected or _IGNORANCE)
    if not mean_expected:
        np.divide(outcomes, stood_for, out=assumed, where=stood_for > 0)
    effective = np.divide(moments[0] ** 2, squared, out=np.zeros_like(squared), where=squared > 0)
    intercept, slope = _fitted(moments, effective, mean_expected, assumed)
    whole = Baseline(float(intercept[-1]), float(slope[-1]))
    return whole, intercept[:-1] + slope[:-1] * g


def _without_each(terms: FloatArray) -> FloatArray:
    """(rows, n + 1): sums over all columns but one, and in the last column over all.

    Added from both ends rather than subtracted from the whole, where a large term would drown the
    small ones.
    """
    nothing = np.zeros((len(terms), 1))
    before = np.hstack([nothing, np.cumsum(terms, axis=1)])
    after = np.hstack([np.cumsum(terms[:, ::-1], axis=1)[:, ::-1][:, 1:], nothing, nothing])
    summed: FloatArray = before + after[:, : before.shape[1]]
    return summed


def _fitted(
    moments: FloatArray, effective: FloatArray, mean_expected: float, assumed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Intercepts and slopes.

    Args:
        moments: (5, k): Σω, Σωc, Σωg, Σωg², Σωcg of k sets of items.
        effective: (k,) Kish's effective number of labels in each; 0 leaves the assumptions alone.
        mean_expected: mean of g, for sets without a label.
        assumed: (k,) the level that few labels are pulled to.
    """
    scale = np.divide(1.0, moments[0], out=np.zeros_like(effective), where=effective > 0)
    mean_c, mean_g, mean_gg, mean_cg = moments[1:] * scale
    variance = np.maximum(0.0, mean_gg - mean_g**2)
    prior = _PRIOR_LABELS * _PRIOR_VARIANCE
    slope = np.clip(
        (effective * (mean_cg - mean_c * mean_g) + prior) / (effective * variance + prior), 0.0, 1.0
    )
    level = (effective * mean_c + _PRIOR_LEVEL * assumed) / (effective + _PRIOR_LEVEL)
    return level - slope * np.where(effective > 0, mean_g, mean_expected), slope


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weighted moments of the labelled past: Σω, Σω², Σωc, Σωg, Σωg², Σωcg."""

    weight: float = 0.0
    weight_squared: float = 0.0
    c: float = 0.0
    g: float = 0.0
    gg: float = 0.0
    cg: float = 0.0

    @classmethod
    def of(cls, items: LabelledItems, weight: FloatArray) -> _Sums:
        c, g = items.correct, items.expected_correct
        terms = (weight, weight**2, weight * c, weight * g, weight * g * g, weight * c * g)
        return cls(*(float(np.sum(term)) for term in terms))

    @property
    def effective(self) -> float:
        """Kish's effective number of labels."""
        return self.weight**2 / self.weight_squared if self.weight_squared else 0.0

    def plus(self, other: _Sums, kept: float) -> _Sums:
        # Σω² decays twice as fast: forgetting is part of the weight.
        return _Sums(
            self.weight * kept + other.weight,
            self.weight_squared * kept**2 + other.weight_squared,
            self.c * kept + other.c,
            self.g * kept + other.g,
            self.gg * kept + other.gg,
            self.cg * kept + other.cg,
        )
