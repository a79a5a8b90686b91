"""Backtests of numbers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from river import datasets

from streamal.core.batch import Outputs
from streamal.core.types import Production
from streamal.errors import SettingsInvalid
from streamal.lab.experiment import Experiment, Reviewers
from streamal.lab.grid import run_experiment
from streamal.lab.judging import Judge
from streamal.lab.report import report
from streamal.lab.result import Run
from streamal.lab.source import Recording, survey
from streamal.lab.summary import summary, tables


def written(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def approval(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,001 real days; one pollster stands in for production."""
    rows = [{**features, "truth": truth} for features, truth in datasets.TrumpApproval()]
    return written(tmp_path_factory.mktemp("data") / "approval.csv", rows)


def experiment(path: Path, **changes: object) -> Experiment:
    recording = Recording(path, "truth", "rasmussen", tolerance=4.0)
    whole = Experiment(
        recording, Reviewers(), ("expected_absolute_error",), ("quantile",), ("default",), (0.1,)
    )
    return replace(whole, **changes)  # type: ignore[arg-type]  # by name


def run_of(found: Experiment) -> Run:
    (run,) = run_experiment(found, jobs=1, progress=lambda *_: None).runs()
    return run


def test_errors_are_reported_beside_shares(approval: Path) -> None:
    run = run_of(experiment(approval))
    assert run.errors is not None
    rows = list(csv.DictReader(approval.read_text().splitlines()))
    losses = [abs(float(row["rasmussen"]) - float(row["truth"])) for row in rows]
    assert run.errors.production == pytest.approx(sum(losses) / len(losses))
    assert run.accuracy_true == pytest.approx(sum(loss <= 4.0 for loss in losses) / len(losses))
    assert run.errors.model is not None
    assert run.errors.all_labels is not None
    assert run.errors.all_labels < run.errors.model < run.errors.production
    assert run.errors.retention == pytest.approx(run.errors.all_labels / run.errors.model)
    assert run.errors.covered
    assert run.covered
    assert run.query_ratio == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("strategy", ["variance", "coefficient_of_variation", "random"])
def test_every_strategy_of_the_task_runs(approval: Path, strategy: str) -> None:
    found = experiment(approval, strategies=(strategy,))
    run = run_of(replace(found, recording=replace(found.recording, limit=300)))
    assert run.errors is not None
    assert run.errors.model is not None


def test_without_production_the_model_stands_in(approval: Path) -> None:
    found = experiment(approval)
    run = run_of(replace(found, recording=replace(found.recording, prediction=None, limit=400)))
    assert run.errors is not None
    assert run.errors.model == pytest.approx(run.errors.production)


def test_tables_and_report_show_the_error(approval: Path) -> None:
    found = experiment(approval, strategies=("random",))
    found = replace(found, recording=replace(found.recording, limit=300))
    results = run_experiment(found, jobs=1, progress=lambda *_: None)
    (table,) = tables(summary(results.runs()))
    assert [column.header for column in table.columns][-1] == "mean\nerror"
    assert "<html" in report(results)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"strategies": ("entropy",)}, "--strategy = 'entropy': not for regression; one of coeff"),
        ({"learners": ("logistic_regression",)}, "learner.name: 'logistic_regression' is not a le"),
        ({"reviewers": Reviewers(noise=0.1)}, "--noise: not with --task regression"),
    ],
)
def test_what_does_not_fit_is_told(approval: Path, changes: dict[str, object], line: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        experiment(approval, **changes).check()
    assert any(problem.startswith(line) for problem in caught.value.problems)


def test_strategies_of_regression_are_refused_for_classes(approval: Path) -> None:
    found = experiment(approval, strategies=("variance",))
    with pytest.raises(SettingsInvalid, match="not for classification"):
        replace(found, recording=replace(found.recording, tolerance=None)).check()


@pytest.mark.parametrize(
    ("truth", "line"),
    [
        ("high", "data row 2: truth: 'high' is no usable number"),
        ("1e300", "data row 2: truth: 1e\\+300 is no usable number"),
        ("1", "all rows have the same number"),
    ],
)
def test_labels_must_be_different_numbers(tmp_path: Path, truth: str, line: str) -> None:
    path = written(tmp_path / "data.csv", [{"x": 1, "truth": 1}, {"x": 2, "truth": truth}])
    with pytest.raises(SettingsInvalid, match=line):
        survey(Recording(path, "truth", tolerance=1.0))


def test_probabilities_are_for_classes(tmp_path: Path) -> None:
    path = written(tmp_path / "data.csv", [{"p_a": 1, "truth": 1}, {"p_a": 2, "truth": 2}])
    with pytest.raises(SettingsInvalid, match="--probabilities: not with --task regression"):
        survey(Recording(path, "truth", probabilities="p_", tolerance=1.0))


def test_judging_numbers_and_classes() -> None:
    classes, numbers = Judge(None), Judge(1.0)
    assert classes.said(Outputs.of([Production("a"), Production()])) == ["a", None]
    assert numbers.said(Outputs.of([Production(value=2.0), Production()])) == [2.0, None]
    assert numbers.right([2.0, 2.0, None], [3.0, 3.1, 3.0]) == [True, False, False]
    assert classes.right(["a", "a", None], ["a", "b", "b"]) == [True, False, False]
    assert numbers.losses([2.0, None], [3.5, 1.0]) == [1.5, None]
    assert classes.losses(["a"], ["b"]) == [None]
