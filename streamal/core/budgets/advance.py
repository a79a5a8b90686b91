"""The advance on the budget: one class per file, see `streamal.core.budgets`."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from streamal.core.budgets.base import BudgetPolicy, own_state, read_number
from streamal.core.budgets.wrapper import Wrapper
from streamal.core.parameters import Range
from streamal.core.types import Conditions, JsonState, Offer, Reason

__all__ = ["Advance", "AdvanceLabels"]

#: Labels of a pipeline that are routed before the budget has earned them.
AdvanceLabels: TypeAlias = Annotated[float, Range(0, 10_000)]
#: A partition's part of what holds for the whole pipeline.
_Share: TypeAlias = Annotated[float, Range(0, 1, open_low=True)]

#: Below this propensity the advance is spent: what is left of it is a hundredth of a label or less.
_SPENT = 0.01


class Advance(Wrapper):
    """Lets a young stream spend its first labels at once, and save them again afterwards.

    Until the first labels are back, a model knows nothing and every event is as good as any other.
    At a budget of 1 % a policy would wait a hundred events for each of them, and all that is
    predicted meanwhile is guessed. What is spent ahead is booked like any other label, so the
    policy saves it again and the long-run spend stays at the budget.

    Formula:
        propensity = max(inner propensity, p) with p = (A - g) / max(A, 1) while p >= 0.01, else the
        inner one; A = advance_labels * share, and g is the sum of the propensities of all items
        before, the number of labels to be expected of them.

    Range:
        in [inner propensity, 1]. A labels in expectation, about the first 5 * A items. At any time
        the spend is above the budget by A labels or what the inner policy allows, whichever is
        more, and chance.

    Args:
        inner: the policy that goes on when the advance is spent.
        advance_labels: labels of all partitions together.
        share: this partition's part of it, in (0, 1].

    Examples:
        >>> from streamal.core.budgets.quantile import Quantile
        >>> policy = Advance(Quantile(budget=0.05), advance_labels=10)
        >>> conditions = Conditions(now=0.0)
        >>> for _ in range(3):
        ...     offer = policy.preview(1.0, conditions)
        ...     print(round(offer.propensity, 2), offer.reason.value)
        ...     policy.commit(1.0, offer, query=True, conditions=conditions)
        1.0 advance
        0.9 advance
        0.81 advance
    """

    name: ClassVar[str] = "advance"
    zero_propensity: ClassVar[str] = ""

    def __init__(
        self, inner: BudgetPolicy, advance_labels: AdvanceLabels, share: _Share = 1.0
    ) -> None:
        super().__init__(inner)
        self.advance_labels = advance_labels
        self.share = share
        self._labels = advance_labels * share
        self._granted = 0.0

    @property
    def _propensity(self) -> float:
        return (self._labels - self._granted) / max(self._labels, 1.0)

    def applies(self, conditions: Conditions) -> bool:  # noqa: ARG002 - limits use it
        """Until the advance is spent; from then on nothing is counted any more."""
        return self._propensity >= _SPENT

    def adjusted(self, offer: Offer, conditions: Conditions) -> Offer:
        """See the class."""
        propensity = self._propensity
        if propensity <= offer.propensity or not self.applies(conditions):
            return offer
        return Offer(propensity, offer.threshold, Reason.ADVANCE)

    def commit(self, score: float, offer: Offer, *, query: bool, conditions: Conditions) -> None:
        """See `BudgetPolicy.commit`."""
        if self.applies(conditions):
            self._granted = min(self._labels, self._granted + offer.propensity)
        super().commit(score, offer, query=query, conditions=conditions)

    def state(self) -> JsonState:
        """What was granted, beside the inner policy's."""
        return {**super().state(), self.name: {"granted": self._granted}}

    def restore(self, state: JsonState) -> None:
        """See `BudgetPolicy.restore`; a stream that began without an advance is no longer young."""
        super().restore(state)
        default = self._labels if self.inner.name in state else 0.0
        granted = read_number(own_state(state, self.name), "granted", default)
        self._granted = min(self._labels, max(0.0, granted))
