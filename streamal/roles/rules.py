"""What a pipeline's task allows: which predictions can be decided on, which answers be learned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from streamal.core.learners.regression import LARGEST_VALUE
from streamal.errors import Reject
from streamal.events import AnyOutput, LabelEvent

__all__ = ["ClassRules", "TaskRules", "ValueRules", "listed"]

#: Classes that an error line names before it says how many more there are.
_LISTED = 10


class TaskRules(Protocol):
    """The rules of one task; functions of the event alone, so that every replay agrees."""

    def check_prediction(self, output: AnyOutput) -> None:
        """Turn away what can't be decided on.

        Raises:
            Reject: with the reason.
        """

    def check_label(self, label: LabelEvent) -> None:
        """Turn away what can't be learned.

        Raises:
            Reject: with the reason.
        """


@dataclass(frozen=True, slots=True)
class ClassRules:
    """Classification: production chooses a class, and so do people.

    Attributes:
        classes: the known classes; empty accepts any.
        needs_prediction: whether a label with features of its own, for an event that was never
            requested, must say what production predicted.
    """

    classes: frozenset[str] = frozenset()
    needs_prediction: bool = False

    def check_prediction(self, output: AnyOutput) -> None:
        """Raise `Reject`: `unsupported_task` or `unknown_class`."""
        if output.label is None:
            raise Reject(
                "unsupported_task", "prediction: a regression value in a classification pipeline"
            )
        known, probabilities = self.classes, output.probabilities or {}
        if known and not (output.label in known and known.issuperset(probabilities)):
            self._check_known("prediction", {output.label, *probabilities})

    def check_label(self, label: LabelEvent) -> None:
        """Raise `Reject`: `unsupported_task`, `missing_prediction` or `unknown_class`."""
        if label.value is not None:
            raise Reject("unsupported_task", "value: a number in a classification pipeline")
        _check_feedback(label, needs_prediction=self.needs_prediction)
        if label.label is not None and self.classes:
            self._check_known("label", {label.label})

    def _check_known(self, field: str, named: set[str]) -> None:
        unknown = sorted(named - self.classes)
        if unknown:
            raise Reject(
                "unknown_class", f"{field}: {unknown[0]!r} is none of {listed(self.classes)}"
            )


@dataclass(frozen=True, slots=True)
class ValueRules:
    """Regression: production predicts a number, and people say the true one.

    Attributes:
        low: least number that is accepted.
        high: largest one.
        needs_prediction: see `ClassRules`.
    """

    low: float = -LARGEST_VALUE
    high: float = LARGEST_VALUE
    needs_prediction: bool = False

    def check_prediction(self, output: AnyOutput) -> None:
        """Raise `Reject`: `unsupported_task` or `value_out_of_range`."""
        if output.value is None:
            raise Reject("unsupported_task", "prediction: no value in a regression pipeline")
        self._check_range("prediction", output.value)

    def check_label(self, label: LabelEvent) -> None:
        """Raise `Reject`: `unsupported_task`, `missing_prediction` or `value_out_of_range`."""
        if label.label is not None:
            raise Reject("unsupported_task", "label: a class in a regression pipeline, not a value")
        _check_feedback(label, needs_prediction=self.needs_prediction)
        if label.prediction is not None:
            self.check_prediction(label.prediction)
        if label.value is not None:
            self._check_range("value", label.value)

    def _check_range(self, field: str, value: float) -> None:
        if not self.low <= value <= self.high:
            raise Reject(
                "value_out_of_range", f"{field}: {value:g} is not in [{self.low:g}, {self.high:g}]"
            )


def _check_feedback(label: LabelEvent, *, needs_prediction: bool) -> None:
    if needs_prediction and label.features is not None and label.prediction is None:
        raise Reject("missing_prediction", "prediction: needed with learner.target = error")


def listed(classes: Iterable[str]) -> str:
    """The first few of `classes`, for a line that people read."""
    names = sorted(classes)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
