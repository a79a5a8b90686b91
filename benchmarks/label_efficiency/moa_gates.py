"""MOA's ALUncertainty, through the Java archive that CapyMOA ships.

MOA trains the classifier inside it. Here that is a stand-in which passes MOA's question on to the
base learner and notes whether MOA wants to train, so that MOA's own code decides.
"""

from __future__ import annotations

from typing import Any

import capymoa  # noqa: F401  its import starts the Java machine
import jpype

from benchmarks.label_efficiency.gate import Choice, Entrant, Task
from benchmarks.label_efficiency.learner import Block

__all__ = ["ENTRANTS"]

#: Name of each strategy in MOA, and whether it draws.
_STRATEGIES = {
    "FixedUncertainty": False,
    "VarUncertainty": False,
    "RandVarUncertainty": True,
    "SelSampling": True,
}


class _StandIn:
    """A MOA classifier that says what it is told and learns nothing."""

    def __init__(self) -> None:
        self.votes: Any = None
        self.trained = False

    def getVotesForInstance(self, _: object) -> object:  # noqa: N802  MOA's interface
        return self.votes

    def correctlyClassifies(self, _: object) -> bool:  # noqa: N802  same; only feeds a statistic
        return False

    def trainOnInstance(self, _: object) -> None:  # noqa: N802  same
        self.trained = True


class _Moa:
    def __init__(self, strategy: str, task: Task) -> None:
        self._moa = jpype.JClass("moa.classifiers.active.ALUncertainty")()
        self._moa.activeLearningStrategyOption.setChosenLabel(strategy)
        self._moa.budgetOption.setValue(task.budget)
        self._moa.prepareForUse()
        self._moa.classifierRandom = jpype.JClass("java.util.Random")(task.seed)
        self._inner = _StandIn()
        self._moa.classifier = jpype.JProxy("moa.classifiers.Classifier", inst=self._inner)
        self._instance = _instance(task.stream.classes)

    def first(self, block: Block) -> Choice:
        for number in range(len(block)):
            self._inner.trained = False
            self._inner.votes = jpype.JArray(jpype.JDouble)(block.probabilities[number])
            self._moa.trainOnInstance(self._instance)
            if self._inner.trained:
                return Choice(number + 1, ask=True)
        return Choice(len(block), ask=False)


def _instance(classes: int) -> Any:  # noqa: ANN401  a Java object
    """An item of a stream with so many classes; nobody looks at its values."""
    package = "com.yahoo.labs.samoa.instances."
    attribute, array = jpype.JClass(f"{package}Attribute"), jpype.JClass("java.util.ArrayList")
    labels, attributes = array(), array()
    for label in range(classes):
        labels.add(str(label))
    attributes.add(attribute("x"))
    attributes.add(attribute("class", labels))
    header = jpype.JClass(f"{package}Instances")("stream", attributes, 0)
    header.setClassIndex(1)
    instance = jpype.JClass(f"{package}DenseInstance")(2.0)
    instance.setDataset(jpype.JClass(f"{package}InstancesHeader")(header))
    instance.setWeight(1.0)
    return instance


def _entrant(strategy: str, *, draws: bool) -> Entrant:
    return Entrant(
        f"ALUncertainty, {strategy}", "MOA", lambda task: _Moa(strategy, task), draws=draws
    )


ENTRANTS = tuple(_entrant(strategy, draws=draws) for strategy, draws in _STRATEGIES.items())
