from __future__ import annotations

import json

import numpy as np
import pytest

from streamal.core.estimation import (
    LabelledItems,
    Response,
    ResponseHistory,
    inclusion_probability,
    response_rate,
)


def items(*strata: str) -> LabelledItems:
    size = len(strata)
    return LabelledItems.of([1.0] * size, [0.5] * size, [0.5] * size, strata)


def test_each_stratum_is_weighted_by_its_own_response_rate() -> None:
    responses = {"exploration": Response(100, 50), "above_threshold": Response(100, 80)}
    inclusion = inclusion_probability(items("exploration", "above_threshold"), responses)
    assert inclusion == pytest.approx([0.25, 0.4])


def test_without_counts_every_review_counts_as_answered() -> None:
    assert inclusion_probability(items("a", "b"), {}) == pytest.approx([0.5, 0.5])
    assert response_rate({}) == 1.0


def test_thin_strata_share_a_rate() -> None:
    responses = {"a": Response(10, 1), "b": Response(10, 9), "c": Response(100, 20)}
    inclusion = inclusion_probability(items("a", "b", "c"), responses)
    assert inclusion == pytest.approx([0.25, 0.25, 0.1])


def test_the_rest_speaks_for_a_stratum_that_nobody_answered() -> None:
    responses = {"silent": Response(50, 0), "loud": Response(50, 50)}
    assert inclusion_probability(items("loud"), responses) == pytest.approx([0.25])


def test_an_unlisted_stratum_is_fully_answered() -> None:
    responses = {"a": Response(100, 50)}
    assert inclusion_probability(items("a", "new"), responses) == pytest.approx([0.25, 0.5])


def test_weights_stand_for_every_routed_review() -> None:
    responses = {"a": Response(40, 20), "b": Response(60, 45)}
    labelled = items(*["a"] * 20, *["b"] * 45)
    inclusion = inclusion_probability(labelled, responses)
    assert np.sum(labelled.propensity / inclusion) == pytest.approx(100)


def test_labels_without_answers_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="no answered reviews"):
        inclusion_probability(items("a"), {"a": Response(5, 0)})


def test_a_thin_stratum_takes_its_past_along_and_a_thick_one_does_not() -> None:
    past = {"thin": Response(100, 50), "thick": Response(100, 50)}
    now = {"thin": Response(2, 2), "thick": Response(100, 100)}
    inclusion = inclusion_probability(items("thin", "thick"), now, past)
    assert inclusion == pytest.approx([0.5 * 52 / 102, 0.5])


def test_one_review_at_a_time_is_weighted_without_bias() -> None:
    rng, history, total = np.random.default_rng(3), ResponseHistory(), 0.0
    for _ in range(4_000):
        answered = int(rng.random() < 0.6)
        now = {"a": Response(1, answered)}
        if answered:
            total += float(np.sum(1 / inclusion_probability(items("a"), now, history.past)))
        history.learn(now)
    # Each review stands for two events, answered or not.
    assert total == pytest.approx(8_000, rel=0.03)


def test_the_history_forgets_and_survives_json() -> None:
    history = ResponseHistory(half_life=100)
    for answered in (0, 100):
        for _ in range(10):
            history.learn({"a": Response(100, answered)})
    assert response_rate(history.past) == pytest.approx(1.0, abs=0.002)
    other = ResponseHistory(half_life=100)
    other.restore(json.loads(json.dumps(history.state())))
    assert other.past == history.past


def test_a_history_needs_a_half_life() -> None:
    with pytest.raises(ValueError, match="half_life"):
        ResponseHistory(0)
