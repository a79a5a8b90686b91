"""The mixture follows the better expert, and changes its mind after a drift."""

from __future__ import annotations

import numpy as np
import pytest

from streamal.core.learners.encoded import Table
from streamal.core.learners.experts import ExpertMixture, Neighbours
from streamal.core.learners.experts.expert import Expert, Lesson, View


class Always(Expert):
    """An expert that never changes its mind."""

    def __init__(self, *answer: float) -> None:
        self.answer = np.array(answer)
        self.lessons: list[Lesson] = []

    def learn(self, lesson: Lesson) -> None:
        self.lessons.append(lesson)

    def predict(self, view: View) -> Table:
        return np.repeat(self.answer[:, None], view.plain.shape[1], axis=1)


def two_classes(*experts: Expert, share: float = 0.01) -> ExpertMixture:
    """A mixture that knows the classes 0 and 1, and has weighed nothing yet."""
    mixture = ExpertMixture(experts, share=share)
    mixture.learn_one({"x": 1.0}, 0)
    assert mixture.predict_proba_one({"x": 1.0}) == {0: 1.0}, "one class is certain"
    mixture.learn_one({"x": 2.0}, 1)
    return mixture


def test_it_follows_the_expert_that_is_right() -> None:
    experts = [Always(0.9, 0.1), Always(0.1, 0.9)]
    mixture = two_classes(*experts)
    assert mixture.predict_proba_one({}) == {0: pytest.approx(0.5), 1: pytest.approx(0.5)}
    for _ in range(20):
        mixture.learn_one({"x": 1.0}, 1)
    assert mixture.predict_proba_one({})[1] > 0.88
    assert [len(expert.lessons) for expert in experts] == [22, 22]


def test_before_the_first_label_it_knows_no_class() -> None:
    assert ExpertMixture([Always(1.0)]).predict_proba_one({"x": 1.0}) == {}


def labels_to_recover(share: float) -> int:
    mixture = two_classes(Always(0.9, 0.1), Always(0.1, 0.9), share=share)
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


def test_answers_count_by_their_proportions_not_by_their_size() -> None:
    mixture = two_classes(Always(90.0, 10.0), Always(0.1, 0.9))
    assert mixture.predict_proba_one({}) == {0: pytest.approx(0.5), 1: pytest.approx(0.5)}


def test_an_expert_is_weighed_by_what_it_said_before_it_learned() -> None:
    """The neighbour that is the item itself would always be right."""
    mixture = two_classes(Neighbours(1, 100), Always(0.4, 0.6))
    for number in range(50):  # every item lies nearest to one of the other class
        mixture.learn_one({"x": float(number % 2) + 1.0}, (number // 2 + number) % 2)
    assert mixture._weights[1] > 0.5


def test_lessons_grow_with_columns_and_classes_and_carry_the_weight() -> None:
    expert = Always(1.0)
    mixture = ExpertMixture([expert])
    mixture.learn_one({"x": 1.0}, "a", w=2.5)
    mixture.learn_one({"x": 2.0, "y": 5.0}, "b")
    first, second = expert.lessons
    assert (first.code, first.classes, first.weight) == (0, 1, 2.5)
    assert (second.code, second.classes, second.weight) == (1, 2, 1.0)
    assert [len(lesson.view.plain) for lesson in expert.lessons] == [2, 3]
    assert [len(lesson.view.shifted) for lesson in expert.lessons] == [3, 5]
