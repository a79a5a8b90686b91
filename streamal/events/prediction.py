"""What production publishes, once an adapter in `formats` has made it ours."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from streamal.events.base import (
    NUMBERS,
    ClassLabel,
    Event,
    EventId,
    Explained,
    FeatureMap,
    Metadata,
    Name,
    UtcDatetime,
)
from streamal.events.bounds import (
    IRREGULAR,
    MAX_BOX,
    MAX_CLASSES,
    MAX_COMMITTEE,
    MAX_OBJECTS,
    MAX_TOKENS,
    EntryByEntry,
    at_most,
)

__all__ = ["STANDS", "DetectedObject", "ModelRef", "Output", "Prediction", "ProbabilityRules"]

#: The class of a sequence or of a set of objects that production gives no class of its own: that
#: the output stands. A reviewer who disagrees answers with any other class, such as "wrong".
STANDS: Final = "ok"

_LARGEST: Final = sys.float_info.max
_Finite = Annotated[float, Field(allow_inf_nan=False)]


def _probability(label: str, p: object) -> object:
    if not 0 < len(label) <= 256:
        return IRREGULAR
    if type(p) is str:
        return _spelled_out(p)
    return float(cast("float", p)) if type(p) in NUMBERS else IRREGULAR


def _spelled_out(number: str) -> object:
    """A number as text; where Python's grammar and pydantic's may differ, pydantic decides."""
    if not (number.isascii() and number.isprintable()) or "_" in number:
        return IRREGULAR
    try:
        return float(number)
    except ValueError:
        return IRREGULAR


#: From class to probability; JSON's keys are text already.
_ProbabilityMap = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=256)], float],
    Field(max_length=MAX_CLASSES),
    EntryByEntry(MAX_CLASSES, "classes", _probability),
]
_Member = Annotated[
    _ProbabilityMap | _Finite,
    Field(union_mode="left_to_right"),  # else each map would be looked at twice
    Explained("must be a finite number or an object from class (1 to 256 characters) to number"),
]


class ProbabilityRules(BaseModel):
    """How strictly probabilities are checked; passed as the validation context.

    Attributes:
        tolerance: largest |sum - 1| that is accepted, in [0, 1).
        normalise: divide by a positive sum that is off instead of rejecting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(default=1e-3, ge=0, lt=1)
    normalise: bool = False


def _checked(probabilities: dict[str, float], rules: ProbabilityRules) -> dict[str, float]:
    """Probabilities that are finite, not negative and sum to exactly 1 up to rounding.

    Raises:
        PydanticCustomError: `bad_probabilities`.
    """
    for label, p in probabilities.items():
        if not 0 <= p <= _LARGEST:
            raise PydanticCustomError(
                "bad_probabilities", "P({label}) is {p}, not in [0, 1]", {"label": label, "p": p}
            )
    total = _sum(probabilities)
    if not rules.normalise and abs(total - 1) > rules.tolerance:
        raise PydanticCustomError(
            "bad_probabilities",
            "sum to {total}, not to 1 within {tolerance}",
            {"total": total, "tolerance": rules.tolerance},
        )
    if total <= 0 or math.isinf(total):
        raise PydanticCustomError("bad_probabilities", "have no positive finite sum", {})
    return {label: p / total for label, p in probabilities.items()}


def _sum(probabilities: dict[str, float]) -> float:
    try:
        return math.fsum(probabilities.values())
    except OverflowError:
        return math.inf


def most_probable(probabilities: Mapping[str, float]) -> str:
    """The class of the largest probability, and of several the first by name."""
    best, largest = "", -1.0
    for label, p in probabilities.items():
        if p > largest or (p == largest and label < best):
            best, largest = label, p
    return best


def _rules(info: ValidationInfo) -> ProbabilityRules:
    return info.context if isinstance(info.context, ProbabilityRules) else ProbabilityRules()


