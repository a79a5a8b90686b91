"""A River classifier behind a contract: text labels in, proper probabilities out, or nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier
from river.compose import Pipeline

from streamal.core.batch import Block, Distributions
from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded, Table, column_sums
from streamal.core.learners.experts import ExpertMixture
from streamal.core.learners.hyperplane import LinearVotes, Planes, logistic_shares
from streamal.core.learners.river_classes import if_imported
from streamal.errors import Reject

__all__ = ["GuardedClassifier", "RiverModel", "takes_weight"]

RiverModel: TypeAlias = "Classifier | Pipeline"

#: What classifiers say of many items: shares of the classes, shape (classes, n).
Votes: TypeAlias = Callable[[Encoded], Table]

#: Memory and the cost of a prediction grow with each class, and a review tool that sends free text
#: as labels would make a class of every answer.
MAX_CLASSES = 1000

#: What arithmetic on odd data raises. Anything else is a defect and must surface.
_ODD_DATA = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def takes_weight(model: RiverModel) -> bool:
    """Whether `learn_one` makes use of a sample weight `w`."""
    if isinstance(model, Pipeline):
        return takes_weight(next(reversed(model.steps.values())))
    if isinstance(model, if_imported("river.multiclass", "OneVsRestClassifier")):
        return takes_weight(model.classifier)
    return "w" in inspect.signature(model.learn_one).parameters


class GuardedClassifier:
    """A River classifier whose output can be relied on.

    Classes reach River as small integers in order of appearance: their hashes are the same in every
    process, and River keeps classes in sets, so text would make the order of sums, and with it the
    last bits of a probability, differ between replicas. A classifier for two classes only is put
    into a one-vs-rest, so that classes may appear over time.

    Args:
        model: any River classifier, or a pipeline that ends in one, that has learned nothing.
    """

    #: How it predicts many items at once, and the names of the columns for which it does, until it
    #: learns; None where River is asked for each item.
    _votes: tuple[tuple[str, ...], Votes | None] | None = None

    def __init__(self, model: RiverModel) -> None:
        weighted = takes_weight(model)
        self._model = model if model._multiclass else _one_vs_rest(model)  # noqa: SLF001 - River's only way to say so
        self._weighted = weighted
        #: Class to the code that River knows it by.
        self._codes: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what was derived."""
        return {name: value for name, value in self.__dict__.items() if name != "_votes"}

    @property
    def classes(self) -> tuple[str, ...]:
        """In order of appearance."""
        return tuple(self._codes)

    def predict_proba(self, columns: Encoded) -> Distributions:
        """Finite, non-negative probabilities summing to 1, in order of appearance; or nothing.

        Nothing before the first label, and for items of which River's answer is empty, all zero or
        not finite, or that it cannot work with.
        """
        if not self._codes:
            return Distributions(len(columns))
        votes = self.votes(columns)
        with np.errstate(all="ignore"):
            shares = self._asked(columns) if votes is None else votes(columns)
        (distributions,) = _distributions([self.classes], shares[None])
        return distributions

    @classmethod
    def predict_all(
        cls, classifiers: Sequence[GuardedClassifier], columns: Encoded
    ) -> tuple[Distributions, ...]:
        """What each of several classifiers predicts; linear ones in one computation."""
        prepared = [each.votes(columns) for each in classifiers]
        linear = [each for each in prepared if isinstance(each, LinearVotes) and not each.softmax]
        classes = [each.classes for each in classifiers]
        if len(linear) < len(classifiers) or len(set(map(len, classes))) > 1:
            return tuple(each.predict_proba(columns) for each in classifiers)
        with np.errstate(all="ignore"):
            logits = Planes.stacked([each.planes for each in linear]).at(columns)
            shares = logistic_shares(logits.reshape(len(linear), len(classes[0]), len(columns)))
        return _distributions(classes, shares)

    def votes(self, columns: Encoded) -> Votes | None:
        """How it predicts many items at once; None where River must be asked for each."""
        if not columns.fixed or not self._codes:
            return None
        if self._votes is None or self._votes[0] != columns.names:
            codes = tuple(self._codes.values())
            self._votes = columns.names, _votes(self._model, codes, columns)
        return self._votes[1]

    def _asked(self, columns: Encoded) -> Table:
        """River's answers item by item; NaN where it has none."""
        answers = np.full((len(columns), len(self._codes)), np.nan)
        for number, item in enumerate(columns.rows):
            try:
                raw = self._model.predict_proba_one(item)
                answers[number] = [float(raw.get(code, 0.0)) for code in self._codes.values()]
            except _ODD_DATA:
                continue
        return np.ascontiguousarray(answers.T)

    def boundary_distance(self, columns: Encoded) -> Vector | None:
        """See `Learner.boundary_distance`."""
        if len(self._codes) < 2:
            return None
        names = columns.names if columns.fixed else None
        planes = Planes.of(self._model, tuple(self._codes.values()), names)
        return None if planes is None or len(planes) < 2 else planes.boundary_distance(columns)

    def learn(
        self, columns: Mapping[str, Any], label: str, *, weight: float = 1.0, copies: int = 1
    ) -> None:
        """Learn one item.

        Args:
            columns: as the classifier expects them.
            label: the true class.
            weight: importance, > 0; has no effect on a classifier that takes no weights.
            copies: how often the item is learned, >= 1; one weighted step where weights are taken.

        Raises:
            Reject: `unlearnable`, when River cannot work with these columns, or the label would be
                one class too many.
        """
        code = self._codes.get(label, len(self._codes))
        if code >= MAX_CLASSES:
            raise Reject("unlearnable", f"{label!r} would be class {code + 1}")
        self._votes = None
        try:
            if self._weighted:
                self._model.learn_one(columns, code, w=weight * copies)
            else:
                for _ in range(copies):
                    self._model.learn_one(columns, code)
        except _ODD_DATA as error:
            name = type(self._model).__name__
            raise Reject("unlearnable", f"{name}: {type(error).__name__}: {error}") from error
        self._codes[label] = code


