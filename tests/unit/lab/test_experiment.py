"""The grid, its baselines, names with parameters, and how people answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamal.core.batch import Batch, Outputs
from streamal.core.budgets import BUDGETS, Advance
from streamal.core.features import FeatureColumns
from streamal.core.strategies import STRATEGIES, build_strategy, strategies_for
from streamal.core.types import Context, Production, Task
from streamal.errors import SettingsInvalid
from streamal.lab.experiment import Experiment, Reviewers, Setup, named_part
from streamal.lab.source import Item, Recording

SETUP = Setup("margin", "quantile", "logistic_regression", 0.1, 3)
CLASSES = ("a", "b", "c")


def items(count: int) -> list[Item]:
    return [Item(f"row-{n}", {}, Production(), CLASSES[n % 3]) for n in range(count)]


def test_the_grid_is_complete_and_runs_each_baseline_once() -> None:
    experiment = Experiment(
        Recording(Path("x.csv"), "t"),
        Reviewers(),
        strategies=("margin", "entropy", "margin"),
        policies=("quantile", "fixed_threshold"),
        learners=("gaussian_nb",),
        budgets=(0.05, 0.1),
        seeds=3,
    )
    setups = experiment.setups()
    assert len(setups) == len(set(setups)) == 2 * 2 * 2 * 3
    extra = set(experiment.with_baselines()) - set(setups)
    assert {(s.strategy, s.policy, s.budget, s.seed) for s in extra} == {
        ("random", "quantile", budget, seed) for budget in (0.05, 0.1, 1.0) for seed in range(3)
    }


def test_a_baseline_that_is_in_the_grid_is_not_run_twice() -> None:
    experiment = Experiment(
        Recording(Path("x.csv"), "t"),
        Reviewers(),
        strategies=("random",),
        policies=("quantile",),
        learners=("gaussian_nb",),
        budgets=(0.05,),
    )
    assert len(experiment.with_baselines()) == 2


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("margin", "margin", {}),
        ("margin,source=production", "margin", {"source": "production"}),
        ("quantile,window=50,exploration=0.5", "quantile", {"window": 50, "exploration": 0.5}),
        ("my.module:make,preprocess=true", "my.module:make", {"preprocess": True}),
        ('mix, {"of": "margin,entropy"}', "mix", {"of": "margin,entropy"}),
    ],
)
def test_names_with_parameters(text: str, name: str, parameters: dict[str, object]) -> None:
    assert named_part("--strategy", text) == (name, parameters)


@pytest.mark.parametrize("text", ["margin,source", 'mix,{"of"'])
def test_a_parameter_that_cannot_be_read(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="--strategy"):
        named_part("--strategy", text)


def test_parameters_reach_the_parts() -> None:
    gate = replace(SETUP, strategy="margin,source=production").gate()
    assert getattr(gate.strategy, "source") == "production"  # noqa: B009 - not every strategy has it
    policy = (
        replace(SETUP, policy="quantile,window=50,exploration=0.5,advance_labels=7").gate().policy
    )
    assert isinstance(policy, Advance)
    assert (policy.advance_labels, policy.floor) == (7, 0.05)
    assert getattr(policy.inner, "window") == 50  # noqa: B009 - nor every policy


def test_every_problem_of_the_grid_is_said_at_once() -> None:
    experiment = Experiment(
        Recording(Path("x.csv"), "t"),
        Reviewers(),
        strategies=("nope", "margin"),
        policies=(
            "quantile,window=1",
            "quantile,exploration=yes",
            "split,advance_labels=-1",
            "nor_this",
        ),
        learners=("neither",),
        budgets=(0.1, 2.0),
    )
    with pytest.raises(SettingsInvalid) as caught:
        experiment.check()
    text = str(caught.value)
    for word in (
        "'nope'",
        "window",
        "exploration must be a number",
        "advance_labels: -1 is not allowed",
        "nor_this",
        "'neither'",
        "2.0",
    ):
        assert word in text
    assert len(caught.value.problems) == len(set(caught.value.problems))


def test_every_registered_part_can_be_named() -> None:
    for strategy in STRATEGIES:
        assert replace(SETUP, strategy=strategy).gate().strategy.name == strategy
    for policy in BUDGETS:
        assert replace(SETUP, policy=f"{policy},advance_labels=0").gate().policy.name == policy


def members(strategy: str) -> int:
    model = replace(SETUP, strategy=strategy).model()
    return len(model.outlook(FeatureColumns([{}]), Outputs.of([Production()])).committee)


def looks_at_the_committee(name: str) -> bool:
    """Whether another committee makes another score, once there is something to compare with."""
    strategy = build_strategy(name, {})
    model = {"a": 0.7, "b": 0.3}
    base = Context("row-0", {"x": 0.5}, Production("a", model), model, expected_correct=0.7)
    agreed, split = (model, model), ({"a": 0.9, "b": 0.1}, {"a": 0.2, "b": 0.8})
    seen = [replace(base, features={"x": n / 50}, committee=agreed) for n in range(50)]
    strategy.score(Batch.of(seen))
    before, scores = strategy.state(), []
    for seats in (agreed, split):
        strategy.restore(before)
        scores.append(float(strategy.score(Batch.of([replace(base, committee=seats)]))[0]))
    return scores[0] != scores[1]


@pytest.mark.parametrize("strategy", strategies_for(Task.CLASSIFICATION))
def test_strategies_that_look_at_a_committee_have_one(strategy: str) -> None:
    assert members(strategy) == (10 if looks_at_the_committee(strategy) else 0)


@pytest.mark.parametrize(
    ("strategy", "seats"),
    [
        ("margin", 0),
        ("margin,source=committee", 10),
        ('max,{"strategies": [{"strategy": "margin"}, {"strategy": "random"}]}', 0),
        ('max,{"strategies": [{"strategy": "margin"}, {"strategy": "vote_entropy"}]}', 10),
    ],
)
def test_a_committee_is_paid_for_only_where_it_is_asked(strategy: str, seats: int) -> None:
    assert members(strategy) == seats


def test_people_answer_truly_by_default() -> None:
    assert all(Reviewers().answer(item, CLASSES, 1) == item.label for item in items(50))


def test_noise_names_another_class_at_its_rate() -> None:
    answers = [(item.label, Reviewers(noise=0.2).answer(item, CLASSES, 1)) for item in items(2000)]
    wrong = [answer for label, answer in answers if answer != label]
    assert len(wrong) / 2000 == pytest.approx(0.2, abs=0.03)
    assert set(wrong) == set(CLASSES)


def test_missing_answers_come_at_their_rate_and_apart_from_noise() -> None:
    reviewers = Reviewers(noise=0.5, missing=0.3)
    answers = [(item.label, reviewers.answer(item, CLASSES, 1)) for item in items(3000)]
    given = [(label, answer) for label, answer in answers if answer is not None]
    assert len(given) / 3000 == pytest.approx(0.7, abs=0.03)
    assert sum(label != answer for label, answer in given) / len(given) == pytest.approx(
        0.5, abs=0.04
    )


def test_answers_depend_on_seed_and_event_alone() -> None:
    reviewers, some = Reviewers(noise=0.3, missing=0.3), items(200)
    first = [reviewers.answer(item, CLASSES, 1) for item in some]
    assert first == [reviewers.answer(item, CLASSES, 1) for item in reversed(some)][::-1]
    assert first != [reviewers.answer(item, CLASSES, 2) for item in some]
