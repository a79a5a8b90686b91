"""Asks an independent implementation what `test_oracle.py` of estimation compares with.

glide-py needs a newer Python than streamal, so its answers are recorded:

    uv run --no-project --python 3.12 --with glide-py==0.11.0 tests/support/record_glide.py

It estimates the mean of a partly labelled stream by active statistical inference (Zrnic, Candès
2024) with unequal propensities, the same problem that a window poses.
"""

from __future__ import annotations

import importlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).parents[1] / "unit" / "core" / "estimation" / "glide.json"
LEVEL = 0.95


def problem(seed: int, events: int, shape: float) -> dict[str, list[float]]:
    """A window: outcome, prediction and propensity of each event, and who is labelled."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(6, 1.5, events)
    outcome = (rng.random(events) < chance).astype(float)
    predicted = np.clip(0.2 + 0.7 * chance + rng.normal(0, 0.1, events), 0, 1)
    propensity = np.clip(0.2 * (0.4 + 0.6 * (1 - predicted) ** shape / 0.3), 0.02, 1)
    labelled = rng.random(events) < propensity
    return {
        "outcome": [round(float(each), 6) for each in outcome],
        "predicted": [round(float(each), 6) for each in predicted],
        "propensity": [round(float(each), 6) for each in propensity],
        "labelled": [float(each) for each in labelled],
    }


def answers(found: dict[str, list[float]]) -> list[dict[str, float]]:
    """What glide says, with λ = 1 and with a tuned λ."""
    estimator = importlib.import_module("glide.estimators").ASIMeanEstimator()
    labelled = np.array(found["labelled"], dtype=bool)
    outcome = np.where(labelled, np.array(found["outcome"]), np.nan)
    predicted, propensity = np.array(found["predicted"]), np.array(found["propensity"])
    told = []
    for tuned in (False, True):
        result = estimator.estimate(
            outcome, predicted, propensity, confidence_level=LEVEL, power_tuning=tuned
        )
        interval = result.confidence_interval
        parts = estimator._preprocess(outcome, predicted, propensity)
        tuning = estimator._compute_tuning_parameter(*parts, tuned)
        told.append(
            {
                "lambda": float(tuning),
                "mean": float(interval.mean),
                "standard_error": float(interval.std),
                "low": float(interval.lower_bound),
                "high": float(interval.upper_bound),
            }
        )
    return told


def main() -> None:
    """Write the problems with their answers."""
    problems = [problem(1, 400, 0.5), problem(2, 600, 1.0), problem(3, 500, 0.0)]
    document = {
        "glide-py": version("glide-py"),
        "cases": [{**each, "answers": answers(each)} for each in problems],
    }
    ANSWERS.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
