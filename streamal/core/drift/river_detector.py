"""River's detectors behind our interface: on standardised pseudo-outcomes, or on the uniform arm.

A River detector has no state that could travel as JSON, and its pickles depend on its version. So
what is kept is what it has seen since it last started over, at most a fixed number of values: the
detector is a function of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Final, Protocol, TypeAlias

from streamal.core.drift.base import (
    Change,
    Detector,
    Evidence,
    Subject,
    as_float,
    as_list,
    as_state,
)
from streamal.core.drift.evidence_sums import Residuals
from streamal.core.parameters import Range
from streamal.core.types import JsonState

__all__ = ["LabelsPerValue", "PseudoOutcomeDetector", "RiverDetector", "UniformArmDetector"]

#: Effective labels that make one value; below some tens its distribution is far from normal.
LabelsPerValue: TypeAlias = Annotated[int, Range(10, 10_000)]

#: Values that a detector remembers. Over it, it starts again from the latest half.
_MEMORY: Final = 1000
#: Uniform items that count as "after" a change.
_RECENT_ITEMS: Final = 30


class RiverDetector(Protocol):
    """What is used of River's detectors."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last update showed a drift."""
        ...

    def update(self, x: float) -> object:
        """Take in a value."""
        ...


class _Replayed:
    """A River detector and the values that made it what it is."""

    def __init__(self, new: Callable[[], RiverDetector]) -> None:
        self._new = new
        self.restore(())

    def update(self, value: float) -> bool:
        """Whether this value shows a drift."""
        self.values.append(value)
        if len(self.values) > _MEMORY:
            self.restore(self.values[-_MEMORY // 2 :])
        else:
            self.river.update(value)
        return self.river.drift_detected

    def restore(self, values: Sequence[float]) -> None:
        """Be as after these values."""
        self.values = list(values)
        self.river = self._new()
        for value in values:
            self.river.update(value)


class PseudoOutcomeDetector(Detector):
    """One of River's detectors of real-valued change, fed with standardised AIPW pseudo-outcomes.

    See `Residuals`: the values have the same distribution whatever the gate routes, and no unit, so
    that errors may be counted or measured.
    """

    subjects: ClassVar[frozenset[Subject]] = frozenset({Subject.RISK, Subject.ABSOLUTE_ERROR})

    def __init__(self, labels_per_value: LabelsPerValue) -> None:
        self.labels_per_value = labels_per_value
        self._residuals = Residuals(labels_per_value)
        self._replayed = _Replayed(self.river)

    @abstractmethod
    def river(self) -> RiverDetector:
        """A fresh detector of River's."""

    @abstractmethod
    def scaled(self, score: float) -> float:
        """A standard normal score on the scale that River's detector is made for."""

    @abstractmethod
    def evidence_of(self, river: RiverDetector) -> tuple[float, float | None]:
        """Statistic and threshold of a detector that has just found something."""

    def close(self, evidence: Evidence) -> Change | None:
        """See `Detector.close`. After a change the detector starts over."""
        residual = self._residuals.add(evidence)
        if residual is None or not self._replayed.update(self.scaled(residual.score)):
            return None
        statistic, threshold = self.evidence_of(self._replayed.river)
        self._residuals.restart()
        self._replayed.restore(())
        return Change(
            before=residual.before,
            after=residual.after,
            statistic=statistic,
            threshold=threshold,
            is_harmful=residual.after > residual.before,
        )

    def state(self) -> JsonState:
        """See `Detector.state`."""
        return {"residuals": self._residuals.state(), "values": list(self._replayed.values)}

    def restore(self, state: JsonState) -> None:
        """See `Detector.restore`."""
        self._residuals.restore(as_state(state.get("residuals")))
        self._replayed.restore([as_float(value) for value in as_list(state.get("values"))])


class UniformArmDetector(Detector):
    """One of River's detectors for a stream of errors, fed with the uniform arm alone.

    Its items are a simple random sample of all events, so their errors are what these detectors
    were made for; routed errors are not.
    """

    def __init__(self) -> None:
        self._replayed = _Replayed(self.river)

    @abstractmethod
    def river(self) -> RiverDetector:
        """A fresh detector of River's."""

    def close(self, evidence: Evidence) -> Change | None:
        """See `Detector.close`; at most one change is reported per window."""
        found: Change | None = None
        for error in evidence.uniform_errors:
            if self._replayed.update(float(error)):
                found = self._change()
                self._replayed.restore(())
        return found

    def _change(self) -> Change:
        errors = self._replayed.values
        recent = errors[-_RECENT_ITEMS:]
        earlier = errors[: -len(recent)] or errors
        before, after = sum(earlier) / len(earlier), sum(recent) / len(recent)
        return Change(before, after, after - before, None, after > before)

    def state(self) -> JsonState:
        """See `Detector.state`: a digit per item."""
        return {"errors": "".join("1" if error else "0" for error in self._replayed.values)}

    def restore(self, state: JsonState) -> None:
        """See `Detector.restore`."""
        errors = state.get("errors")
        self._replayed.restore(
            [float(digit) for digit in errors] if isinstance(errors, str) else ()
        )
