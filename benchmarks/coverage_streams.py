"""The streams of `benchmarks/coverage.py`: what production said, and what was expected of it.

Real and generated streams are told in the same way. A logistic regression learns the first fifth
and then goes stale: it is production. streamal's default learner learns from a twentieth of the
rest, drawn uniformly, a fifth of them never answered and the others late: what it gives for
production's class is g, and 1 - g the score that routes.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from river import compose, datasets, linear_model, multiclass, preprocessing
from river.datasets import synth

from streamal.core.batch import Outputs
from streamal.core.chance import draw
from streamal.core.estimation import FloatArray
from streamal.core.features import FeatureColumns
from streamal.core.learners import OnlineModel, build_model
from streamal.core.types import FeatureValue, Production, top_class

__all__ = ["STREAMS", "Stream", "recorded"]

Row = tuple[dict[str, FeatureValue], str]

#: Events of a generated stream before production's part is cut off, and most of a real one.
EVENTS = 25_000
#: Of the learner that predicts g.
LABELLED, ANSWERED, DELAY = 0.05, 0.8, 200


@dataclass(frozen=True, slots=True)
class Stream:
    """A recorded stream; arrays of one length in time order.

    Attributes:
        name: as in the table.
        correct: c, 1 where production's class is the true one.
        expected_correct: g, what the online model expected of it at that time.
        predicted: number of the class that production chose.
        truth: number of the true class.
    """

    name: str
    correct: FloatArray
    expected_correct: FloatArray
    predicted: FloatArray
    truth: FloatArray

    @property
    def score(self) -> FloatArray:
        """Informativeness: the expected error."""
        return 1 - self.expected_correct


def _simulated(name: str, *, informative: bool) -> Stream:
    """Accuracy slides from 92 % to 88 %, with a fall to 78 % half way; two classes.

    g is P(correct) with some noise, or the same numbers in an order that says nothing.
    """
    rng = np.random.default_rng(7)
    at = np.arange(EVENTS) / EVENTS
    mean = np.where(at < 0.5, 0.92 - 0.08 * at, 0.78)
    chance = rng.beta(5 * mean, 5 * (1 - mean))
    correct = (rng.random(EVENTS) < chance).astype(np.float64)
    guess = chance if informative else rng.permutation(chance)
    expected = np.clip(guess + rng.normal(0, 0.05, EVENTS), 0.0, 1.0)
    truth = (rng.random(EVENTS) < 0.25).astype(np.float64)
    return Stream(name, correct, expected, np.abs(truth - (1 - correct)), truth)


def _learned(name: str, rows: list[Row]) -> Stream:
    """See the module."""
    numbers = compose.SelectType(int, float) | preprocessing.StandardScaler()
    words = compose.SelectType(str, bool) | preprocessing.OneHotEncoder()
    production = (numbers + words) | multiclass.OneVsRestClassifier(
        linear_model.LogisticRegression()
    )
    first = len(rows) // 5
    for features, answer in rows[:first]:
        production.learn_one(features, answer)
    told = [_said(production.predict_proba_one(features)) for features, _ in rows[first:]]
    online = build_model("default", parameters={}, committee_size=0, seed=7)
    expected = np.fromiter(_expectations(online, rows[first:], told), dtype=np.float64)
    classes = sorted({answer for _, answer in rows})
    number = {answer: index for index, answer in enumerate(classes)}
    predicted = np.array([number[str(said.label)] for said in told], dtype=np.float64)
    truth = np.array([number[answer] for _, answer in rows[first:]], dtype=np.float64)
    return Stream(name, (predicted == truth).astype(np.float64), expected, predicted, truth)


def _said(probabilities: Mapping[str, float]) -> Production:
    return Production(top_class(probabilities), probabilities)


def _expectations(model: OnlineModel, rows: list[Row], told: list[Production]) -> Iterator[float]:
    """What the model expects of production, item by item, while it learns."""
    due: deque[tuple[int, int]] = deque()
    for at, ((features, _), said) in enumerate(zip(rows, told, strict=True)):
        while due and due[0][0] <= at:
            past = due.popleft()[1]
            model.learn(rows[past][0], told[past], rows[past][1], event_id=str(past))
        outlooks = model.outlook(FeatureColumns([features]), Outputs.of([said]))
        yield float(outlooks.expected_correct[0])
        if draw(7, str(at), "labelled") < LABELLED * ANSWERED:
            due.append((at + DELAY, at))


def recorded(path: Path, label: str) -> Stream:
    """A CSV in stream order; numbers are read as such where they can be.

    Raises:
        SystemExit: there is no such column.
    """
    with path.open(newline="") as file:
        found = [_features(row) for row in csv.DictReader(file)]
    if not found or label not in found[0]:
        raise SystemExit(f"{path} has no column {label!r}")
    return _learned(path.stem, [(row, str(row.pop(label))) for row in found])


def _features(row: Mapping[str, str]) -> dict[str, FeatureValue]:
    return {name: _number(text) for name, text in row.items()}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _real(dataset: Iterable[tuple[Mapping[object, FeatureValue], object]]) -> list[Row]:
    return [
        ({str(name): value for name, value in features.items()}, str(answer))
        for features, answer in islice(dataset, EVENTS)
    ]


def _drifting(concepts: list[Iterable[tuple[Mapping[object, FeatureValue], object]]]) -> list[Row]:
    """One concept after another, each as long."""
    share = EVENTS // len(concepts)
    return _real(chain.from_iterable(islice(concept, share) for concept in concepts))


def _sea() -> list[Row]:
    return _drifting([synth.SEA(variant=number, noise=0.1, seed=7) for number in range(4)])


def _agrawal() -> list[Row]:
    return _drifting([synth.Agrawal(classification_function=each, seed=7) for each in (0, 1, 2)])


def _led() -> list[Row]:
    still = synth.LED(noise_percentage=0.1, seed=7)
    moved = synth.LEDDrift(noise_percentage=0.1, n_drift_features=4, seed=7)
    return _drifting([still, moved])


#: Name to maker. Where g is close to useless, uniform sampling is the best that can be done.
STREAMS: Mapping[str, Callable[[], Stream]] = {
    "informative": lambda: _simulated("informative", informative=True),
    "useless": lambda: _simulated("useless", informative=False),
    "phishing": lambda: _learned("phishing", _real(datasets.Phishing())),
    "image_segments": lambda: _learned("image_segments", _real(datasets.ImageSegments())),
    "bananas": lambda: _learned("bananas", _real(datasets.Bananas())),
    "shuttle": lambda: _learned("shuttle", _real(datasets.Shuttle())),
    "sea": lambda: _learned("sea", _sea()),
    "agrawal": lambda: _learned("agrawal", _agrawal()),
    "led": lambda: _learned("led", _led()),
}
