"""A whole experiment: keys, baselines, determinism, and what delay, noise and gaps do."""

from __future__ import annotations

import gc
import importlib
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamal.core.batch import Outputs
from streamal.core.features import FeatureColumns
from streamal.core.gate import Decisions
from streamal.core.learners import build_model
from streamal.core.types import Offer, Production, Reason
from streamal.errors import SettingsInvalid, StreamalError
from streamal.lab import Experiment, Recording, Results, Reviewers, ledger, run_experiment

Run = Callable[[Experiment], Results]

KEYS = [
    "data",
    "strategy",
    "policy",
    "learner",
    "budget",
    "seed",
    "events",
    "queries",
    "query_ratio",
    "accuracy",
    "accuracy_all_labels",
    "accuracy_random",
    "retention",
    "error_yield",
    "estimate",
    "accuracy_true",
    "covered",
    "seconds",
]


def document(results: Results) -> list[dict[str, Any]]:
    """Without the wall time, which alone may differ."""
    return [{k: v for k, v in run.items() if k != "seconds"} for run in results.document()]


def test_the_document_has_exactly_the_keys_that_programs_rely_on(
    experiment: Experiment, run: Run
) -> None:
    found = run(replace(experiment, strategies=("margin", "entropy"), seeds=2)).document()
    assert [(r["strategy"], r["seed"]) for r in found] == [
        ("margin", 0),
        ("margin", 1),
        ("entropy", 0),
        ("entropy", 1),
    ]
    for each in found:
        assert list(each) == KEYS
        assert list(each["estimate"]) == ["value", "low", "high"]


def test_the_numbers_agree_with_one_another(experiment: Experiment, run: Run) -> None:
    # So short a stream would spend a sixth of its labels on the advance, whatever the scores say.
    (found,) = run(replace(experiment, policies=("quantile,advance_labels=0",))).runs()
    assert found.events == 600
    assert found.query_ratio == found.queries / 600 == pytest.approx(0.1, abs=0.02)
    assert found.retention == pytest.approx(found.accuracy / found.accuracy_all_labels)
    assert found.error_yield is not None
    # The production of this recording is wrong more often where it is less sure.
    assert found.error_yield > 1 - found.accuracy_true
    assert found.estimate.value is not None
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.covered == (found.estimate.low <= found.accuracy_true <= found.estimate.high)


def test_production_is_judged_by_its_recorded_word(experiment: Experiment, run: Run) -> None:
    rows = list(experiment.recording.items())
    true = sum(item.production.label == item.label for item in rows if item.production) / len(rows)
    (recorded,) = run(experiment).runs()
    assert recorded.accuracy_true == true
    stand_in = replace(experiment.recording, prediction=None, probabilities=None)
    (own,) = run(replace(experiment, recording=stand_in)).runs()
    assert own.accuracy_true == own.accuracy


def test_baselines_are_what_they_say(experiment: Experiment, run: Run) -> None:
    """All labels, by hand: predict, then learn, each item."""
    model = build_model("logistic_regression", parameters={}, committee_size=0, seed=0)
    right = 0
    for item in experiment.recording.items():
        production = item.production or Production()
        outlooks = model.outlook(FeatureColumns([item.features]), Outputs.of([production]))
        right += outlooks.probabilities.top_classes()[0] == item.label
        model.learn(item.features, production, item.label, event_id=item.event_id)
    results = run(replace(experiment, strategies=("random", "margin")))
    random, margin = results.runs()
    assert random.accuracy_all_labels == margin.accuracy_all_labels == right / 600
    assert random.accuracy == random.accuracy_random == margin.accuracy_random
    everything = results.traces[results.experiment.setups()[0].all_labels]
    assert everything.totals.queries == 600


def test_every_label_gives_the_truth_without_width(experiment: Experiment, run: Run) -> None:
    (found,) = run(replace(experiment, budgets=(1.0,))).runs()
    assert (found.queries, found.retention, found.covered) == (600, 1.0, True)
    assert found.estimate.value == pytest.approx(found.accuracy_true)
    assert found.estimate.high - found.estimate.low < 1e-6


def test_a_seed_fixes_everything_and_another_changes_it(experiment: Experiment, run: Run) -> None:
    noisy = replace(experiment, reviewers=Reviewers(delay=5, noise=0.1, missing=0.2), seeds=2)
    first, second = document(run(noisy)), document(run(noisy))
    assert first == second
    assert (
        first[0]["queries"] != first[1]["queries"] or first[0]["accuracy"] != first[1]["accuracy"]
    )


def test_the_number_of_processes_changes_nothing(experiment: Experiment, run: Run) -> None:
    grid = replace(experiment, strategies=("margin", "vote_entropy"), seeds=2)
    seen: list[tuple[int, int]] = []
    parallel = run_experiment(grid, jobs=3, progress=lambda *at: seen.append(at))
    assert document(parallel) == document(run(grid))
    assert seen[-1] == (600 * 8, 600 * 8)
    assert all(a <= b for (a, _), (b, _) in pairwise(seen))


