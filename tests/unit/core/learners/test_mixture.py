"""The mixture follows the better expert, and changes its mind after a drift."""

from __future__ import annotations

import pytest

from streamal.core.learners.mixture import FixedShareMixture


class Always:
    """An expert that is sure of one class."""

    def __init__(self, answer: dict[int, float]) -> None:
        self.answer = answer
        self.learned = 0

    def learn_one(self, x: dict[str, float], y: int) -> None:  # noqa: ARG002 - River's interface
        self.learned += 1

    def predict_proba_one(self, x: dict[str, float]) -> dict[int, float]:  # noqa: ARG002 - same
        return self.answer


def test_it_follows_the_expert_that_is_right() -> None:
    experts = [Always({0: 0.9, 1: 0.1}), Always({0: 0.1, 1: 0.9})]
    mixture = FixedShareMixture(experts, share=0.01)
    assert mixture.predict_proba_one({}) == {0: pytest.approx(0.5), 1: pytest.approx(0.5)}
    for _ in range(20):
        mixture.learn_one({}, 1)
    assert mixture.predict_proba_one({})[1] > 0.88
    assert [expert.learned for expert in experts] == [20, 20]


def labels_to_recover(share: float) -> int:
    mixture = FixedShareMixture([Always({0: 0.9, 1: 0.1}), Always({0: 0.1, 1: 0.9})], share=share)
    for _ in range(100):
        mixture.learn_one({}, 1)
    for count in range(1, 200):
        mixture.learn_one({}, 0)
        if mixture.predict_proba_one({})[0] > 0.5:
            return count
    return 200


def test_the_share_is_what_lets_a_bad_expert_come_back() -> None:
    assert labels_to_recover(0.01) <= 3
    assert labels_to_recover(0.0) >= 90


@pytest.mark.parametrize("silent", [{}, {0: 0.0, 1: 0.0}, {0: float("nan")}])
def test_an_expert_without_an_answer_is_left_out(silent: dict[int, float]) -> None:
    mixture = FixedShareMixture([Always(silent), Always({0: 0.2, 1: 0.8})])
    mixture.learn_one({}, 1)
    answer = mixture.predict_proba_one({})
    assert answer[1] / sum(answer.values()) == pytest.approx(0.8)
