"""River's EntropySampler, and importance weighted active learning as Vowpal Wabbit does it.

Neither takes a budget. Both get a knob's value that spends the budget on the stream at hand, found
in hindsight: an advantage that no real gate has.
"""

from __future__ import annotations

import math
import random

import numpy as np
from river.active import EntropySampler

from benchmarks.label_efficiency.gate import Choice, Decider, Entrant, Task
from benchmarks.label_efficiency.learner import RATE, Block

__all__ = ["entropy_sampler", "iwal"]


class _Entropy:
    """Asks River's sampler with the base learner's probabilities.

    Args:
        task: the task.
        knob: larger asks more; the discount factor is its inverse.
    """

    def __init__(self, task: Task, knob: float) -> None:
        self._sampler = EntropySampler(classifier=None, discount_factor=1.0 / knob, seed=task.seed)

    def first(self, block: Block) -> Choice:
        for number, row in enumerate(block.probabilities.tolist()):
            answer = dict(enumerate(row))
            if self._sampler._ask_for_label(None, answer):  # noqa: SLF001  its only entrance without a classifier
                return Choice(number + 1, ask=True)
        return Choice(len(block), ask=False)


class _ImportanceWeighted:
    """The query probability of Vowpal Wabbit's --active, with the mellowness as the knob.

    With k items seen, g the importance weight that would flip the prediction divided by k, and b =
    c0 log(k + 1) / k: an item is asked about for sure while g <= sqrt(b) s + b, where s =
    sqrt(loss) + sqrt(loss + g), else with probability b ((s + sqrt(s^2 + 4 g)) / (2 g))^2. A label
    is learned with the weight 1 / probability.

    Sources: Beygelzimer, Hsu, Langford and Zhang (2010), "Agnostic Active Learning Without
    Constraints", NIPS; Karampatziakis and Langford (2011), "Online Importance Weight Aware
    Updates", UAI (the flipping weight of the logistic loss).

    Args:
        task: the task.
        knob: mellowness c0 > 0; larger asks more.
    """

    def __init__(self, task: Task, knob: float) -> None:
        self._mellowness = knob
        self._random = random.Random(task.seed)  # noqa: S311  a simulation
        self._stream = task.stream
        self._seen = self._loss = self._labelled = 0.0

    def first(self, block: Block) -> Choice:
        top = np.sort(block.logits, axis=1)[:, -2:]
        leads = (top[:, 1] - top[:, 0]) / 2.0
        for number in range(len(block)):
            self._seen += 1.0
            lead = leads[number] if block.classes_known > 1 else 0.0
            # A step moves the difference of two logits by the rate times twice the squared norm.
            flip = (1.0 + lead - math.exp(-lead)) / (RATE * block.squared_norms[number])
            p = self._probability(flip)
            if self._random.random() < p:
                label = self._stream.labels[block.start + number]
                likely = block.probabilities[number, label]
                self._loss += min(1.0, -math.log(max(likely, 1e-9))) / p
                self._labelled += 1.0 / p
                return Choice(number + 1, ask=True, weight=1.0 / p)
        return Choice(len(block), ask=False)

    def _probability(self, flip: float) -> float:
        k = self._seen
        if k <= 1.0:
            return 1.0
        loss = self._loss / k + math.sqrt((1.0 + 0.5 * math.log(k)) / (self._labelled + 1e-4))
        loss = min(1.0, max(0.0, loss))
        g = flip / k
        b = self._mellowness * (math.log(k + 1.0) + 1e-4) / (k + 1e-4)
        s = math.sqrt(loss) + math.sqrt(loss + g)
        if g <= math.sqrt(b) * s + b:
            return 1.0
        root = (s + math.sqrt(s * s + 4.0 * g)) / (2.0 * g)
        return min(1.0, b * root * root)


def _untuned(_: Task) -> Decider:
    raise NotImplementedError("it takes no budget")


entropy_sampler = Entrant("EntropySampler", "river", _untuned, tuned=_Entropy)
iwal = Entrant("IWAL", "vowpal wabbit's rule", _untuned, tuned=_ImportanceWeighted)
