"""A small recorded stream: two noisy clusters, and a production model that is right most times."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from streamal.lab import Experiment, Recording, Results, Reviewers, run_experiment

EVENTS = 600


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    rng = random.Random(11)
    path = tmp_path / "recorded.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y", "truth", "said", "p_no", "p_yes"])
        for _ in range(EVENTS):
            truth = rng.random() < 0.4
            x, y = rng.gauss(1.6 if truth else -0.4, 1.0), rng.gauss(0.0, 1.0)
            sure = rng.uniform(0.5, 1.0)
            right = rng.random() < 0.3 + 0.7 * sure
            yes = sure if truth == right else 1 - sure
            writer.writerow(
                [x, y, "yes" if truth else "no", "yes" if yes > 0.5 else "no", 1 - yes, yes]
            )
    return path


@pytest.fixture
def experiment(recorded: Path) -> Experiment:
    return Experiment(
        recording=Recording(recorded, "truth", prediction="said", probabilities="p_"),
        reviewers=Reviewers(),
        strategies=("margin",),
        policies=("quantile",),
        learners=("logistic_regression",),
        budgets=(0.1,),
    )


@pytest.fixture
def run() -> Callable[[Experiment], Results]:
    """Runs an experiment in this process."""
    return lambda experiment: run_experiment(experiment, jobs=1, progress=lambda *_: None)