def _distributions(
    classes: Sequence[tuple[str, ...]], shares: NDArray[np.float64]
) -> tuple[Distributions, ...]:
    """Shares made probabilities; an item whose shares add up to no positive number knows nothing.

    Args:
        classes: of each classifier.
        shares: shape (classifiers, classes, n).
    """
    with np.errstate(all="ignore"):
        shares = np.maximum(shares, 0.0)  # NaN stays and spoils the total
        total = column_sums(shares)
        known = (total > 0.0) & (total < np.inf)
        p = np.ascontiguousarray((shares / total[:, None]).transpose(0, 2, 1))
    size = shares.shape[2]
    if known.all():
        rows = np.arange(size)
        return tuple(
            Distributions(size, [Block(rows, names, own)] if size else ())
            for names, own in zip(classes, p, strict=True)
        )
    return tuple(
        Distributions(size, [Block(rows, names, own[rows])] if len(rows) else ())
        for names, own, rows in zip(classes, p, map(np.flatnonzero, known), strict=True)
    )


def _votes(model: RiverModel, codes: Sequence[int], columns: Encoded) -> Votes | None:
    """How a classifier predicts many items at once; None when River must be asked for each."""
    if type(model) is ExpertMixture:
        return model.votes
    if type(model) is if_imported("streamal.core.learners.naive_bayes", "FlooredGaussianNB"):
        return model.votes(codes, columns.names) if columns.complete else None
    if type(model) is if_imported("river.neighbors", "KNNClassifier"):
        from streamal.core.learners.neighbours import NeighbourVotes  # noqa: PLC0415 - see `river_classes`

        return NeighbourVotes.of(model, codes, columns)
    return LinearVotes.of(model, codes, columns)


def _one_vs_rest(model: RiverModel) -> RiverModel:
    from river.multiclass import OneVsRestClassifier  # noqa: PLC0415 - see `river_classes`

    return OneVsRestClassifier(model)
