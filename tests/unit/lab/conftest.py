"""What is compared over the recorded stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamal.lab import Experiment, Recording, Results, Reviewers, run_experiment


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
