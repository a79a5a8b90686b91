"""From one closed window's labels and totals to its evidence: AIPW, or Hájek where it must be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamal.core.estimation.baseline import Baseline, leave_one_out
from streamal.core.estimation.inclusion import inclusion_probability, response_rate
from streamal.core.estimation.measurement import Measurement, report
from streamal.core.estimation.values import (
    Estimate,
    FloatArray,
    LabelledItems,
    Method,
    Responses,
    Target,
    WindowTotals,
)

__all__ = ["estimate_window", "measure"]


@dataclass(frozen=True, slots=True)
class _Centre:
    """What labelled items are compared with.

    `scale` multiplies residuals: 1 for AIPW, events / Σw for the self-normalised estimate.
    """

    method: Method
    events: float
    total: float
    expected: FloatArray
    mean: float
    scale: float = 1.0
    slope: float = 0.0


def measure(
    totals: WindowTotals | None,
    items: LabelledItems,
    inclusion: FloatArray,
    responses: Responses,
    baseline: Baseline | None,
    *,
    least_propensity: float | None = None,
    target: Target = Target.REALISED,
) -> Measurement:
    """A window's evidence.

    AIPW: z = m + (ξ/p)(c - m), m the baseline of the past and p = P(routed and answered); z - c is
    a martingale difference whatever m is, because propensities and m are fixed before the draw.
    While there is no past, m of each item comes from the others of its window, which is as good a
    reason (`leave_one_out`). Hájek, Σwc/Σw with w = 1/p, when the totals are missing.

    Args:
        totals: sums over all reachable events; None when they are not known.
        items: the labelled ones among them.
        inclusion: p of each item, from `inclusion_probability`.
        responses: matured and answered reviews by stratum; empty when every review was answered.
        baseline: fitted on earlier windows only; None while there are none to speak of.
        least_propensity: the exploration floor in force, in (0, 1]: says what an item that was not
            drawn would have weighed. None takes the heaviest that was drawn.
        target: which truth the variance is for.

    Raises:
        ValueError: more labelled items than events.
    """
    if totals is not None and len(items) > totals.events:
        raise ValueError(f"{len(items)} labelled items among {totals.events} events")
    weight = 1 / inclusion
    centre = _centre(totals, items, inclusion, baseline)
    # Unbiased estimates, from the drawn items, of the sum over all events of the second and third
    # cumulants of ξ(c - m)/p; the third with the share that studentising adds, so that it is
    # κ₃ for small p and vanishes with the variance as p goes to 1.
    residual = centre.scale * (items.correct - centre.expected)
    variance = float(np.sum((1 - inclusion) * (weight * residual) ** 2))
    third = float(np.sum((1 - inclusion) * (1 - inclusion / 2) * (weight * residual) ** 3))
    if target is Target.EXPECTED:
        variance += centre.events * _outcome_variance(items, weight)
    unseen = _unseen(centre.events, weight, responses, least_propensity)
    if centre.method is Method.HAJEK:
        unseen *= centre.events / (float(weight.sum()) + unseen)
    mean = min(1.0, max(0.0, centre.mean))
    return Measurement(
        events=centre.events,
        total=centre.total,
        predicted=centre.events * mean,
        variance=variance,
        third=third,
        unseen=centre.events * unseen,
        labelled=len(items),
        correct=float(np.sum(items.correct)),
        weight=float(np.sum(weight)),
        weight_squared=float(np.sum(weight**2)),
        matured=sum(float(response.matured) for response in responses.values()),
        answered=sum(float(response.answered) for response in responses.values()),
        slope=centre.slope,
        method=centre.method,
    )


def estimate_window(
    totals: WindowTotals | None,
    items: LabelledItems,
    responses: Responses,
    baseline: Baseline | None = None,
    *,
    least_propensity: float | None = None,
    level: float = 0.95,
    target: Target = Target.REALISED,
) -> Estimate:
    """Accuracy over one closed, matured window; arguments as in `measure`."""
    inclusion = inclusion_probability(items, responses)
    measured = measure(
        totals,
        items,
        inclusion,
        responses,
        baseline,
        least_propensity=least_propensity,
        target=target,
    )
    return report(measured, level)


def _centre(
    totals: WindowTotals | None,
    items: LabelledItems,
    inclusion: FloatArray,
    baseline: Baseline | None,
) -> _Centre:
    weight = 1 / inclusion
    if totals is None:
        return _self_normalised(float(weight.sum()), items, weight)
    if baseline is None:
        mean_expected = totals.sum_expected_correct / max(1, totals.events)
        baseline, expected = leave_one_out(items, inclusion, mean_expected)
    else:
        expected = baseline.of(items.expected_correct)
    # What all events are expected to sum to, each labelled one by what it is compared with.
    predicted = baseline.intercept * totals.events + baseline.slope * totals.sum_expected_correct
    predicted += float(np.sum(expected - baseline.of(items.expected_correct)))
    return _Centre(
        method=Method.AIPW,
        events=float(totals.events),
        total=predicted + float(np.sum(weight * (items.correct - expected))),
        expected=expected,
        mean=predicted / totals.events if totals.events else 0.5,
        slope=baseline.slope,
    )


def _self_normalised(events: float, items: LabelledItems, weight: FloatArray) -> _Centre:
    if not len(items):
        return _Centre(Method.NONE, 0.0, 0.0, items.correct, 0.5)
    mean = float(np.average(items.correct, weights=weight))
    return _Centre(
        method=Method.HAJEK,
        events=events,
        total=events * mean,
        expected=np.full(len(items), mean),
        mean=mean,
        scale=events / float(weight.sum()),
    )


def _outcome_variance(items: LabelledItems, weight: FloatArray) -> float:
    """Var(c) over all events, from the drawn ones; 1/4, the most it can be, without any."""
    if not len(items):
        return 0.25
    mean = np.average(items.correct, weights=weight)
    return float(np.average((items.correct - mean) ** 2, weights=weight))


def _unseen(
    events: float, weight: FloatArray, responses: Responses, least_propensity: float | None
) -> float:
    """Events that a typical undrawn event would have stood for, had it been drawn.

    The mean of 1/p over all events: Σw²/Σw estimates it, where the drawn ones stand for all; those
    that nobody stands for weigh the most. A bound by the most for all (Fay and Feuer) covers too
    often, see Tiwari, Clegg, Zou (2006) on the same choice for standardised rates. Never more than
    are unlabelled.
    """
    unlabelled = max(0.0, events - len(weight))
    heaviest = [float(weight.max())] if len(weight) else []
    rate = response_rate(responses)
    if least_propensity is not None and rate > 0:
        heaviest.append(1 / (least_propensity * rate))
    most = max(heaviest, default=unlabelled)
    stood_for = float(weight.sum())
    unaccounted = max(0.0, events - stood_for)
    typical = (float(np.sum(weight**2)) + unaccounted * most) / max(stood_for + unaccounted, 1.0)
    return min(unlabelled, typical)
