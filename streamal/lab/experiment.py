"""What is compared: a grid of strategies, policies, learners, budgets and seeds over one recording.

Parts are named as on the command line: `margin`, or with parameters `margin,source=committee`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Final

import orjson

from streamal.core.budgets import BudgetPolicy, build_budget
from streamal.core.chance import draw
from streamal.core.gate import Gate
from streamal.core.learners import Model, build_model
from streamal.core.learners.regression import build_regression_model
from streamal.core.strategies import Strategy, build_strategy, strategies_for
from streamal.core.types import JsonState, Task, Truth
from streamal.errors import SettingsInvalid
from streamal.lab.source import Item, Recording
from streamal.settings import GateSettings

__all__ = ["Experiment", "Reviewers", "Setup", "named_part"]

#: Members of the bagging committee when a strategy asks one; the usual number for bagging.
COMMITTEE_SIZE: Final = 10

#: What stands in `gate.*` for every policy, and may be said with the policy here; as in production
#: unless it is.
_GATE: Final = GateSettings()
_SHARED: Final = {
    "exploration": _GATE.exploration,
    "advance_labels": _GATE.advance_labels,
}


@dataclass(frozen=True, slots=True)
class Setup:
    """One combination: which part decides, under which budget, and what learns.

    Attributes:
        strategy: of the gate; name and parameters.
        policy: of the gate; name and parameters, `exploration` and `advance_labels` among them.
        learner: of the online model; name and parameters.
        budget: share of items to ask about, in (0, 1].
        seed: of every draw.
    """

    strategy: str
    policy: str
    learner: str
    budget: float
    seed: int

    @property
    def random(self) -> Setup:
        """Its first baseline: the same number of labels, of items drawn uniformly."""
        return replace(self, strategy="random", policy="quantile")

    @property
    def all_labels(self) -> Setup:
        """Its second baseline: the same learner with every label."""
        return replace(self.random, budget=1.0)

    def gate(self) -> Gate:
        """A fresh gate, the one that production runs.

        Raises:
            SettingsInvalid: unknown strategy or policy, or a wrong parameter.
        """
        return Gate(self._strategy(), self._policy(), seed=self.seed)

    def model(self, tolerance: float | None = None) -> Model:
        """A model that has learned nothing, with committee and memory only for who asks.

        Neither changes what the serving model learns, so accuracies stay comparable.

        Args:
            tolerance: as in `Recording`.

        Raises:
            SettingsInvalid: unknown learner, or a wrong parameter.
        """
        name, parameters = named_part("--learner", self.learner)
        strategy = self._strategy()
        size = COMMITTEE_SIZE if strategy.asks_committee else 0
        if tolerance is not None:
            return build_regression_model(
                name,
                parameters=parameters,
                tolerance=tolerance,
                committee_size=size,
                seed=self.seed,
            )
        return build_model(
            name,
            parameters=parameters,
            committee_size=size,
            keep_labelled=strategy.asks_labelled,
            seed=self.seed,
        )

    def check_task(self, task: Task) -> None:
        """Say that the strategy cannot tell items apart in this task.

        Raises:
            SettingsInvalid: it cannot.
        """
        if task not in self._strategy().tasks:
            raise SettingsInvalid(
                f"--strategy = {self.strategy!r}: not for {task}; one of "
                f"{', '.join(strategies_for(task))}"
            )

    def _strategy(self) -> Strategy:
        return build_strategy(*named_part("--strategy", self.strategy))

    def _policy(self) -> BudgetPolicy:
        name, parameters = named_part("--policy", self.policy)
        shared = {key: parameters.pop(key, usual) for key, usual in _SHARED.items()}
        numbers: dict[str, float] = {}
        for key, value in shared.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SettingsInvalid(f"--policy = {self.policy!r}: {key} must be a number")
            numbers[key] = value
        return build_budget(
            name,
            parameters,
            budget=self.budget,
            exploration=numbers["exploration"],
            advance_labels=numbers["advance_labels"],
        )


def named_part(option: str, text: str) -> tuple[str, JsonState]:
    """Name and parameters of `name`, `name,key=value,...` or `name,{"key": value, ...}`.

    Values are JSON where they can be read as such, else text.

    Raises:
        SettingsInvalid: a parameter without a value, or not JSON.

    >>> named_part("--strategy", "margin,source=committee")
    ('margin', {'source': 'committee'})
    >>> named_part("--policy", "quantile,window=500,exploration=0.5")
    ('quantile', {'window': 500, 'exploration': 0.5})
    """
    name, _, rest = text.partition(",")
    if rest.lstrip().startswith("{"):
        try:
            return name.strip(), orjson.loads(rest)
        except orjson.JSONDecodeError as error:
            raise SettingsInvalid(f"{option} = {text!r}: not a JSON object: {error}") from error
    parameters: JsonState = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingsInvalid(
                f"{option} = {text!r}: {pair!r} is not a parameter; write name,key=value"
            )
        try:
            parameters[key.strip()] = orjson.loads(value)
        except orjson.JSONDecodeError:
            parameters[key.strip()] = value.strip()
    return name.strip(), parameters


@dataclass(frozen=True, slots=True)
class Reviewers:
    """How people answer.

    Attributes:
        delay: items that are decided between a question and its answer, >= 0.
        noise: share of answers that name a wrong class, in [0, 1].
        missing: share of questions that are never answered, in [0, 1].
    """

    delay: int = 0
    noise: float = 0.0
    missing: float = 0.0

    def answer(self, item: Item, classes: tuple[str, ...], seed: int) -> Truth | None:
        """What they will say about `item`; None for nothing. Depends on seed and event alone."""
        if self.missing and draw(seed, item.event_id, "missing") < self.missing:
            return None
        if self.noise and draw(seed, item.event_id, "noise") < self.noise:
            others = [name for name in classes if name != item.label]
            return others[int(draw(seed, item.event_id, "mistake") * len(others))]
        return item.label


@dataclass(frozen=True, slots=True)
class Experiment:
    """A recording, how people answer, and the grid.

    Attributes:
        recording: the data.
        reviewers: how people answer.
        strategies: names with parameters.
        policies: names with parameters.
        learners: names with parameters.
        budgets: shares in (0, 1].
        seeds: how many seeds each combination runs with, from 0.
    """

    recording: Recording
    reviewers: Reviewers
    strategies: tuple[str, ...]
    policies: tuple[str, ...]
    learners: tuple[str, ...]
    budgets: tuple[float, ...]
    seeds: int = 1

    def setups(self) -> list[Setup]:
        """The grid in its order, each combination once; seeds vary fastest."""
        grid = product(
            self.learners, self.budgets, self.strategies, self.policies, range(self.seeds)
        )
        return list(
            dict.fromkeys(
                Setup(strategy, policy, learner, budget, seed)
                for learner, budget, strategy, policy, seed in grid
            )
        )

    def with_baselines(self) -> list[Setup]:
        """All that has to run: the grid and its baselines, each once, the longest first."""
        setups = self.setups()
        baselines = (each for setup in setups for each in (setup.all_labels, setup.random))
        return sorted(dict.fromkeys((*baselines, *setups)), key=lambda each: -each.budget)

    def check(self) -> None:
        """Build every part once.

        Raises:
            SettingsInvalid: with one line for each problem of any part.
        """
        problems: dict[str, None] = {}
        for build in self._parts():
            try:
                build()
            except SettingsInvalid as error:
                problems.update(dict.fromkeys(error.problems))
        if problems:
            raise SettingsInvalid(*problems)

    def _check_noise(self) -> None:
        if self.recording.task is Task.REGRESSION and self.reviewers.noise:
            raise SettingsInvalid("--noise: not with --task regression; it names wrong classes")

    def _parts(self) -> Iterator[Callable[[], object]]:
        if not self.setups():
            raise SettingsInvalid("nothing to run: no strategy, policy, learner or budget is given")
        first = self.setups()[0].random
        task, tolerance = self.recording.task, self.recording.tolerance
        for strategy in self.strategies:
            yield replace(first, strategy=strategy).gate
            yield partial(replace(first, strategy=strategy).check_task, task)
        yield self._check_noise
        for policy, budget in product(self.policies, self.budgets):
            yield replace(first, policy=policy, budget=budget).gate
        for learner in self.learners:
            yield partial(replace(first, learner=learner).model, tolerance)
