"""The core alone: microseconds per item by strategy and learner, beside what others take.

All that is known here of the core's interface stands in `_Ours`.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import orjson
from river.compose import Pipeline
from river.linear_model import LogisticRegression
from river.preprocessing import StandardScaler

from benchmarks.throughput.bench import Bench, Result, Spread, table
from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.peers.job import TRAINING_SEED
from streamal.core.assess import Items, Seats, assess
from streamal.core.batch import Outputs
from streamal.core.budgets import build_budget
from streamal.core.features import FeatureColumns
from streamal.core.gate import Gate
from streamal.core.learners import Model, build_model
from streamal.core.strategies import build_strategy
from streamal.core.types import Conditions, Production

_LEARNERS: Final = ("logistic_regression", "default", "gaussian_nb", "adaptive_random_forest")
_STRATEGIES: Final = ("margin", "entropy", "vote_entropy", "random")
_COMMITTEE: Final = 10
#: A committee of forests takes minutes to learn.
_TOO_SLOW: Final = (("vote_entropy", "adaptive_random_forest"),)
_BUDGET: Final = 0.01
_ITEMS: Final = 1_000
#: As `gate.max_batch_records` is by default.
_BATCH: Final = 500
#: Enough for weights that differ from each other; a forest takes a millisecond for each.
_LABELS: Final = 1_000


def run(bench: Bench) -> Result:
    """Every strategy with every learner; then River alone, and scikit-activeml."""
    shown = table("The core alone", "what decides", "µs per item")
    entries: list[dict[str, Any]] = []
    for name, timed in _rows():
        spread = Spread.of([timed() for _ in range(bench.options.repeat)])
        entries.append({"row": name, "us_per_item": asdict(spread)})
        shown.add_row(name, str(spread))
    return Result(entries, shown)


def _rows() -> Iterator[tuple[str, Callable[[], float]]]:
    documents = [orjson.loads(event.value) for event in events(Shape(), _ITEMS)]
    for learner in _LEARNERS:
        for strategy in _STRATEGIES:
            if (strategy, learner) in _TOO_SLOW:
                continue
            size = _COMMITTEE if strategy == "vote_entropy" else 0
            name = f"{strategy}, {learner}{f', committee of {size}' if size else ''}"
            yield name, _Ours(strategy, _taught(learner, size), documents)
    yield "River: predict_proba_one of scaler and logistic regression", _River(documents)
    if importlib.util.find_spec("skactiveml") is not None:
        yield "scikit-activeml: query + update, FixedUncertainty", _SkActiveMl(documents)


def _taught(learner: str, committee: int) -> Model:
    model = build_model(learner, parameters={}, committee_size=committee)
    for event in events(Shape(), _LABELS, seed=TRAINING_SEED):
        document = orjson.loads(event.value)
        production = _production(document)
        model.learn(document["features"], production, event.truth, event_id=document["event_id"])
    return model


def _production(document: dict[str, Any]) -> Production:
    prediction = document["prediction"]
    return Production(label=prediction["label"], probabilities=prediction["probabilities"])


class _Ours:
    """Assess and decide: what the gate does of the core's for its events, in its batches."""

    def __init__(self, strategy: str, model: Model, documents: Sequence[dict[str, Any]]) -> None:
        self._strategy = strategy
        self._model = model
        self._documents = documents

    def __call__(self) -> float:
        """Microseconds per item."""
        gate = Gate(build_strategy(self._strategy, {}), _budget(), seed=0)
        conditions = Conditions(now=0.0)
        batches = [
            self._documents[start : start + _BATCH]
            for start in range(0, len(self._documents), _BATCH)
        ]
        items = [_items(batch) for batch in batches]
        started = time.process_time()
        for each in items:
            gate.decide(assess(each, self._model, gate.strategy, Seats()).batch, conditions)
        return (time.process_time() - started) / len(self._documents) * 1e6


def _items(documents: Sequence[dict[str, Any]]) -> Items:
    return Items(
        [each["event_id"] for each in documents],
        FeatureColumns([each["features"] for each in documents]),
        Outputs.of([_production(each) for each in documents]),
    )


def _budget() -> Any:  # noqa: ANN401 - any policy
    return build_budget(
        "quantile",
        {},
        budget=_BUDGET,
        exploration=0.2,
        advance_labels=10.0,
        max_per_hour=None,
        max_pending=None,
        stop_at_accuracy=None,
        share=1.0,
    )


class _River:
    def __init__(self, documents: Sequence[dict[str, Any]]) -> None:
        self._features = [each["features"] for each in documents]
        self._model = Pipeline(StandardScaler(), LogisticRegression())
        for event in events(Shape(), _LABELS, seed=TRAINING_SEED):
            features = orjson.loads(event.value)["features"]
            self._model.learn_one(features, event.truth == "fraud")

    def __call__(self) -> float:
        """Microseconds per item."""
        started = time.process_time()
        for features in self._features:
            self._model.predict_proba_one(features)
        return (time.process_time() - started) / len(self._features) * 1e6


class _SkActiveMl:
    """Item by item, with scikit-learn's naive Bayes: the others have to be fitted anew."""

    def __init__(self, documents: Sequence[dict[str, Any]]) -> None:
        self._rows = np.array([list(each["features"].values()) for each in documents])
        self._labels = np.array([each["prediction"]["label"] == "fraud" for each in documents])

    def __call__(self) -> float:
        """Microseconds per item."""
        classifier = importlib.import_module("skactiveml.classifier").SklearnClassifier(
            importlib.import_module("sklearn.naive_bayes").GaussianNB(), classes=[0, 1]
        )
        strategy = importlib.import_module("skactiveml.stream").FixedUncertainty(
            classes=[0, 1], budget=_BUDGET, random_state=0
        )
        half = len(self._rows) // 2
        classifier.fit(self._rows[:half], self._labels[:half].astype(int))
        started = time.process_time()
        for row in self._rows[half:, None, :]:
            queried, utilities = strategy.query(row, clf=classifier, return_utilities=True)
            strategy.update(row, queried, budget_manager_param_dict={"utilities": utilities})
        return (time.process_time() - started) / (len(self._rows) - half) * 1e6