class ModelRef(BaseModel):
    """Which production model made a prediction."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    name: Name = "production"
    version: Name = "unknown"


_Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class DetectedObject(BaseModel):
    """One object that production found, with class probabilities or a score.

    Attributes:
        label: the chosen class; the most probable one when only probabilities are given.
        score: how sure production is of the object and its class, in [0, 1].
        probabilities: class to probability, summing to 1.
        box: where it is, in production's own coordinates; shown to reviewers, never looked at.
    """

    model_config = ConfigDict(frozen=True)

    label: ClassLabel | None = None
    score: _Share | None = None
    probabilities: _ProbabilityMap | None = None
    box: (
        Annotated[
            tuple[_Finite, ...],
            Field(min_length=2, max_length=MAX_BOX, fail_fast=True),
            at_most(MAX_BOX, "numbers"),
        ]
        | None
    ) = None

    @field_validator("probabilities")
    @classmethod
    def _proper(
        cls, value: dict[str, float] | None, info: ValidationInfo
    ) -> dict[str, float] | None:
        return _checked(value, _rules(info)) if value else None

    @model_validator(mode="after")
    def _says_how_sure(self) -> Self:
        if self.probabilities is None and self.score is None:
            raise PydanticCustomError("missing_prediction", "needs probabilities or a score", {})
        if self.label is None and self.probabilities is not None:
            object.__setattr__(self, "label", most_probable(self.probabilities))
        return self


class Output(BaseModel):
    """A prediction: a class or its probabilities, a regression's value, a sequence or objects.

    Attributes:
        label: the chosen class; the most probable one when only probabilities are given, "ok" when
            only a sequence or objects are.
        probabilities: class to probability, summing to 1.
        value: predicted value of a regression.
        token_probabilities: of a generated or tagged sequence, the probability in [0, 1] that
            production gave to each token that it chose, at most 8192.
        objects: what a detector found, at most 1024; an empty list says that it found nothing.
    """

    model_config = ConfigDict(frozen=True)

    label: ClassLabel | None = None
    probabilities: _ProbabilityMap | None = None
    value: _Finite | None = None
    token_probabilities: (
        Annotated[
            tuple[_Share, ...],
            Field(max_length=MAX_TOKENS, fail_fast=True),
            at_most(MAX_TOKENS, "tokens"),
        ]
        | None
    ) = None
    objects: (
        Annotated[
            tuple[DetectedObject, ...],
            Field(max_length=MAX_OBJECTS, fail_fast=True),
            at_most(MAX_OBJECTS, "objects"),
        ]
        | None
    ) = None

    @field_validator("probabilities")
    @classmethod
    def _proper(
        cls, value: dict[str, float] | None, info: ValidationInfo
    ) -> dict[str, float] | None:
        return _checked(value, _rules(info)) if value else None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.label is not None or self.value is not None:
            return self
        if self.probabilities is not None:
            object.__setattr__(self, "label", most_probable(self.probabilities))
        elif self.token_probabilities is not None or self.objects is not None:
            object.__setattr__(self, "label", STANDS)
        else:
            raise PydanticCustomError(
                "missing_prediction",
                "needs a label, probabilities, a value, token_probabilities or objects",
                {},
            )
        return self


class Prediction(Event):
    """One prediction of a production model.

    Attributes:
        event_id: unique over the pipeline's memory of ids; later copies are dead letters.
        timestamp: when production made the prediction (event time).
        model: name and version of the production model.
        features: model inputs: numbers, strings, booleans, nulls, short numeric lists.
        prediction: what production said.
        committee: what members of an ensemble said, each a map of probabilities or a value.
        metadata: anything to segment or display by; never a model input.

    One message holds at most 32,768 values (numbers, texts, booleans, nulls, objects and lists), of
    which 8,192 may be objects and lists, in whatever field.
    """

    from_outside: ClassVar[bool] = True

    event_id: EventId
    timestamp: UtcDatetime
    model: ModelRef = ModelRef()
    features: FeatureMap
    prediction: Output
    committee: (
        Annotated[
            tuple[_Member, ...],
            Field(max_length=MAX_COMMITTEE, fail_fast=True),
            at_most(MAX_COMMITTEE, "members"),
        ]
        | None
    ) = None
    metadata: Metadata = Field(default_factory=dict)

    @field_validator("committee")
    @classmethod
    def _proper_members(
        cls, members: tuple[dict[str, float] | float, ...] | None, info: ValidationInfo
    ) -> tuple[dict[str, float] | float, ...] | None:
        if members is None:
            return None
        rules = _rules(info)
        return tuple(
            _checked(member, rules) if isinstance(member, dict) else member for member in members
        )