@pytest.fixture
def odd_learners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learners of the user's own that are fine until they reach a worker process."""
    (tmp_path / "odd_learners.py").write_text(
        "import multiprocessing, os\n"
        "from river.linear_model import LogisticRegression\n"
        "def fails():\n"
        "    if multiprocessing.parent_process() is not None:\n"
        "        raise ValueError('no licence here')\n"
        "    return LogisticRegression()\n"
        "def dies():\n"
        "    if multiprocessing.parent_process() is not None:\n"
        "        os._exit(9)\n"
        "    return LogisticRegression()\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("odd_learners")
@pytest.mark.parametrize(
    ("learner", "words"),
    [("odd_learners:fails", "no licence here"), ("odd_learners:dies", "was killed")],
)
def test_a_worker_that_fails_says_why(experiment: Experiment, learner: str, words: str) -> None:
    with pytest.raises(StreamalError, match=words):
        run_experiment(replace(experiment, learners=(learner,)), jobs=2, progress=lambda *_: None)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_ends_it_early(experiment: Experiment, jobs: int) -> None:
    seen: list[tuple[int, int]] = []

    def interrupt(done: int, total: int) -> None:
        seen.append((done, total))
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(replace(experiment, seeds=20), jobs=jobs, progress=interrupt)
    done, total = seen[-1]
    assert 0 < done < total


def test_delay_keeps_labels_back(experiment: Experiment, run: Run) -> None:
    def accuracy(delay: int) -> float:
        reviewers = Reviewers(delay=delay)
        return run(replace(experiment, reviewers=reviewers)).runs()[0].accuracy_all_labels

    # All labels make the same model; the first `delay` items are met without any.
    assert accuracy(0) > accuracy(300)
    assert accuracy(300) <= 0.5


def test_wrong_answers_hurt_the_model_not_the_truth(experiment: Experiment, run: Run) -> None:
    reviewers = Reviewers(noise=0.4)
    (clean,) = run(experiment).runs()
    (noisy,) = run(replace(experiment, reviewers=reviewers)).runs()
    assert noisy.accuracy_all_labels < clean.accuracy_all_labels
    assert noisy.accuracy_true == clean.accuracy_true


def test_unanswered_questions_cost_budget_and_widen_the_estimate(
    experiment: Experiment, run: Run
) -> None:
    def width(missing: float) -> float:
        # Several seeds: with a dozen labels from the floor one error more or less is half of it.
        told = replace(experiment, reviewers=Reviewers(missing=missing), seeds=8)
        runs = run(told).runs()
        assert all(each.query_ratio == pytest.approx(0.1, abs=0.02) for each in runs)
        return sum(each.estimate.high - each.estimate.low for each in runs) / len(runs)

    assert width(0.7) > 1.2 * width(0.0)


def test_nobody_answering_leaves_no_estimate(experiment: Experiment, run: Run) -> None:
    (found,) = run(replace(experiment, reviewers=Reviewers(missing=1.0))).runs()
    assert found.estimate.value is None
    assert (found.accuracy, found.accuracy_all_labels, found.retention) == (0.0, 0.0, None)


def test_settings_are_checked_before_anything_runs(experiment: Experiment, run: Run) -> None:
    with pytest.raises(SettingsInvalid, match="'nope' is not a strategy"):
        run(replace(experiment, strategies=("nope",), recording=Recording(Path("none"), "t")))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_recording(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once windows are as long as they get, which is sooner here. Garbage is not counted."""
    monkeypatch.setattr(ledger, "_MOST_ITEMS", 50)

    def peak(rows: int) -> int:
        experiment = Experiment(
            Recording(recording(tmp_path / f"long.{ending}", rows), "t"),
            Reviewers(),
            strategies=("random",),
            policies=("fixed_threshold",),
            learners=("gaussian_nb",),
            budgets=(0.05,),
        )
        gc.freeze()
        tracemalloc.start()
        try:
            run_experiment(experiment, jobs=1, progress=tidy)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            gc.unfreeze()

    peak(500)  # what is imported and cached stays
    assert peak(5_000) < 1.5 * peak(1_000)


def tidy(*_: int) -> None:
    gc.collect()


def recording(path: Path, rows: int) -> Path:
    half = rows // 2
    if path.suffix == ".csv":
        path.write_text("x,t\n" + "1.5,a\n2.5,b\n" * half, encoding="utf-8")
        return path
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow: the extra streamal[lab]")
    table = importlib.import_module("pyarrow").table(
        {"x": [1.5, 2.5] * half, "t": ["a", "b"] * half}
    )
    parquet.write_table(table, path, row_group_size=1_000)
    return path


def test_a_window_never_holds_more_than_so_many_labels() -> None:
    def held(events: int) -> int:
        book, most = ledger.Ledger(events, 1.0), 0
        offer = Offer(1.0, 0.0, Reason.ABOVE_THRESHOLD)
        decisions = Decisions(np.ones(1), [offer], [True], "random", lambda _: None)
        one = ledger.Seen(
            decisions,
            np.full(1, 0.5),
            np.full(1, np.nan),
            [True],
            [True],
            {0: True},
            [None],
            [None],
            {},
        )
        for _ in range(25_000):
            book.add(one)
            most = max(most, len(book._window.labelled))
        return most

    assert held(25_000) == 25_000 // 20 - 1
    assert held(10_000_000) == 10_000 - 1
