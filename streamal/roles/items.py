"""Predictions of production as columns for the core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamal.core.assess import Items
from streamal.core.batch import Distributions, Outputs, numbers_of
from streamal.core.features import FeatureColumns
from streamal.core.types import NOTHING, Probabilities, Production
from streamal.events import AnyObject, AnyOutput, DecodedPrediction

#: Stands for all that a detected object may be if it is not what production says; no class of
#: production's can be called so.
_ANYTHING_ELSE = ""


def items_of(predictions: Sequence[DecodedPrediction]) -> Items:
    """The predictions in columns, in their order."""
    members = [prediction.committee for prediction in predictions]
    return Items(
        event_ids=[prediction.event_id for prediction in predictions],
        features=FeatureColumns([prediction.features for prediction in predictions]),
        production=_outputs([prediction.prediction for prediction in predictions]),
        members=[each or () for each in members] if any(members) else (),
    )


def _outputs(outputs: Sequence[AnyOutput]) -> Outputs:
    values = [output.value for output in outputs]
    tokens = [output.token_probabilities for output in outputs]
    objects = [output.objects for output in outputs]
    return Outputs(
        labels=[output.label for output in outputs],
        probabilities=Distributions.of([output.probabilities or NOTHING for output in outputs]),
        values=numbers_of(values)
        if any(value is not None for value in values)
        else np.full(len(outputs), np.nan),
        token_probabilities=[each or () for each in tokens] if any(tokens) else None,
        objects=None if objects.count(None) == len(objects) else [*map(_distributions, objects)],
    )


def _distributions(objects: Sequence[AnyObject] | None) -> tuple[Probabilities, ...] | None:
    return None if objects is None else tuple(map(_as_distribution, objects))


def as_production(output: AnyOutput | None) -> Production:
    """The core's view of a prediction; nothing known when there is none."""
    if output is None:
        return Production()
    return Production(
        label=output.label,
        probabilities=output.probabilities or {},
        value=output.value,
        token_probabilities=output.token_probabilities or (),
        objects=_distributions(output.objects),
    )


def _as_distribution(found: AnyObject) -> Probabilities:
    """An object's classes; a score alone is that of its class against everything else."""
    if found.probabilities is not None and len(found.probabilities) > 1:
        return found.probabilities
    score = 1.0 if found.score is None else found.score
    return {found.label or "object": score, _ANYTHING_ELSE: 1.0 - score}
